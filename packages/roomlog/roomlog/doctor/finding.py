"""What one look found: a fact, and what to do where it is wrong. It must hold no address and no secret."""

from dataclasses import dataclass

from roomlog_runtime.logs import escaped


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report."""

    what: str
    """What was looked at, in a word or two."""
    fact: str
    todo: str = ""
    """What to do; empty where all is well."""

    @property
    def is_wrong(self) -> bool:
        """Tell whether there is something to do."""
        return bool(self.todo)

    def __str__(self) -> str:
        verdict = "WRONG" if self.is_wrong else "ok"
        # A version or a name may come from a server that is not ours.
        return escaped(f"{verdict:<5} {self.what}: {self.fact}" + (f"; {self.todo}" if self.todo else ""))


def found(what: str, fact: str, is_good: bool, todo: str) -> Finding:
    """Return a finding whose `todo` counts only where it is not good."""
    return Finding(what, fact, "" if is_good else todo)
