"""The services behind PgBouncer: they work where it keeps sessions apart, and refuse where it lends them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from roomlog_local import command
from roomlog_local.ports import LOOPBACK, free_port
from tests.harness.manage import manage, run, run_python
from tests.harness.pooler import running_pooler
from tests.harness.postgres import running_postgres
from tests.processes.configuration.install import SECONDS, running_services, say_hello
from tests.processes.configuration.servers import port_of, running_valkey

SENTENCE = (
    "leads to a pooler that lends sessions to others between transactions: set its pool_mode to session"
)


@pytest.fixture(scope="module")
def environ() -> Iterator[dict[str, str]]:
    """What all services share, on a migrated database without a pooler."""
    with running_postgres() as server:
        environ = {
            "ROOMLOG_SECRET_KEY": "k" * 50,
            "ROOMLOG_DATABASE_URL": server.url(server.create()),
            "ROOMLOG_REDIS_URL": f"redis://{LOOPBACK}:9/0",
        }
        manage(environ, "migrate", "--verbosity", "0", seconds=SECONDS)
        yield environ


async def test_an_install_works_behind_a_pooler_of_sessions(environ: dict[str, str], tmp_path: Path) -> None:
    """Rooms are made, and a message comes back."""
    with running_pooler(environ["ROOMLOG_DATABASE_URL"]) as pooled, running_valkey(tmp_path) as carrier:
        behind = {
            **environ,
            "ROOMLOG_DATABASE_URL": pooled,
            "ROOMLOG_REDIS_URL": f"redis://{LOOPBACK}:{port_of(carrier)}/0",
        }
        with running_services(lambda _: behind, tmp_path) as (url, _):
            await say_hello(url, behind)


@pytest.mark.parametrize("service", ["worker", "api"])
def test_a_pooler_that_lends_sessions_is_refused(environ: dict[str, str], service: str) -> None:
    """The process ends with a sentence that says what to do."""
    with running_pooler(environ["ROOMLOG_DATABASE_URL"], "transaction") as pooled:
        behind = {**environ, "ROOMLOG_DATABASE_URL": pooled}
        commands = {
            "worker": command.worker(0, behind, free_port()),
            "api": command.api(behind, free_port(), free_port()),
        }
        done = run(commands[service].arguments, commands[service].environ, SECONDS)
    assert done.returncode != 0
    assert SENTENCE in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_names_the_pooler(environ: dict[str, str]) -> None:
    """With the same words."""
    with running_pooler(environ["ROOMLOG_DATABASE_URL"], "transaction") as pooled:
        behind = {
            **environ,
            "ROOMLOG_DATABASE_URL": pooled,
            "DJANGO_SETTINGS_MODULE": "roomlog_api.settings",
        }
        done = run_python("-m", "roomlog_api", "doctor", environ=behind, seconds=SECONDS)
    assert "WRONG database pooler: lends sessions to others between transactions; set its" in done.stdout
