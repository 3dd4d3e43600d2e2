"""A pooler that lends sessions away is told from one that keeps them, and from none."""

import pytest
from django.db import connection

from roomlog.pooling import lends_sessions, refuse_lent_sessions
from roomlog_runtime.settings import SettingError
from tests.harness.databases import default_database
from tests.harness.pooler import running_pooler


@pytest.mark.parametrize(
    ("mode", "is_lent"), [("session", False), ("transaction", True), ("statement", True)]
)
def test_a_pooler_s_mode_is_seen(postgres: str, mode: str, is_lent: bool) -> None:
    """No client may ask it; what it does with sessions shows it."""
    with running_pooler(postgres, mode) as pooled, default_database(pooled):
        assert lends_sessions() == is_lent


def test_no_pooler_lends_nothing(database: str) -> None:
    """And costs no second connection."""
    connection.ensure_connection()
    assert not lends_sessions()


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([7, 8, 7, 7], id="both have the same"),
        pytest.param([7, 8, 7, 9], id="the first one's changes"),
        pytest.param([7, 8, 7, 7, 9, 7, 7], id="the second one's changes"),
        pytest.param([7, 8, 7, 8], id="the pool takes turns"),
    ],
)
def test_a_busy_pool_is_seen(monkeypatch: pytest.MonkeyPatch, postgres: str, answers: list[int]) -> None:
    """Other clients get sessions in between, so that two questions may meet any."""
    left = iter(answers)
    monkeypatch.setattr("roomlog.pooling._session", lambda _: next(left, 8))
    with pytest.raises(SettingError, match="ROOMLOG_DATABASE_URL leads to a pooler"):
        refuse_lent_sessions()
