"""REST: tokens, rooms and messages by HTTP, for scripts and for what a page asks before its socket is open.

Where a message may enter. Reads come from the database; writes become PendingCommands and are answered
with 202 before they happen. No rules live here: the workers know them.
"""
