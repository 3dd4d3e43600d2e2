"""The chat page: one template for who is signed in; the rest is clients/web in the browser."""

from typing import Any

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from roomlog.people import person_of


@method_decorator(never_cache, name="dispatch")  # after a logout Back must not show it
class ChatView(LoginRequiredMixin, TemplateView):
    """The chat, for people who are signed in."""

    template_name = "roomlog/chat.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return who looks at it, and where its socket connects to; empty means beside the page.

        Below a prefix its path is said: the page may be asked for without the slash at its end.
        """
        prefix = settings.FORCE_SCRIPT_NAME
        address = settings.ROOMLOG_WEBSOCKET_URL or (f"{prefix}/ws" if prefix else "")
        person = person_of(self.request.user)
        return super().get_context_data(person=person, websocket_url=address, **kwargs)
