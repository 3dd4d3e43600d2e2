"""`{% load roomlog %}{% roomlog_chat room %}`: chat in a template of the project's own.

It writes the two lines of HTML that load and place the element of `clients/web/element.js`.
"""

from typing import Any, Final
from uuid import UUID

from django import template
from django.middleware.csrf import get_token

from roomlog.file_store import upload_limit
from roomlog.pages import websocket_address
from roomlog.people import person_of
from roomlog.people_hook import refresh_seen
from roomlog.texts import browser_texts, texts_language

register: Final = template.Library()
register.simple_tag(texts_language, name="roomlog_language")
register.simple_tag(browser_texts, name="roomlog_texts")


@register.inclusion_tag("roomlog/element.html", takes_context=True)
def roomlog_chat(context: template.Context, room: UUID | None = None) -> dict[str, Any]:
    """Show one room, or all rooms of who is signed in; strangers see nothing."""
    request = context["request"]
    if not request.user.is_authenticated:
        return {}
    refresh_seen(request.user)
    return {
        "person": person_of(request.user),
        "websocket_url": websocket_address(request),
        "file_bytes": upload_limit(),
        "csrf_token": get_token(request),
        "room": room,
    }
