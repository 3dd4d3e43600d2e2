"""Faults that heal by themselves once their cause is gone: what is broken, and how it is mended, one by one.

Beside the message's way. Each is a mishap that leaves everything mended, and that then waits until messages
are stored again. None may cost an entry: whatever the cause was, it was no entry's fault.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.faults.mishaps import Scene
from tests.faults.stack import Stack

BROKEN_SECONDS: Final = 3.0
"""Long enough for five tries of anything, however slow they are."""
_NAME: Final = "ALTER TABLE auth_user ALTER username TYPE"
HEALED_SUCCESSES: Final = 30
"""Answers after the mending that show service."""


@dataclass
class Healing:
    """One fault of the table below, and how long service took to come back in each of its runs."""

    what: str
    break_: Callable[[Stack], None]
    mend: Callable[[Stack], None]
    seconds: list[float] = field(default_factory=list)

    async def __call__(self, scene: Scene) -> None:
        """Break, wait, mend, and wait for service. Raises AssertionError where an entry was given up."""
        stack = scene.topology.stack
        async with scene.load.fault(self.what, "database"):
            await asyncio.to_thread(self.break_, stack)
            try:
                await asyncio.sleep(BROKEN_SECONDS)
            finally:
                await asyncio.to_thread(self.mend, stack)
        mended_at = time.monotonic()
        await scene.load.succeed(HEALED_SUCCESSES)
        self.seconds.append(time.monotonic() - mended_at)
        ((letters,),) = await asyncio.to_thread(stack.sql, "SELECT count(*) FROM roomlog_store_deadletter")
        assert letters == 0, f"{letters} dead letters"


def healings() -> Sequence[Healing]:
    """Return the faults that must heal. A further one is one line here."""
    return (
        Healing("column widened", _all(f"{_NAME} varchar(151)"), _all(f"{_NAME} varchar(150)")),
        Healing(
            "table away",
            _all("ALTER TABLE roomlog_store_membership RENAME TO elsewhere"),
            _all("ALTER TABLE elsewhere RENAME TO roomlog_store_membership"),
        ),
        Healing(
            "constraint that all break",
            _all("ALTER TABLE roomlog_store_roomevent ADD CONSTRAINT half CHECK (seq < 0) NOT VALID"),
            _all("ALTER TABLE roomlog_store_roomevent DROP CONSTRAINT half"),
        ),
        Healing("database read-only", _read_only("on"), _read_only("off")),
    )


def _all(*statements: str) -> Callable[[Stack], None]:
    def execute(stack: Stack) -> None:
        for statement in statements:
            stack.sql(statement)

    return execute


def _read_only(setting: str) -> Callable[[Stack], None]:
    """Sessions keep what they began with, so all others are ended."""

    def execute(stack: Stack) -> None:
        ((name,),) = stack.sql("SELECT current_database()")
        # In a transaction that may write, whatever the setting is now.
        change = f'ALTER DATABASE "{name}" SET default_transaction_read_only = {setting}'
        stack.sql(f"SET TRANSACTION READ WRITE; {change}")
        stack.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    return execute
