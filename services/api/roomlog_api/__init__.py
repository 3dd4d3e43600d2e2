"""What people use: Django's admin, the REST interface, login and the chat page; owner of the migrations.

The first stage of a message only where it enters by HTTP; it never writes a room's log itself, it asks
the workers by PendingCommand.
"""
