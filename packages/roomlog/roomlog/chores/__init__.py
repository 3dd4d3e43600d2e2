"""What `manage.py roomlog chores` does in the background, one process at a time.

After the message's way. It reads the log, tells the project of what was said to people who are away, and
tells webhooks of events. It must not write a room's log.
"""
