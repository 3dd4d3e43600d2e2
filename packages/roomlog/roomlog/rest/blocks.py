"""Whom the asker has blocked, by HTTP: at once, as the socket does, because no log has it."""

from rest_framework.request import Request
from rest_framework.response import Response

from roomlog.blocking import block, blocks_of, tell_block, unblock
from roomlog.people import person_of
from roomlog_contract import limits
from roomlog_contract.commands import BlockUser, UnblockUser

from .command_body import read_command
from .command_serializers import CommandSerializer
from .operations import describe
from .serializers import AfterSerializer, UserSerializer
from .view import RestView


class BlocksView(RestView):
    """Whom the asker has blocked."""

    @describe(parameters=[AfterSerializer], responses=UserSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return at most 200 of them in the order of their ids, those behind `after`."""
        page = AfterSerializer(data=request.query_params)
        page.is_valid(raise_exception=True)
        found = blocks_of(person_of(request.user).pk, page.validated_data["after"], limits.PAGE_BLOCKS)
        return Response(UserSerializer(found, many=True).data)


class BlockView(RestView):
    """Whether the asker has blocked somebody."""

    @describe(request=CommandSerializer, responses=UserSerializer)
    def put(self, request: Request, user: int) -> Response:
        """Block the user, on all devices; nobody else is told. Again is harmless."""
        command, asker = read_command(BlockUser, request, user=user), person_of(request.user).pk
        blocked = block(asker, command.user)
        tell_block(asker, blocked, is_blocked=True)
        return Response(UserSerializer(blocked).data)

    @describe(request=CommandSerializer, responses={200: UserSerializer})
    def delete(self, request: Request, user: int) -> Response:
        """End that; where nothing was blocked, nothing changes."""
        command, asker = read_command(UnblockUser, request, user=user), person_of(request.user).pk
        unblocked = unblock(asker, command.user)
        tell_block(asker, unblocked, is_blocked=False)
        return Response(UserSerializer(unblocked).data)
