"""The page that shows a message's way through gateways and workers."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from roomlog.trace import trace
from roomlog.trace_text import lines, verdict


def trace_page(page: "ModelAdmin[Any]", request: HttpRequest) -> TemplateResponse:
    """Return the way of the uuid that the address names; without one, the question for it."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    uuid = request.GET.get("uuid", "").strip()
    found = trace(uuid) if uuid else None
    context = {
        **page.admin_site.each_context(request),
        "title": _("Where is my message?"),
        "opts": page.opts,
        "uuid": uuid,
        "verdict": verdict(found) if found else "",
        "lines": lines(found) if found else (),
    }
    return TemplateResponse(request, "roomlog/admin/trace.html", context)
