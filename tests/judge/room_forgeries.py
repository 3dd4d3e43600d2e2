"""The rooms of a good history that show one thing each, and all the ways to spoil them.

Beside `forgeries.py`, which has the rooms where people only talk, and runs these too.
"""

from typing import Final

from tests.judge.history import History

from .block_forgeries import BLOCK_FORGERIES, with_blocks
from .change_forgeries import CHANGE_FORGERIES, CHANGES, with_changes
from .content_forgeries import CONTENT_FORGERIES, with_archived_room
from .delivery_forgeries import DELIVERY_FORGERIES, HOOKED, with_deliveries
from .joining_forgeries import JOINING_FORGERIES, JOININGS, with_joining
from .mark_forgeries import MARK_FORGERIES
from .mention_forgeries import MENTION_FORGERIES, with_mentions
from .moderation_forgeries import MODERATION_FORGERIES, MODERATIONS, with_moderation
from .page_forgeries import LOOKED, PAGE_FORGERIES, with_pages
from .pin_forgeries import PIN_FORGERIES, PINNED, with_pins
from .reaction_forgeries import REACTION_FORGERIES, REACTIONS, with_reactions
from .receipt_forgeries import RECEIPT_FORGERIES, SHOWN, with_receipts
from .report_forgeries import REPORT_FORGERIES, with_reports
from .retention_forgeries import RETENTION_FORGERIES, with_retention
from .spoiling import Forgery
from .topic_forgeries import NAMES, TOPIC_FORGERIES, TOPICS, with_topics

EVENTS: Final = (
    CHANGES + REACTIONS + MODERATIONS + PINNED + len(TOPICS + NAMES) + JOININGS + SHOWN + HOOKED + LOOKED
)
"""Of the rooms in which all was sent by clients."""


def with_rooms(history: History, author: int, deleted: int) -> History:
    """Return it with a room for each kind of thing that happens in rooms."""
    archived = with_archived_room(history, author, deleted)
    changed = with_reports(with_blocks(with_mentions(with_changes(archived, author))))
    others = with_topics(with_pins(with_moderation(with_reactions(changed))))
    looked = with_pages(with_retention(with_receipts(with_joining(others))))
    return with_deliveries(looked)


ROOM_FORGERIES: Final[list[Forgery]] = [
    *CONTENT_FORGERIES,
    *MARK_FORGERIES,
    *CHANGE_FORGERIES,
    *MENTION_FORGERIES,
    *REACTION_FORGERIES,
    *MODERATION_FORGERIES,
    *PIN_FORGERIES,
    *RETENTION_FORGERIES,
    *TOPIC_FORGERIES,
    *DELIVERY_FORGERIES,
    *JOINING_FORGERIES,
    *BLOCK_FORGERIES,
    *RECEIPT_FORGERIES,
    *REPORT_FORGERIES,
    *PAGE_FORGERIES,
]
"""Each with the one invariant that must flag it."""
