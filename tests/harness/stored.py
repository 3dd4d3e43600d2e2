"""What an install's database holds, in the words of the checker: questions in plain SQL, and their answers.

Beside the message's way. The same for processes on this machine, for a cluster and for a simulation, on both
databases. It reads tables alone, so it does not matter which release runs there.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from tests.judge.history import Row
from tests.judge.joining import Admission, Doors, Invitation
from tests.judge.mentions import EVERYBODY, mentioned_by_message, mentions_in
from tests.judge.moderation import Ban, Member, Tables, end_of, moderation_of
from tests.judge.reactions import by_message
from tests.judge.receipts import shown_marks
from tests.judge.reports import Report
from tests.judge.values import claimed, claims_by_message, content_of, milliseconds_of

Answers = Mapping[str, Sequence[Sequence[Any]]]
"""The rows of each question, by its name."""

LOG: Final = {
    "events": """
        SELECT room_id, date_created, deleted_at IS NOT NULL,
        data ->> 'member', data ->> 'role', data ->> 'until', coalesce(pinned_seq, 0),
        data ->> 'mentions', data ->> 'mentions_room', data ->> 'attachments',
        seq, user_id, uuid, kind, CASE kind WHEN 'set_topic' THEN data ->> 'topic'
        WHEN 'rename_room' THEN data ->> 'name'
        WHEN 'set_discoverable' THEN CASE CAST(data ->> 'discoverable' AS text)
        WHEN 'true' THEN 'open' WHEN '1' THEN 'open' ELSE 'closed' END ELSE text END, '',
        coalesce(target, 0), coalesce(edited_seq, 0), FALSE, body_hash, 0,
        CASE WHEN kind IN ('add_reaction', 'remove_reaction') THEN data ->> 'emoji' ELSE '' END,
        coalesce(reacted_seq, 0)
        FROM roomlog_roomevent
    """,
    "reactions": "SELECT room_id, target, user_id, emoji, seq FROM roomlog_reaction",
    "mentioned": f"""
        SELECT room_id, target, user_id FROM roomlog_mention
        UNION ALL SELECT room_id, target, {EVERYBODY} FROM roomlog_roommention
    """,
    "claims": "SELECT room_id, seq, id FROM roomlog_attachment WHERE seq IS NOT NULL AND dropped_at IS NULL",
}
TABLES: Final = {
    "members": "SELECT room_id, user_id, role, muted_until FROM roomlog_membership",
    "bans": "SELECT room_id, user_id, until, seq FROM roomlog_ban",
    "rooms": "SELECT id, topic, name FROM roomlog_chatroom",
    "discoverable": "SELECT id FROM roomlog_chatroom WHERE is_discoverable ORDER BY id",
    "invitations": (
        "SELECT room_id, id, role, until, coalesce(most_uses, 0), uses, revoked_at"
        " FROM roomlog_invitation ORDER BY id"
    ),
    "admissions": (
        "SELECT room_id, seq, data ->> 'invitation' FROM roomlog_roomevent"
        " WHERE kind = 'join_room' AND data ->> 'invitation' IS NOT NULL"
    ),
    "blocks": "SELECT blocker_id, blocked_id FROM roomlog_block ORDER BY 1, 2",
    "reports": "SELECT room_id, target, user_id FROM roomlog_messagereport",
    "marks": (
        "SELECT member.room_id, member.user_id, member.read_seq FROM roomlog_membership AS member"
        " JOIN roomlog_chatroom AS room ON room.id = member.room_id WHERE room.receipts"
    ),
}


def rows_in(answers: Answers) -> list[Row]:
    """Return every row of the log, of the answers to LOG."""
    reactions = by_message((_hex(room), *facts) for room, *facts in answers["reactions"])
    mentioned = mentioned_by_message((_hex(room), seq, user) for room, seq, user in answers["mentioned"])
    claims = claims_by_message((_hex(room), seq, _hex(file)) for room, seq, file in answers["claims"])
    return [
        row._replace(
            reactions=reactions.get((row.room, row.seq), ()),
            mentioned=mentioned.get((row.room, row.seq), ()),
            data=content_of("", claimed(row.data.split(), claims.get((row.room, row.seq), ()))),
        )
        for row in (_row(*facts) for facts in answers["events"])
    ]


def tables_in(answers: Answers) -> Tables:
    """Return what there is besides the log, of rooms and of their people, of the answers to TABLES."""
    return Tables(
        [
            Member(_hex(room), user, role, 0 if until is None else end_of(until))
            for room, user, role, until in answers["members"]
        ],
        [Ban(_hex(room), user, end_of(until), seq) for room, user, until, seq in answers["bans"]],
        {_hex(room): topic for room, topic, _ in answers["rooms"]},
        {_hex(room): name for room, _, name in answers["rooms"]},
        Doors(
            [_hex(room) for (room,) in answers["discoverable"]],
            [_invitation(*facts) for facts in answers["invitations"]],
            [Admission(_hex(room), seq, invitation) for room, seq, invitation in answers["admissions"]],
        ),
        [(blocker, blocked) for blocker, blocked in answers["blocks"]],
        shown_marks((_hex(room), user, seq) for room, user, seq in answers["marks"]),
        [Report(_hex(room), seq, user) for room, seq, user in answers["reports"]],
    )


def _row(room: object, at: Any, is_deleted: object, member: Any, role: Any, until: Any, *rest: Any) -> Row:
    pinned_seq, mentions, for_all, files, *facts = rest
    row = Row(_hex(room), *facts)
    whom = (None if one is None else int(one) for one in (member, until))
    return row._replace(
        is_deleted=bool(is_deleted),
        at_ms=milliseconds_of(at),
        moderation=moderation_of(row.kind, next(whom), role, next(whom)),
        pinned_seq=pinned_seq,
        mentions=mentions_in({"mentions": json.loads(mentions or "[]"), "mentions_room": for_all}),
        data=content_of("", (file for file, *_ in json.loads(files or "[]"))),
    )


def _invitation(room: object, name: object, role: str, until: Any, *facts: Any) -> Invitation:
    most_uses, uses, end = facts
    revoked_ms = milliseconds_of(end) if end else 0
    return Invitation(_hex(name), _hex(room), role, milliseconds_of(until), most_uses, uses, revoked_ms)


def _hex(stored: object) -> str:
    return UUID(str(stored)).hex
