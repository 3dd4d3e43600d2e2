"""The page that asks before workers are asked: who or what is meant, and for how long."""

import time
from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from .bounded import MAX_SHOWN
from .theme import Select

NO_END: Final = _("Without an end")
LENGTHS: Final = (
    ("", NO_END),
    (600, _("For 10 minutes")),
    (3_600, _("For 1 hour")),
    (86_400, _("For 1 day")),
    (604_800, _("For 1 week")),
)
"""Seconds of a mute or ban."""


class LengthForm(forms.Form):
    """How long a mute or ban lasts."""

    seconds = forms.ChoiceField(choices=LENGTHS, required=False, label=_("How long"), widget=Select)

    def until(self) -> int | None:
        """Return its end in epoch seconds, None without one."""
        seconds = self.cleaned_data["seconds"]
        return int(time.time()) + int(seconds) if seconds else None


def ask_first(
    page: "ModelAdmin[Any]", request: HttpRequest, names: Mapping[Any, str], form: forms.Form | None = None
) -> TemplateResponse | None:
    """Return the page that asks whether to change the rows of these keys, None once that was confirmed.

    `form` is shown with the question, and again while it is wrong.
    """
    if "confirmed" in request.POST and (form is None or form.is_valid()):
        return None
    action = request.POST["action"]
    context = {
        **page.admin_site.each_context(request),
        "title": dict(page.get_action_choices(request))[action],
        "opts": page.opts,
        "action": action,
        "checkbox": ACTION_CHECKBOX_NAME,
        "keys": list(names),
        "names": list(names.values())[:MAX_SHOWN],
        "form": form,
    }
    return TemplateResponse(request, "roomlog/admin/confirm.html", context)
