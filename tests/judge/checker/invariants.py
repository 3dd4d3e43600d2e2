"""I1 to I40 by number, and the one function that asks them all."""

from typing import Final

from tests.judge.history import History

from . import (
    attendance,
    blocks,
    changes,
    content,
    deliveries,
    doors,
    leavers,
    log,
    marks,
    mentions,
    moderation,
    order,
    pages,
    pins,
    reactions,
    readers,
    receipts,
    reports,
    retention,
    system,
    topics,
    typists,
)
from .anomaly import Anomaly, Invariant

INVARIANTS: Final[dict[str, Invariant]] = {
    "I1": log.success_is_stored,
    "I2": log.stored_once,
    "I3": log.log_is_gapless,
    "I4": log.answers_agree,
    "I5": log.stored_was_sent,
    "I6": order.real_time_order,
    "I7": order.connection_order,
    "I8": readers.reading_is_contiguous,
    "I9": readers.head_is_reached,
    "I10": log.error_is_not_stored,
    "I11": readers.receivers_are_members,
    "I12": system.queues_are_bounded,
    "I13": system.shards_are_owned,
    "I14": readers.reset_is_allowed,
    "I15": leavers.erased_is_gone,
    "I16": leavers.deleted_have_left,
    "I17": content.content_is_as_accepted,
    "I18": marks.marks_hold,
    "I19": changes.present_state_agrees,
    "I20": changes.changes_are_allowed,
    "I21": changes.deleted_is_gone,
    "I22": reactions.reactions_agree,
    "I23": reactions.reactors_are_allowed,
    "I24": moderation.moderators_are_allowed,
    "I25": moderation.silenced_are_silent,
    "I26": moderation.standings_agree,
    "I27": pins.pins_agree,
    "I28": pins.pinners_are_allowed,
    "I29": typists.typists_are_others,
    "I30": mentions.mentions_agree,
    "I31": retention.retention_holds,
    "I32": topics.topics_agree,
    "I33": attendance.watchers_see_who_is_there,
    "I34": doors.joiners_are_admitted,
    "I35": blocks.blocks_hold,
    "I36": mentions.room_mentions_agree,
    "I37": receipts.receipts_hold,
    "I38": deliveries.webhooks_are_told,
    "I39": pages.pages_are_fresh,
    "I40": reports.reports_hold,
}
"""Every invariant of the guarantees, in their order."""


def check(history: History) -> list[Anomaly]:
    """Return what contradicts the guarantees, in the order of the invariants; empty is good."""
    return [anomaly for invariant in INVARIANTS.values() for anomaly in invariant(history)]
