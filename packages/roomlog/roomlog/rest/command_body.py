"""From a request's body to the command that a socket would have sent: one set of rules for both doors."""

from typing import Any, TypeVar, cast
from uuid import uuid4

from rest_framework.request import Request

from roomlog_contract.codec import command_of
from roomlog_contract.commands import OwnBlock, OwnView, ReportMessage, RoomWrite

Said = TypeVar("Said", bound=RoomWrite | OwnView | OwnBlock | ReportMessage)


def read_command(struct: type[Said], request: Request, **path: Any) -> Said:
    """Return the command of a body, without a uuid a new one; what the path says goes before the body.

    Raises:
        RefusedCommand: no socket could have sent it either.
    """
    said = {key: value if isinstance(value, int) else str(value) for key, value in path.items()}
    body = cast(dict[str, Any], request.data)  # the only parser of these views reads objects alone
    keys = {"uuid": uuid4().hex, **body, **said, "action": str(struct.__struct_config__.tag)}
    return cast(Said, command_of(keys))
