"""What every view of a room's commands does: strangers learn nothing, and the command waits for a worker."""

from typing import Final
from uuid import UUID

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED

from roomlog import selectors
from roomlog.pending import request_command
from roomlog.people import person_of
from roomlog.policy import objection_to
from roomlog_contract.commands import RoomWrite
from roomlog_contract.errors import ErrorCode, RefusedCommand
from roomlog_contract.shards import room_of

from .serializers import RequestedSerializer

REQUESTED: Final = {202: RequestedSerializer}


def requested(request: Request, command: RoomWrite) -> Response:
    """Store a command for its room's worker and say so; refuse what the project's policy does not allow."""
    user_id = person_of(request.user).pk
    if sentence := objection_to(command, user_id):
        raise RefusedCommand(ErrorCode.FORBIDDEN, sentence, uuid=command.uuid)
    said = {"uuid": request_command(command, user_id), "room": room_of(command, user_id)}
    return Response(RequestedSerializer(said).data, status=HTTP_202_ACCEPTED)


def check_member(room: UUID, request: Request) -> None:
    """Answer 404 to strangers: they are not even told that there is such a room."""
    if not selectors.is_member(room, person_of(request.user).pk):
        raise Http404
