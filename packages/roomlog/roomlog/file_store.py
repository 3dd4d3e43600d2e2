"""Where the bytes of attachments are: Django's storage of the name `roomlog`, or the project's default one.

Slow, and beside every transaction: nobody who holds a lock of the log may call it. Its failures, which each
storage names as it likes, become StoreUnavailable.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages

from .configuration import configuration
from .file_settings import ALIAS, SIGNED_SECONDS

FOLDER: Final = "roomlog"
"""Before every name: a storage of the project's own has other files too."""


class StoreUnavailable(Exception):
    """The storage failed, as its cause says; what was to be stored may be there or not."""


def store() -> Storage | None:
    """Return the storage; None: the project has none, so nobody can upload.

    Django's own default, a folder without a path, would be wherever the process was started.
    """
    if ALIAS in settings.STORAGES:
        return storages[ALIAS]
    default = storages["default"]
    is_nowhere = type(default) is FileSystemStorage and not default.base_location
    return None if is_nowhere else default


def upload_limit() -> int:
    """Return the bytes of the largest file that people upload; 0: nobody can."""
    return configuration().attachment_bytes if store() else 0


def new_name() -> str:
    """Return a name that nobody can guess, and that does not say what it is: no server gives it a type."""
    name = uuid4().hex
    return f"{FOLDER}/{name[:2]}/{name}"


def put(name: str, content: "File[bytes]") -> None:
    """Store bytes under this name, in the place of what may be there.

    Raises:
        StoreUnavailable: try again with the same name.
    """
    with _failures() as storage:
        storage.delete(name)
        if storage.save(name, content) != name:
            raise RuntimeError("the storage changed the name")


def fetch(name: str) -> "File[bytes] | None":
    """Return the open file; None: it is not there.

    Raises:
        StoreUnavailable: nobody knows.
    """
    with _failures() as storage:
        try:
            file: File[bytes] = storage.open(name, "rb")
        except FileNotFoundError:
            return None
        file.seek(0)  # S3's library fetches the bytes here: later, a failure would be nobody's
        return file


def delete(name: str) -> None:
    """Delete a file; again is harmless.

    Raises:
        StoreUnavailable: it may be there still.
    """
    with _failures() as storage:
        storage.delete(name)


def signed_address(name: str, headers: dict[str, str]) -> str | None:
    """Return an address that gives the file for a minute, with these headers; None: the storage has none.

    Raises:
        StoreUnavailable: nobody knows.
    """
    with _failures() as storage:
        if isinstance(storage, FileSystemStorage):
            return None
        said = {f"Response{key.replace('-', '')}": value for key, value in headers.items()}
        address: str = storage.url(name, parameters=said, expire=SIGNED_SECONDS)  # type: ignore[call-arg]
        return address


@contextmanager
def _failures() -> Iterator[Storage]:
    storage = store()
    if storage is None:
        raise StoreUnavailable("no storage")
    try:
        yield storage
    except Exception as error:  # each storage has exceptions of its own, and some have libraries'
        raise StoreUnavailable(type(error).__name__) from error
