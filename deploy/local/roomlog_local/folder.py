"""The folder of one machine's run, `.roomlog`: database, logs, secret key, and what scripts may read.

Before the processes start. One run at a time holds it. It must not be readable by others: it has a secret
key, tokens and passwords.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from roomlog_local.errors import AlreadyRunning

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
SECRET_KEY_BYTES = 48
MIGRATED_PACKAGES = ("django", "djangorestframework")
"""Bring migrations of their own: another version may mean other tables."""
OWN_PACKAGES = ("roomlog",)


class Folder:
    """The paths of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self.database = self.path / "roomlog.sqlite3"
        self.secret_key = self.path / "secret_key"
        self.demo = self.path / "demo.json"
        self._migrated = self.path / "migrated"

    def make(self) -> None:
        """Make the folder and the secret key; both stay from run to run, so sessions stay valid."""
        self.logs.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        self.path.chmod(PRIVATE_FOLDER)
        if not self.secret_key.exists():
            write_private(self.secret_key, secrets.token_urlsafe(SECRET_KEY_BYTES))

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other runs out; the system lets go of it when the process ends, however it ends.

        Raises:
            AlreadyRunning: when another run holds it.
        """
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise AlreadyRunning(f"Another run uses {self.path}; stop it first.") from error
            yield

    def is_migrated(self) -> bool:
        """Says whether the SQLite file was migrated with exactly the migrations of now."""
        marked = self._migrated.read_text() if self._migrated.exists() else ""
        return self.database.exists() and marked == migrations_fingerprint()

    def mark_migrated(self) -> None:
        """Note that the SQLite file has the migrations of now."""
        write_private(self._migrated, migrations_fingerprint())

    def write_demo(self, facts: dict[str, Any]) -> None:
        """Write the addresses, users and rooms for scripts, all at once."""
        write_private(self.demo, json.dumps(facts, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; nobody else may read it, at no moment."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


def migrations_fingerprint() -> str:
    """Return a digest of all migrations, without starting Django, which takes a second."""
    digest = hashlib.sha256()
    for package in MIGRATED_PACKAGES:
        digest.update(f"{package} {metadata.version(package)}\n".encode())
    for path in own_migrations():
        digest.update(path.name.encode() + b"\n" + path.read_bytes())
    return digest.hexdigest()


def own_migrations() -> list[Path]:
    """Return the files of our migrations, in a fixed order."""
    specs = (importlib.util.find_spec(package) for package in OWN_PACKAGES)
    folders = [folder for spec in specs if spec for folder in spec.submodule_search_locations or []]
    return sorted(path for folder in folders for path in Path(folder).glob("migrations/*.py"))
