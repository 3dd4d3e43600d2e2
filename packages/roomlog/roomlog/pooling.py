"""Whether a pooler lends PostgreSQL's sessions to others between our transactions.

Time-outs and prepared statements belong to a session: lent away, ours are lost and others suffer them.
PgBouncer does so with `pool_mode` transaction or statement, and no client may ask it for its mode.
"""

from typing import Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from roomlog_runtime.settings import SettingError

from .database_address import VARIABLE

TODO: Final = "set its pool_mode to session, or connect to PostgreSQL directly"
ROUNDS: Final = 4
"""A pool in use may give the same sessions again by chance; an idle one is seen through in the first."""


def refuse_lent_sessions() -> None:
    """Look at the present connection, connecting where there is none.

    Raises:
        SettingError: its sessions are lent to others.
        django.db errors: the database is away.
    """
    if lends_sessions():
        problem = f"leads to a pooler that lends sessions to others between transactions: {TODO}"
        raise SettingError(VARIABLE, problem)


def lends_sessions() -> bool:
    """Return whether statements of one connection meet several sessions, or those of another connection."""
    if connection.vendor != "postgresql":
        return False
    mine = {_session(connection)}
    # A pooler tells its clients numbers of its own; PostgreSQL tells the session's.
    if {connection.connection.info.backend_pid} == mine:
        return False
    other: BaseDatabaseWrapper = connection.copy()
    theirs: set[int] = set()
    try:
        for _ in range(ROUNDS):
            theirs.add(_session(other))
            # Twice: a pool that takes turns would give two clients one session each.
            mine |= {_session(connection), _session(connection)}
    finally:
        other.close()
    return len(mine) > 1 or len(theirs) > 1 or not mine.isdisjoint(theirs)


def _session(asked: BaseDatabaseWrapper) -> int:
    with asked.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])
