"""The messages of one room in the admin, by text, person and time.

However long the log is, a page costs the same: it goes by seq instead of by number, counts nothing, and a
search looks at so many messages, says so, and goes on from there when asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from roomlog.models import ChatMessage, ChatRoom, Person, RoomEvent
from roomlog.selectors import in_present_state
from roomlog_contract.events import Message
from roomlog_contract.limits import EXACT_INTEGER, TEXT_CODE_POINTS

from .theme import TextInput

if TYPE_CHECKING:
    from .log import ChatMessageAdmin

PAGE: Final = 50
"""Messages on a page."""
LOOKED_AT: Final = 5_000
"""Messages that a search by text or person looks through for one page."""
PROBES: Final = 32
"""Events whose times one query reads, to find a moment among all."""
MAX_NAMESAKES: Final = 100
"""People of one name whose messages are found together."""


class SearchForm(forms.Form):
    """What somebody looks for; `before` is where the page ends."""

    text = forms.CharField(label=_("Text"), required=False, max_length=TEXT_CODE_POINTS, widget=TextInput)
    person = forms.CharField(
        label=_("Person (whole name or id)"), required=False, max_length=150, widget=TextInput
    )
    since = forms.DateTimeField(label=_("From"), required=False, widget=TextInput({"type": "datetime-local"}))
    until = forms.DateTimeField(
        label=_("Until"), required=False, widget=TextInput({"type": "datetime-local"})
    )
    before = forms.IntegerField(
        required=False, min_value=1, max_value=EXACT_INTEGER, widget=forms.HiddenInput
    )


@dataclass(frozen=True, slots=True)
class Found:
    """One page, newest message first."""

    messages: Sequence[Message] = ()
    before: int | None = None
    """The next page's; None: there is none."""
    is_cut: bool = False
    """LOOKED_AT messages were looked through, and there are older ones."""


def room_messages(page: "ChatMessageAdmin", request: HttpRequest, room_id: UUID) -> HttpResponse:
    """Return a page of a room's messages; a post carries out one of the admin's actions on those selected."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    room = get_object_or_404(ChatRoom, pk=room_id)
    if request.method == "POST":
        return _act(page, request, room)
    form = SearchForm(request.GET)
    found = find(room, form.cleaned_data) if form.is_valid() else Found()
    asked = {key: value for key, value in request.GET.items() if key in form.fields and key != "before"}
    context = {
        **page.admin_site.each_context(request),
        "title": _("Messages in {room}").format(room=room),
        "opts": page.opts,
        "room": room,
        "form": form,
        "found": found,
        "rows": [(one, datetime.fromtimestamp(one.timestamp, UTC)) for one in found.messages],
        "older": found.before and f"?{urlencode({**asked, 'before': found.before})}",
        "newest": f"?{urlencode(asked)}" if "before" in request.GET else "",
        "looked_at": LOOKED_AT,
        "actions": page.get_action_choices(request)[1:],
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "roomlog/admin/room_messages.html", context)


def _act(page: "ChatMessageAdmin", request: HttpRequest, room: ChatRoom) -> HttpResponse:
    """Carry out an action, or return the page that asks first."""
    action = page.get_actions(request).get(request.POST.get("action", ""))
    keys = [key for key in request.POST.getlist(ACTION_CHECKBOX_NAME)[: PAGE + 1] if key.isdecimal()]
    if action is None or not keys:
        messages.warning(request, _("Select messages and an action."))
        return HttpResponseRedirect(request.get_full_path())
    selected = page.get_queryset(request).filter(room=room, pk__in=keys).select_related("room", "user")
    answer: Any = action[0](page, request, selected)
    return answer or HttpResponseRedirect(request.get_full_path())


def find(room: ChatRoom, asked: dict[str, Any]) -> Found:
    """Return the newest messages below `before` that fit, as they are now; deleted ones have no text."""
    first, end = 1, asked["before"] or EXACT_INTEGER
    if asked["since"] is not None:
        first = seq_at(room, asked["since"])
    if asked["until"] is not None:
        end = min(end, seq_at(room, asked["until"]))
    rows = _of(room, first, end)
    lowest = None
    if asked["text"] or asked["person"]:
        # An index alone tells where they end.
        lowest = rows.values_list("seq", flat=True)[LOOKED_AT - 1 : LOOKED_AT].first()
        # One lower bound: SQLite would take the first of two, and read on to it.
        window = rows if lowest is None else _of(room, lowest, end)
        rows = window.filter(_by(asked["person"]), _saying(room, window, asked["text"]))
    page = list(rows[: PAGE + 1])
    shown = in_present_state(page[:PAGE])
    if len(page) > PAGE:
        return Found(shown, shown[-1].seq)
    is_cut = lowest is not None and _of(room, first, lowest).exists()
    return Found(shown, lowest if is_cut else None, is_cut)


def seq_at(room: ChatRoom, moment: datetime) -> int:
    """Return the seq of the room's first event from this moment on; one more than the last if there is none.

    The log has no index by time, but its times rise with its seqs: a few queries find it in a million.
    """
    events = RoomEvent.objects.filter(room=room).order_by()
    low, high = 1, room.head.last_seq + 1
    while low < high:
        step = -((low - high) // PROBES)
        times = dict(events.filter(seq__in=range(low, high, step)).values_list("seq", "date_created"))
        earlier = [seq for seq, created in times.items() if created < moment]
        if not earlier:
            return low
        low, high = max(earlier) + 1, min(high, max(earlier) + step)
    return low


def _of(room: ChatRoom, first: int, end: int) -> QuerySet[ChatMessage]:
    """Return the messages of these seqs, the last first, in the words of the index `messages_by_seq`."""
    every = ChatMessage._base_manager.all()  # without the kind, which the index does not have
    return every.filter(room=room, number__isnull=False, seq__gte=first, seq__lt=end).order_by("-seq")


def _by(person: str) -> Q:
    """Return the condition of whose messages are meant: by id, or by the whole name."""
    if not person:
        return Q()
    named = list(Person.objects.filter(name=person).values_list("pk", flat=True)[:MAX_NAMESAKES])
    if person.isdecimal() and int(person) < EXACT_INTEGER:
        named.append(int(person))
    return Q(user_id__in=named)


def _saying(room: ChatRoom, window: QuerySet[ChatMessage], text: str) -> Q:
    """Return the condition that a message says this now: its own text, or that of its last edit."""
    if not text:
        return Q()
    edits = window.filter(edited_seq__isnull=False).values_list("edited_seq", flat=True)
    said = RoomEvent.objects.filter(room=room, seq__in=[seq for seq in edits if seq], text__icontains=text)
    edited = list(said.order_by().values_list("seq", flat=True))
    return Q(edited_seq=None, text__icontains=text) | Q(edited_seq__in=edited)
