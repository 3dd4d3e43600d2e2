"""Stores what members report: one row for each reporter and message, however often the command comes.

Beside the log: it takes no lease and no head's lock, and becomes no event.
"""

from django.utils import timezone

from roomlog_contract.commands import ReportMessage
from roomlog_contract.errors import NO_SUCH_MESSAGE, ErrorCode, RefusedCommand
from roomlog_contract.limits import REPORTS_PER_MINUTE

from .models import ChatMessage, MessageReport
from .rates import MINUTE, wait_ms
from .selectors import is_member


def store_report(command: ReportMessage, person: int) -> bool:
    """Store a report in the caller's transaction, or at once; return whether it is the person's first of it.

    A repeat leaves the first as it was, also after the message was deleted.

    Raises:
        RefusedCommand: a stranger's (`not_member`), of no message of the room or a deleted one (`not_found`),
            or one too many in a minute (`rate_limited`, with the wait).
    """
    if not is_member(command.room, person):
        raise RefusedCommand(ErrorCode.NOT_MEMBER)
    message = ChatMessage.objects.filter(pk=command.message, room=command.room).first()
    if message is None:
        raise RefusedCommand(ErrorCode.NOT_FOUND, NO_SUCH_MESSAGE)
    place = {"room_id": command.room, "target": message.seq, "user_id": person}
    if MessageReport.objects.filter(**place).exists():
        return False
    if message.deleted_at is not None:
        raise RefusedCommand(ErrorCode.NOT_FOUND, NO_SUCH_MESSAGE)
    wait = wait_ms(MessageReport.objects.filter(user=person), REPORTS_PER_MINUTE, MINUTE, timezone.now())
    if wait is not None:
        raise RefusedCommand(ErrorCode.RATE_LIMITED, retry_after_ms=wait)
    facts = {"author_id": message.user_id, "reason": command.reason, "comment": command.comment}
    _, is_new = MessageReport.objects.get_or_create(**place, defaults=facts)
    return is_new
