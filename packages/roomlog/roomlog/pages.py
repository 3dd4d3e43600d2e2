"""The chat page, one template for who is signed in (the rest is clients/web in the browser), and a login.

The login is for projects that have none of their own: where LOGIN_URL leads somewhere, ours is not there.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import LoginView, LogoutView
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from roomlog.configuration import configuration
from roomlog.file_store import upload_limit
from roomlog.people import person_of
from roomlog.people_hook import refresh_seen

GATEWAY_PORT: Final = 8080
"""Where a gateway listens that was told nothing else."""


@method_decorator(never_cache, name="dispatch")  # after a logout Back must not show it
class ChatView(LoginRequiredMixin, TemplateView):
    """The chat, for people who are signed in."""

    template_name = "roomlog/chat.html"

    def get_login_url(self) -> str:
        """Return where strangers are sent."""
        return login_address()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return who looks at it, and where its socket connects to."""
        refresh_seen(self.request.user)  # type: ignore[arg-type] # LoginRequiredMixin: nobody anonymous
        person = person_of(self.request.user)
        address = websocket_address(self.request)
        facts = {"person": person, "websocket_url": address, "file_bytes": upload_limit()}
        return super().get_context_data(**facts, **kwargs)


class ChatLoginView(LoginView):
    """Name and password, by the project's own backends."""

    template_name = "roomlog/login.html"
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse to be a second door beside the project's own, which may ask for more than a password."""
        if login_address() != reverse("roomlog:login"):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get_default_redirect_url(self) -> str:
        """Return the chat."""
        return reverse("roomlog:chat")


class ChatLogoutView(LogoutView):
    """The end of the session, by POST."""

    def get_default_redirect_url(self) -> str:
        """Return where the project sends people, or the login."""
        return super().get_default_redirect_url() if settings.LOGOUT_REDIRECT_URL else login_address()


def login_address() -> str:
    """Return the project's login, or our own where LOGIN_URL leads nowhere, as in a new project."""
    ours = reverse("roomlog:login")
    try:
        address = resolve_url(settings.LOGIN_URL)
        if not urlsplit(address).netloc and address != ours:
            resolve("/" + urlsplit(address).path.removeprefix(get_script_prefix()).lstrip("/"))
    except (NoReverseMatch, Resolver404):
        return ours
    return address


def websocket_address(request: HttpRequest) -> str:
    """Return where the page's socket connects to: by default `ws` beside the page.

    In development nothing in front of both puts them there, so it is the gateway's own port.
    """
    said = configuration().websocket_url
    if said is None and settings.DEBUG:
        return f"ws://{urlsplit(f'//{request.get_host()}').hostname}:{GATEWAY_PORT}/ws"
    # With the path: the page may be asked for without the slash at its end.
    return said or f"{reverse('roomlog:chat')}ws"
