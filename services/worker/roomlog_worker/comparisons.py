"""Answers the questions that many logins or rooms cost little by: what has changed of all this?

Inside `reader`. Each is one gateway's question about many logins or rooms, and one query.
"""

from collections.abc import Mapping

from roomlog.comparing import memberships_of, moved_heads
from roomlog.signed_in import SignedIn
from roomlog_contract.envelope import HeadsRead, Identify, LoginsCompared, ReadHeads
from roomlog_contract.fingerprint import fingerprint


def compare_logins(
    request: int, command: Identify, signed_in: Mapping[tuple[str, bool], SignedIn]
) -> LoginsCompared:
    """Say which logins are as they are known; `signed_in` as the reader found it, by secret and recheck."""
    logins = command.logins
    secrets = [login.token or login.ticket or "" for login in logins]
    found = {place: signed_in.get((secret, True)) for place, secret in enumerate(secrets)}
    people = {one.user.id for one in found.values() if one is not None}
    memberships = memberships_of(people, with_heads=command.has_heads)
    return LoginsCompared(
        request,
        {
            place: one.expires_in_ms
            for place, one in found.items()
            if one is not None
            and fingerprint(one.user, memberships.get(one.user.id, ())) == logins[place].fingerprint
        },
    )


def compare_heads(request: int, command: ReadHeads) -> HeadsRead:
    """Return the heads that are not those that are known."""
    moved = moved_heads(command.rooms, command.seqs, command.epoch)
    epoch = next((head.epoch for head in moved), "")
    return HeadsRead(request, epoch, {head.room: head.seq for head in moved})
