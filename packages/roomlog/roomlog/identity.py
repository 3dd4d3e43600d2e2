"""What tells this database from every copy of it: whatever stands inside is copied with it.

PostgreSQL: the cluster's own number and the database's. A promoted standby keeps both; a dump restored
elsewhere, a copy by template and another cluster differ. SQLite: the file, by device and inode.
"""

import os
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, cast

from django.db import connection

DIGEST_BYTES: Final = 8
_FACTS: Final = """
    SELECT oid, has_function_privilege('pg_control_system()', 'EXECUTE')
    FROM pg_database WHERE datname = current_database()
"""


def identity() -> str:
    """Return 16 hex digits that a copy does not have. Raises django.db errors."""
    facts = _of_postgresql() if connection.vendor == "postgresql" else _of_sqlite()
    return blake2b(repr(facts).encode(), digest_size=DIGEST_BYTES).hexdigest()


def _of_postgresql() -> tuple[Any, ...]:
    """Return number and cluster; the number alone where the role was denied what all roles may by default."""
    with connection.cursor() as cursor:
        cursor.execute(_FACTS)
        number, may_ask = cast(tuple[int, bool], cursor.fetchone())
        if not may_ask:
            return (number,)
        cursor.execute("SELECT system_identifier FROM pg_control_system()")
        return number, cast(tuple[int], cursor.fetchone())[0]


def _of_sqlite() -> tuple[Any, ...]:
    path = Path(connection.settings_dict["NAME"])
    if not path.exists():
        return (os.getpid(),)  # in memory: this process has it alone
    status = path.stat()
    return status.st_dev, status.st_ino
