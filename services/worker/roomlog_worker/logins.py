"""Asks the project's own authenticators about tokens.

Beside the lane that answers logins. An entry stays in the stream until there is a verdict. One whose
authenticator is late or fails gets no answer: nobody is called a stranger for it, and the gateway asks again
until its own deadline.
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
        self._questions = Questions[str, SignedIn | None](
            "authenticator", lambda token: signed_in(token, self._authenticators)
        )

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
            token = _token_of(entry)
            state = State.ANSWERED if token is None else self._questions.look(entry.key, token)
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
            token = _token_of(entry)
            if token is not None and (user := self._questions.answer(entry.key)) is not None:
                yield token, user


def _token_of(entry: Entry) -> str | None:
    command = entry.envelope.command
    return command.token if isinstance(command, Identify) else None
