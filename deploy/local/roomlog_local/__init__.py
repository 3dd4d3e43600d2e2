"""Roomlog on one machine: every part as a real process, started and kept alive in one command.

Around the message's way. The same programs as in a cluster, only the settings differ; it must not hold
any of their logic.
"""
