"""A trace in words, for the terminal and the admin: a verdict, and a line for each step. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from roomlog.message_lookup import Place, State
from roomlog.trace import Fate, Noted, Trace, TrailState
from roomlog_contract.trail import Decided, Ended, Queued, Refused, Written
from roomlog_runtime.logs import escaped

_PLACES: Final = {
    State.STORED: gettext_noop("Stored in room {room} at seq {seq}."),
    State.PENDING: gettext_noop("Waiting for the worker of room {room}."),
    State.FAILED: gettext_noop("Given up after five failures ({error}); see the dead letter."),
}
_VERDICTS: Final = {
    Fate.GONE: gettext_noop(
        "A worker has stored it, but the database does not have it. Was a backup restored?"
    ),
    Fate.REFUSED: gettext_noop("Refused: {code}, by {source}."),
    Fate.UNDER_WAY: gettext_noop(
        "A gateway has it from its sender, but no worker has decided it. If this lasts, run roomlog doctor: "
        "its shard may have no owner."
    ),
    Fate.UNSEEN: gettext_noop(
        "Never arrived: no gateway has noted this uuid since {since}. Steps are noted within a few seconds, "
        "and kept for at most 24 hours."
    ),
}
_UNKNOWN: Final = {
    TrailState.EMPTY: gettext_noop("there are no notes. Is ROOMLOG_TRAIL_MIB 0, or Redis new?"),
    TrailState.FORBIDDEN: gettext_noop(
        "this user of Redis may not read the notes. Give it +xrange, see docs/configuration.md."
    ),
    TrailState.UNREACHABLE: gettext_noop("Redis, which has the notes, does not answer."),
}
_ENDS: Final = {
    "event": gettext_noop("Answered connection {connection} with the event."),
    "reply": gettext_noop("Answered connection {connection} with a worker's reply."),
    "expired": gettext_noop("No answer for connection {connection} in 15 s; its client tries again."),
}


class Line(NamedTuple):
    """One step in words."""

    at: datetime | None
    source: str
    """Whose note and clock it is."""
    text: str


def verdict(trace: Trace) -> str:
    """Return in a sentence or two what became of the command."""
    fate = trace.fate
    if trace.places:
        return _of_place(next(place for place in trace.places if place.state == fate.value))
    if fate is Fate.UNKNOWN:
        return _("Not in the database. Whether it was refused or never arrived is unknown: {reason}").format(
            reason=_(_UNKNOWN[trace.trail])
        )
    noted, code = trace.refusals[-1] if trace.refusals else (None, "")
    source = noted.source if noted else ""
    return _(_VERDICTS[fate]).format(code=code, source=source, since=_clock(trace.since))


def lines(trace: Trace) -> list[Line]:
    """Return what the database has and each step, in the order of the times."""
    told = [Line(place.at, _("database"), _of_place(place)) for place in trace.places]
    told += [line for noted in trace.steps for line in _of_step(noted)]
    return sorted(told, key=lambda line: line.at or datetime.min.replace(tzinfo=UTC))


def table(trace: Trace) -> list[str]:
    """Return the verdict and the lines, ready to print."""
    told = lines(trace)
    width = max((len(line.source) for line in told), default=0)
    # A source may be a name that is not ours.
    return [
        escaped(verdict(trace)),
        *(escaped(f"{_clock(line.at)}  {line.source:<{width}}  {line.text}") for line in told),
    ]


def as_json(trace: Trace) -> dict[str, Any]:
    """Return the trace as JSON's values; `steps` have the fields of `roomlog_contract.trail`."""
    return {
        "uuid": trace.uuid,
        "fate": trace.fate,
        "verdict": verdict(trace),
        "trail": trace.trail,
        "since": _iso(trace.since),
        "places": [
            {
                "state": place.state,
                "row": place.row,
                "action": place.action,
                "user": place.user,
                "room": place.room and place.room.hex,
                "seq": place.seq,
                "at": _iso(place.at),
                "error": place.error,
            }
            for place in trace.places
        ],
        "steps": [
            {
                "at": _iso(one.at),
                "source": one.source,
                "step": type(one.step).__name__.lower(),
                **msgspec.to_builtins(msgspec.structs.asdict(one.step)),
            }
            for one in trace.steps
        ],
    }


def _clock(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] if at else ""


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds") if at else None


def _of_place(place: Place) -> str:
    room = place.room.hex if place.room else "-"
    return _(_PLACES[place.state]).format(room=room, seq=place.seq, error=place.error)


def _of_step(noted: Noted) -> Iterator[Line]:
    at, source, step = noted.at, noted.source, noted.step
    match step:
        case Queued():
            text = _("Received {action} of person {user} on connection {connection}; sent to shard {shard}.")
            yield Line(at, source, _filled(text, step))
        case Refused():
            text = _("Refused {action} of person {user} on connection {connection}: {code}.")
            yield Line(at, source, _filled(text, step))
        case Ended():
            yield Line(at, source, _filled(_(_ENDS[step.how]), step))
        case Written():
            text = _("Handed seq {seq} to the connections in the room: {connections}.")
            yield Line(at, source, _filled(text, step))
        case Decided():
            yield from _of_decision(noted, step)


def _of_decision(noted: Noted, step: Decided) -> Iterator[Line]:
    milliseconds, _dash, number = step.entry.partition("-")
    if milliseconds.isdecimal() and number:
        text = _("In the stream of shard {shard} as {entry}.")
        yield Line(_at(int(milliseconds)), "Redis", _filled(text, step))
    if not step.is_committed:
        yield Line(noted.at, noted.source, _filled(_("Refused: {result}."), step))
        return
    text = _("Committed at seq {seq}.") if step.result == "event" else _("Committed: {result} (seq {seq}).")
    yield Line(_at(step.committed_ms), noted.source, _filled(text, step))
    published = _("Published.") if step.is_published else _("Not published: Redis failed.")
    yield Line(noted.at, noted.source, published)


def _at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _filled(text: str, step: object) -> str:
    return text.format(**{name: getattr(step, name) for name in getattr(step, "__struct_fields__", ())})
