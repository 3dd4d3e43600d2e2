"""Two logins that take turns to be one owner, as docs/rotation.md makes them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest

from roomlog_local.ports import LOOPBACK
from tests.harness.manage import manage, run
from tests.harness.postgres import CONNECT_SECONDS, find_binaries, running_postgres
from tests.processes.configuration.install import SECONDS, running_services, say_hello
from tests.processes.configuration.servers import port_of, running_valkey

PAGE: Final = Path(__file__).parents[3] / "docs" / "rotation.md"
OWNER: Final = "chat"
"""Instead of the page's `roomlog`, which is the superuser of the tests' servers."""


def commands() -> tuple[str, str]:
    """Return the page's commands that make the second login, and the one that ends the first."""
    text = PAGE.read_text(encoding="utf-8").partition("## PostgreSQL of your own\n")[2].partition("\n## ")[0]
    made = re.search(r"^password=.*?^SQL$", text, re.DOTALL | re.MULTILINE)
    ended = re.search(r"^psql .*NOLOGIN\"", text, re.MULTILINE)
    assert made is not None
    assert ended is not None
    return made[0].replace("roomlog", OWNER), ended[0].replace("roomlog", OWNER)


def follow(commands: str, admin_url: str) -> str:
    """Run commands of the page as the database's superuser; return what they printed."""
    folder = find_binaries()
    assert folder is not None, "the server runs, so its programs are here"
    environ = {"ADMIN_URL": admin_url, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = run(("bash", "-euo", "pipefail", "-c", commands), environ, SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def environs(tmp_path: Path) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """A database of a plain owner: the superuser's address, and an install's settings with either login."""
    with running_postgres() as server, running_valkey(tmp_path) as carrier:
        name = server.create()
        admin = server.url(name)
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN")
            connection.execute(f"ALTER DATABASE {name} OWNER TO {OWNER}")
        old = {
            "ROOMLOG_SECRET_KEY": "k" * 50,
            "ROOMLOG_DATABASE_URL": re.sub("//[^@]*@", f"//{OWNER}@", admin),
            "ROOMLOG_REDIS_URL": f"redis://{LOOPBACK}:{port_of(carrier)}/0",
        }
        manage(old, "migrate", "--verbosity", "0", seconds=SECONDS)
        new = old["ROOMLOG_DATABASE_URL"].replace(f"//{OWNER}@", f"//{OWNER}_b@")
        yield admin, old, {**old, "ROOMLOG_DATABASE_URL": new}


async def test_the_second_login_is_the_same_owner(
    environs: tuple[str, dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    """Both log in until the first may not; services write as the second, and it may change the tables."""
    admin, old, new = environs
    make, end = commands()
    follow(make, admin)
    for login in (old, new):
        with psycopg.connect(login["ROOMLOG_DATABASE_URL"], connect_timeout=CONNECT_SECONDS) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (OWNER,)
    follow(end, admin)
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        psycopg.connect(old["ROOMLOG_DATABASE_URL"], connect_timeout=CONNECT_SECONDS)
    with running_services(lambda _: new, tmp_path) as (url, _):
        await say_hello(url, new)
    manage(new, "migrate", "sessions", "zero", "--verbosity", "0", seconds=SECONDS)
    manage(new, "migrate", "--verbosity", "0", seconds=SECONDS)
