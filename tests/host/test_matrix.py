"""Roomlog in projects of every user model, on each database: migrated, checked, used, and left.

By default each model meets one database and each database several models, with the pinned Django. SIZE=full
takes all pairs, and each of them with the newest Django too.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.harness.postgres import PostgresServer, running_postgres
from tests.host.newest import ROOT, make_environment
from tests.host.project import PYTHON, Project
from tests.host.user_models import ADMIN, MODELS

TRIAL_SECONDS: Final = 300.0
SOME: Final = [
    ("django", "sqlite"),
    ("derived", "postgres"),
    ("email", "sqlite"),
    ("uuid", "postgres"),
    ("text", "postgres"),
]
ALL: Final = [(model, database) for model in MODELS for database in ("sqlite", "postgres")]
IS_FULL: Final = os.environ.get("SIZE") == "full"
PAIRS: Final = ALL if IS_FULL else SOME


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of the tests' own."""
    with running_postgres(durable=False) as running:
        yield running


def database_lines(name: str, request: pytest.FixtureRequest) -> list[str]:
    """Return the settings of a fresh database, as a project writes them."""
    if name == "sqlite":
        return []  # a new project's own
    server: PostgresServer = request.getfixturevalue("server")
    return [
        "from urllib.parse import urlsplit",
        f"_at = urlsplit({server.url(server.create())!r})",
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': _at.path[1:],",
        "    'USER': _at.username, 'PASSWORD': _at.password, 'HOST': _at.hostname, 'PORT': _at.port}}",
    ]


@pytest.fixture(scope="module", params=["pinned", "newest"] if IS_FULL else ["pinned"])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with this Django."""
    return PYTHON if request.param == "pinned" else make_environment(tmp_path_factory.mktemp("newest"))


@pytest.mark.parametrize(("model", "database"), PAIRS)
def test_a_project_of_this_user_model(
    model: str, database: str, python: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Users sign in, code posts in transactions, the admin opens, accounts are deleted."""
    project = Project(tmp_path / "project", python)
    project.set('INSTALLED_APPS += ["rest_framework.authtoken"]')
    if source := MODELS[model]:
        project.write("accounts/__init__.py", "")
        project.write("accounts/models.py", source)
        project.write("accounts/admin.py", ADMIN)
        project.set('INSTALLED_APPS += ["accounts"]', 'AUTH_USER_MODEL = "accounts.Account"')
    project.add_roomlog()
    project.set('ROOMLOG = {"FIND_PEOPLE": "all"}', 'ALLOWED_HOSTS = ["testserver"]')
    project.set(*database_lines(database, request))
    if source:
        project.manage("makemigrations", "accounts")
    project.manage("migrate", "--verbosity", "0")
    assert "no issues" in project.manage("check")
    assert "No changes" in project.manage("makemigrations", "--check", "--dry-run")
    path = os.pathsep.join([str(project.folder), str(ROOT)])
    done = subprocess.run(
        [python, "-m", "tests.host.trial"],
        env={**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "shop.settings"},
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TRIAL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_migrating_the_users_back_and_forth(tmp_path: Path) -> None:
    """Past an older table of users, whose people are made once it has all columns again."""
    project = Project(tmp_path / "project")
    project.write("accounts/__init__.py", "")
    project.write("accounts/models.py", MODELS["derived"])
    project.set('INSTALLED_APPS += ["accounts"]', 'AUTH_USER_MODEL = "accounts.Account"')
    project.add_roomlog()
    project.manage("makemigrations", "accounts")
    project.write("accounts/models.py", MODELS["derived"] + '    nickname = models.TextField(default="")\n')
    project.manage("makemigrations", "accounts")
    project.manage("migrate")
    project.shell("from accounts.models import Account; Account.objects.bulk_create([Account(username='a')])")
    project.manage("migrate", "accounts", "0001")
    count_people = "from roomlog.models import Person; print('people:', Person.objects.count())"
    assert "people: 0" in project.shell(count_people)
    project.manage("migrate")
    assert "people: 1" in project.shell(count_people)
