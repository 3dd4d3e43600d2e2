"""Who someone is: tokens, tickets and the search for people to invite."""

from django.contrib.auth import SESSION_KEY, authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from roomlog.finding import people_found, people_of_account, people_shown
from roomlog.member_list import others_of
from roomlog.people import as_user, person_of
from roomlog.people_hook import refresh_seen
from roomlog.tickets import TICKET_SECONDS, make_ticket, session_model

from .operations import describe
from .serializers import (
    CredentialsSerializer,
    DirectRoomsSerializer,
    OtherMemberSerializer,
    PeopleSerializer,
    PersonSerializer,
    TicketSerializer,
    TokenSerializer,
    UserSerializer,
)
from .view import PersonThrottle, RestView

ACCOUNT = "The primary key that the project knows somebody by."
SEARCH = "How the name begins; at least 2 characters."


class SearchThrottle(PersonThrottle):
    """How fast one person may search: as one types, and no faster."""

    scope = "search"
    rate = "60/min"


class TokenView(RestView):
    """The one token of a user."""

    def get_permissions(self) -> list[BasePermission]:
        """Return who may: anybody asks for a token, only its user revokes it."""
        return [AllowAny()] if self.request is None or self.request.method == "POST" else [IsAuthenticated()]

    @describe(request=CredentialsSerializer, responses=TokenSerializer, auth=[])
    def post(self, request: Request) -> Response:
        """Return the user's token for a name and a password, and make it where there is none."""
        body = CredentialsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        # Django's request: a backend reads META, and must not see the framework's parsed body.
        user = authenticate(request._request, **body.validated_data)
        if user is None:
            raise AuthenticationFailed(gettext("Wrong name or password."))
        token, _ = Token.objects.get_or_create(user=user)
        return Response(TokenSerializer({"token": token.key, "user": as_user(person_of(user))}).data)

    @describe(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Revoke one's own token; sockets that came with it are closed within a second."""
        Token.objects.filter(user=request.user.pk).delete()
        return Response(status=204)


class TicketView(RestView):
    """A pass for a socket."""

    @describe(request=None, responses=TicketSerializer)
    def post(self, request: Request) -> Response:
        """Return a ticket for one `authenticate`, so that a page never holds a token."""
        user = request.user
        assert isinstance(user, AbstractBaseUser), "only the signed-in come here"
        refresh_seen(user)
        ticket = make_ticket(user, **_came_by(request, user))
        return Response(TicketSerializer({"ticket": ticket, "expires_in_seconds": TICKET_SECONDS}).data)


def _came_by(request: Request, user: AbstractBaseUser) -> dict[str, str]:
    """Return the token or session of the request: what its tickets are bound to."""
    if isinstance(request.auth, Token):
        return {"token": request.auth.key}
    session = request._request.session
    is_theirs = session.get(SESSION_KEY) == user._meta.pk.value_to_string(user)
    if request.auth is None and session.session_key and is_theirs:
        session_model()  # refuses sessions that workers can't find
        return {"session": session.session_key}
    raise PermissionDenied(gettext("A ticket needs a token or a session, and ends with it."))


class PeopleView(RestView):
    """People, by the ids of their messages."""

    @describe(parameters=[PeopleSerializer], responses=PersonSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return name and picture of those asked for who share a room with the asker."""
        asked = PeopleSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = people_shown(person_of(request.user).pk, asked.validated_data["id"])
        return Response(PersonSerializer(found, many=True).data)


class DirectRoomsView(RestView):
    """Whom the asker's direct rooms are with."""

    @describe(parameters=[DirectRoomsSerializer], responses=OtherMemberSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return the other member of each of these rooms that is direct and the asker's."""
        asked = DirectRoomsSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = others_of(person_of(request.user).pk, asked.validated_data["room"])
        return Response(OtherMemberSerializer(found, many=True).data)


class UsersView(RestView):
    """People, by name."""

    throttle_classes = [SearchThrottle]

    @describe(
        parameters=[
            OpenApiParameter("search", str, description=SEARCH),
            OpenApiParameter("account", str, description=ACCOUNT),
        ],
        responses=UserSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return at most 20 active people of those whom the asker may find: by name, or of one account."""
        asker = person_of(request.user).pk
        account = request.query_params.get("account")
        if account is None:
            found = people_found(asker, request.query_params.get("search", ""))
        else:
            found = people_of_account(asker, account)
        return Response(UserSerializer(found, many=True).data)
