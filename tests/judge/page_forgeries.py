"""Pages of history in the good history, and the ways to spoil them: each forgery breaks I39 alone."""

from typing import Any, Final

from tests.judge.history import MESSAGE_KIND, History, Row
from tests.judge.moderation import Membership
from tests.judge.pages import Glimpse, PageSeen

from .spoiling import Table, entry, forgeries, spoils, write

ROOM: Final = "4" * 32
BEGAN_AT: Final = 800.0
"""After everything else of the history."""
OWNER, READER = 1, 4
LOOKED: Final = 5
"""Messages of the room."""
ALL: Final = (Glimpse(1), Glimpse(2, True), Glimpse(3, edited_at=1000), Glimpse(4, reacted_seq=5), Glimpse(5))
"""As they are shown: the second is deleted, the third edited, the fourth has a reaction."""
NEWEST, OLDER, NEWER = range(3)
"""The pages, in their order."""


def with_pages(history: History) -> History:
    """Return it with one more room, whose reader knows all of it and looks back three times."""
    rows = [Row(ROOM, seq, OWNER, f"4-{seq}", MESSAGE_KIND, f"tea {seq}") for seq in range(1, LOOKED + 1)]
    write(history, rows, BEGAN_AT, READER)
    history.memberships[-1:-1] = [Membership(ROOM, OWNER, role="owner"), Membership(ROOM, READER)]
    known = history.epochs[-1].epoch, LOOKED
    newest = PageSeen("reader-4", READER, ROOM, BEGAN_AT + 7, BEGAN_AT + 8, *known, LOOKED, ALL)
    older = newest._replace(messages=ALL[1:3], before=4, has_more=True)
    history.pages = [newest, older, newest._replace(messages=ALL[:2], after=0, has_more=True)]
    return history


@spoils
def _asked_again(history: History, /, place: int, **facts: Any) -> None:
    """Have the reader shown a page once more, when it knows the first."""
    at = BEGAN_AT + 9
    history.pages.append(history.pages[place]._replace(asked_at=at, at=at + 1, **facts))


def _with(seq: int, **facts: Any) -> tuple[Glimpse, ...]:
    return tuple(one._replace(**facts) if one.seq == seq else one for one in ALL)


_WAYS: Final[Table] = {
    "I39": {
        "A page is as of a seq below one that its asker had received": _asked_again(
            NEWEST, head=LOOKED - 1, messages=ALL[:-1]
        ),
        "A page lacks a message in its middle": entry("pages", NEWEST, messages=(*ALL[:2], *ALL[3:])),
        "A page without a place lacks the newest message": entry("pages", NEWEST, messages=ALL[:-1]),
        "A page that is said to be the last lacks the oldest message": entry(
            "pages", NEWEST, messages=ALL[1:]
        ),
        "A page of what was before lacks the message next to its place": entry(
            "pages", OLDER, messages=ALL[1:2]
        ),
        "A page of what came after lacks the message next to its place": entry(
            "pages", NEWER, messages=ALL[1:2]
        ),
        "A page has nothing, and the room has messages": entry("pages", NEWEST, messages=()),
        "A message is shown that its asker had seen to be deleted": _asked_again(
            NEWEST, messages=_with(2, is_deleted=False)
        ),
        "A message is shown without an edit that its asker had seen": _asked_again(
            NEWEST, messages=_with(3, edited_at=0)
        ),
        "A message is shown without a reaction that its asker had seen": _asked_again(
            NEWEST, messages=_with(4, reacted_seq=0)
        ),
    },
}
PAGE_FORGERIES: Final = forgeries(_WAYS)
