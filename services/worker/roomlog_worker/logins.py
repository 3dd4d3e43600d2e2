"""Asks the project's own authenticators about tokens.

Beside the lane that answers logins. An entry stays in the stream until there are verdicts on all its tokens.
One whose authenticator is late or fails gets no answer: nobody is called a stranger for it, and the gateway
asks again until its own deadline, for each login alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from roomlog.authenticators import Authenticator, signed_in
from roomlog.signed_in import SignedIn
from roomlog_contract.envelope import Identify

from .entries import Entry
from .questions import Questions, State


class Logins:
    """Verdicts on tokens, by the entry that asks; used by one thread."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        self._authenticators = list(authenticators)
        self._questions = Questions[tuple[str, ...], dict[str, SignedIn]]("authenticator", self._ask)

    def sift(self, entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
        """Return the entries that can be answered now, and those that never will be: late, failed, too many.

        All others wait for their verdict and come again.
        """
        if not self._authenticators:
            return list(entries), []
        self._questions.forget_gone()
        ready: list[Entry] = []
        dropped: list[Entry] = []
        for entry in entries:
            tokens = _tokens_of(entry)
            state = self._questions.look(entry.key, tokens) if tokens else State.ANSWERED
            if state is not State.OPEN:
                (ready if state is State.ANSWERED else dropped).append(entry)
        return ready, dropped

    def forget(self, entries: Collection[Entry]) -> None:
        """Take these entries for answered."""
        self._questions.forget([entry.key for entry in entries])

    def verdicts(self, entries: Collection[Entry]) -> Mapping[str, SignedIn] | None:
        """Return whose tokens these entries hold, without strangers'; None where DRF's table is asked."""
        return dict(self._verdicts(entries)) if self._authenticators else None

    def wait(self) -> None:
        """Wait a moment for the next verdict, if any is under way."""
        self._questions.wait()

    def close(self) -> None:
        """End the threads, which give their connections back. Again is harmless."""
        self._questions.close()

    def _verdicts(self, entries: Collection[Entry]) -> Iterator[tuple[str, SignedIn]]:
        for entry in entries:
            yield from (self._questions.answer(entry.key) or {}).items()

    def _ask(self, tokens: tuple[str, ...]) -> dict[str, SignedIn]:
        """Ask for the tokens of one entry in turn; a stranger's is left out."""
        found = ((token, signed_in(token, self._authenticators)) for token in tokens)
        return {token: one for token, one in found if one is not None}


def _tokens_of(entry: Entry) -> tuple[str, ...]:
    """Return the token that an entry asks about, or the tokens of many logins."""
    command = entry.envelope.command
    if not isinstance(command, Identify):
        return ()
    tokens = [command.token, *(login.token for login in command.logins)]
    return tuple(token for token in tokens if token)
