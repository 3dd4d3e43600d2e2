"""The face of every REST view: who may ask, what is read and written, how often, and how errors look.

Nothing is left to the framework's defaults, which belong to the project that includes these addresses.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import IO, Any, Final

from django.http import HttpResponse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException, NotAcceptable, NotFound, ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from roomlog.authenticators import rest_classes
from roomlog.login_tries import address_of
from roomlog_contract import limits
from roomlog_contract.codec import parse_object
from roomlog_contract.errors import MalformedFrame

from .errors import answer
from .operations import Operation

MAX_BODY_BYTES: Final = limits.FRAME_BYTES
"""As on the wire: what fits a socket's message fits a request."""


class TooLarge(APIException):
    """A body that no command needs."""

    status_code = 413
    default_detail = format_lazy(_("The body is larger than {size} bytes."), size=MAX_BODY_BYTES)
    default_code = "too_large"


class Negotiation(DefaultContentNegotiation):
    """JSON for whoever takes it, by the Accept header alone."""

    settings = SimpleNamespace(URL_FORMAT_OVERRIDE=None)  # type: ignore[assignment] # all that is read of it
    """The one default that the framework's own reads: a parameter of the query that would choose too."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the renderer for what the asker accepts; an unreadable Accept accepts nothing."""
        try:
            chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        except (ValueError, LookupError):  # an encoding in a parameter that is none
            raise NotAcceptable from None
        return chosen


class StrictJson(BaseParser):
    """One JSON object, by the wire's own parser: no key twice, no NaN, 16 deep, 64 KiB."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        """Return the object's keys.

        Raises:
            TooLarge, ParseError: it is none that every parser reads alike.
        """
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge
        try:
            return parse_object(body.decode())
        except UnicodeDecodeError:
            raise ParseError(_("The body is not UTF-8.")) from None
        except MalformedFrame as malformed:
            raise ParseError(f"The body is {malformed.reason}.") from None


class PersonThrottle(UserRateThrottle):
    """What one person, or one address that nobody signed in from, may ask."""

    scope = "roomlog"
    rate = "20/s"

    def get_ident(self, request: Request) -> str:
        """Return the address behind as many proxies as Roomlog was told of, not the framework."""
        return address_of(request._request)


class Sessions(SessionAuthentication):
    """The project's sessions; a stranger is told to sign in (401), with or without tokens beside them."""

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme of a 401."""
        return "Session"


class RestView(APIView):
    """A view for the signed-in that speaks JSON."""

    authentication_classes = [*rest_classes(), Sessions]
    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]
    parser_classes = [StrictJson]
    throttle_classes = [PersonThrottle]
    content_negotiation_class = Negotiation
    metadata_class = None
    versioning_class = None
    schema = Operation()

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], HttpResponse | None]:
        """Return what makes a problem of an error."""
        return answer


class NothingHere(RestView):
    """Every address under the interface's own that leads nowhere."""

    permission_classes = [AllowAny]
    schema = None  # type: ignore[assignment] # as drf-spectacular itself leaves views out

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer before anything else is looked at."""
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        raise NotFound(_("There is no such path. Paths end with a slash."))
