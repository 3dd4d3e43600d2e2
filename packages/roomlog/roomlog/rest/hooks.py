"""The addresses of incoming hooks: whoever knows one may post into its room, without an account."""

from hashlib import sha256
from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED
from rest_framework.throttling import SimpleRateThrottle

from roomlog.hooks.incoming import hook_of, say
from roomlog_contract.commands import NewMessage

from .command_body import read_command
from .command_serializers import HookMessageSerializer
from .operations import describe
from .serializers import RequestedSerializer
from .view import PersonThrottle, RestView


class HookThrottle(SimpleRateThrottle):
    """What one address may post. By its secret too: a stranger's guesses use up nothing of the hook's."""

    scope = "hook"
    rate = "120/min"

    def get_cache_key(self, request: Request, view: Any) -> str:
        """Return what is counted."""
        said = f"{view.kwargs['hook'].hex}/{view.kwargs['secret']}"
        return f"roomlog_hook_{sha256(said.encode()).hexdigest()}"


class HookView(RestView):
    """An incoming hook."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [PersonThrottle, HookThrottle]

    @describe(request=HookMessageSerializer, responses={202: RequestedSerializer}, auth=[])
    def post(self, request: Request, hook: UUID, secret: str) -> Response:
        """Say something in the hook's room. A repeated uuid is the same message."""
        found = hook_of(hook, secret)
        if found is None:
            raise Http404
        uuid = say(found, read_command(NewMessage, request, room=found.room_id))
        body = RequestedSerializer({"uuid": uuid, "room": found.room_id})
        return Response(body.data, status=HTTP_202_ACCEPTED)
