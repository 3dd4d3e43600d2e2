"""Webhooks: addresses that post into a room (incoming), and addresses that are told of events (outgoing).

Around the message's way: what comes in is a command like any other, what goes out is read from the log.
"""
