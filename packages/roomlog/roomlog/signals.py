"""The signals that a project's code may connect to.

Beside the message's way: only `manage.py roomlog chores` sends `message_missed`. It must not import models: a
project may connect before they are ready.
"""

from typing import Final

from django.dispatch import Signal

login_tried: Final = Signal()
"""Sent for each name and password that `roomlog.login.PacedBackend` was given, at whatever door.

Its sender is the backend's class. Its one argument:

- `result`: `accepted`, `refused`, or `too_many` where the password was not looked at.
"""
message_missed: Final = Signal()
"""Sent for each committed message of which members have no connection, in the order of the room's log.

Its sender is `roomlog.models.ChatMessage`. Its arguments:

- `room`: the room's id, a UUID.
- `message`: a `roomlog_contract.events.Message`, with the fields of the wire.
- `users`: the primary keys of the users of those members; never empty, and without the message's author.

At least once: after a crash it is sent again with the same `message.id`. If a receiver raises, the others of
this message are not called; later all are called again. Meanwhile this room alone waits.
"""
