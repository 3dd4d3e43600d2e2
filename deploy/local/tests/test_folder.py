"""The folder of one machine's run: private, held by one, and aware of its migrations."""

import stat
from pathlib import Path

import pytest

from roomlog_local import folder as folder_module
from roomlog_local.errors import AlreadyRunning
from roomlog_local.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder of a first run."""
    made = Folder(tmp_path / ".roomlog")
    made.make()
    return made


def mode_of(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_readable_by_their_owner_only(folder: Folder) -> None:
    """The secret key stays; one run at a time."""
    folder.write_demo({"users": []})
    assert mode_of(folder.path) == 0o700
    assert mode_of(folder.secret_key) == 0o600
    assert mode_of(folder.demo) == 0o600
    key = folder.secret_key.read_text()
    folder.make()
    assert folder.secret_key.read_text() == key
    assert len(key) >= 50
    with folder.hold(), pytest.raises(AlreadyRunning), Folder(folder.path).hold():
        pass
    with folder.hold():
        pass


def test_migrations_run_only_after_a_change(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost database or another migration means migrating again."""
    assert not folder.is_migrated()
    folder.mark_migrated()
    assert not folder.is_migrated()
    folder.database.touch()
    assert folder.is_migrated()
    monkeypatch.setattr(folder_module, "migrations_fingerprint", lambda: "another")
    assert not folder.is_migrated()


def test_the_fingerprint_follows_our_migrations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another file, or another content, is another fingerprint."""
    migration = tmp_path / "0001_first.py"
    seen = set()
    monkeypatch.setattr(folder_module, "own_migrations", lambda: [migration])
    for content in ("one", "two"):
        migration.write_text(content)
        seen.add(folder_module.migrations_fingerprint())
    assert len(seen) == 2


def test_our_migrations_are_found() -> None:
    """The fingerprint is of something: the app's first migration is among the files."""
    assert "0001_initial.py" in [path.name for path in folder_module.own_migrations()]
