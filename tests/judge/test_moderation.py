"""Who was a member when, by the first members and the log."""

from tests.judge.history import Row
from tests.judge.moderation import (
    BAN_KIND,
    FOREVER,
    INVITATION_KIND,
    MUTE_KIND,
    NOBODY,
    ROLE_KIND,
    Membership,
    Moderation,
    end_of,
    memberships_of,
    moderation_of,
)

ROOM = "a" * 32


def row(seq: int, kind: str, member: int, role: str = "member") -> Row:
    """Return an event about somebody."""
    return Row(ROOM, seq, 1, f"u-{seq}", kind, "", moderation=Moderation(member, role))


def test_memberships_end_with_bans_and_begin_with_invitations() -> None:
    """A ban ends a membership and nothing of a stranger's; an invitation begins one with its own event."""
    rows = [
        row(1, ROLE_KIND, 2, "admin"),
        row(2, BAN_KIND, 2, "admin"),
        row(3, BAN_KIND, 9),
        row(4, INVITATION_KIND, 2, "reader"),
        row(5, "leave_room", 3),
    ]
    first = [Membership(ROOM, 1, role="owner"), Membership(ROOM, 2), Membership(ROOM, 3)]
    assert sorted(memberships_of(rows, first)) == [
        Membership(ROOM, 1, role="owner"),
        Membership(ROOM, 2, 0, 2),
        Membership(ROOM, 2, 3, role="reader"),
        Membership(ROOM, 3, 0, 5),
    ]


def test_ends_are_seconds_and_no_end_is_the_last_one() -> None:
    """What the database has in place of no end is read as that, by both databases' forms."""
    assert moderation_of(MUTE_KIND, 2, "member", None).until == FOREVER
    assert moderation_of(MUTE_KIND, 2, "member", 7).until == 7
    assert moderation_of(ROLE_KIND, 2, "admin", None).until == 0
    assert moderation_of("rename_room", None, None, None) == NOBODY
    assert end_of(None) == FOREVER
    assert end_of("9999-12-31 00:00:00") == FOREVER
    assert end_of("1970-01-01 00:00:07") == 7
