"""REST keeps to its own description, whoever asks and whatever they send: no 5xx and no breach.

The seed is printed with what went wrong; ROOMLOG_REST_SEED takes another one. SIZE=full runs all phases.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.abuse.fuzz.rest import fuzz_rest
from tests.harness.stack import Stack, build_stack
from tests.harness.stack_databases import Databases

SIZE: Final = "full" if os.environ.get("SIZE") == "full" else "small"
SEED: Final = int(os.environ.get("ROOMLOG_REST_SEED", "1"))
MIN_CASES: Final = 90
"""Three of each operation; a stranger's are fewer, because 401 ends them."""
pytestmark = pytest.mark.parametrize(
    "databases", ["postgres"] if SIZE == "small" else ["sqlite", "postgres"], indirect=True
)


@pytest.fixture(scope="module")
def stack(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A worker and an api without a pace."""
    stack = build_stack(tmp_path_factory.mktemp("rest") / "stack", databases, gateways=0)
    stack.add_api(DJANGO_SETTINGS_MODULE="tests.abuse.fuzz.unpaced")
    try:
        stack.start()
        yield stack
    finally:
        assert stack.close() == []


@pytest.mark.parametrize("who", ["a stranger", "a user", "staff"])
def test_rest_keeps_to_its_description(stack: Stack, tmp_path: Path, who: str) -> None:
    """Strangers, users in a room of theirs, and users who may use the admin."""
    user, member, other = stack.make_users(3)
    (room,) = stack.make_rooms([[user, member]])
    if who == "staff":
        stack.sql("UPDATE auth_user SET is_staff = %s WHERE username = %s", True, user.name)
    told = fuzz_rest(
        stack,
        tmp_path / "told",
        seed=SEED,
        size=SIZE,
        token="" if who == "a stranger" else user.token,
        known={"room": [room.id], "user": [member.id, other.id], "message": list(range(1, 9))},
    )
    print(told.report)
    assert told.is_clean, told.report
    assert told.cases > MIN_CASES, told.report
    stack.assert_no_traceback()
