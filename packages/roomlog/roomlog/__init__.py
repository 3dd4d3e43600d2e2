"""The Django app that a project installs: models, reads, commands, admin, REST interface and chat page.

It never writes a room's log: what people ask for becomes a PendingCommand, and workers carry it out.
"""
