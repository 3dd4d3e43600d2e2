"""The storage of attachments that the environment names, for the stand-alone settings of api and workers.

Imported by settings modules before Django is ready. A project says it in its own STORAGES.
"""

import re
from pathlib import Path
from typing import Any, Final

from roomlog_runtime.errors import SettingError
from roomlog_runtime.settings import read_list, read_text

from .file_types import KNOWN, TYPES

ALIAS: Final = "roomlog"
"""The storage's name in STORAGES."""
SIGNED_SECONDS: Final = 60
"""How long the address of a redirect is good for."""
_FOLDER_BACKEND: Final = "django.core.files.storage.FileSystemStorage"
_S3_BACKEND: Final = "storages.backends.s3.S3Storage"
_BUCKET: Final = re.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ENDPOINT: Final = re.compile(r"https?://[^\s/]+/?")


def storages_of_environment() -> dict[str, Any]:
    """Return what ROOMLOG_ATTACHMENTS_FOLDER or ROOMLOG_S3_BUCKET say, for the stand-alone STORAGES.

    Keys and regions of S3 come from AWS' own variables, which its library reads.
    """
    folder, bucket = read_text("ROOMLOG_ATTACHMENTS_FOLDER", ""), read_text("ROOMLOG_S3_BUCKET", "")
    endpoint = read_text("ROOMLOG_S3_ENDPOINT", "")
    if folder and not Path(folder).is_absolute():
        raise SettingError("ROOMLOG_ATTACHMENTS_FOLDER", "is not an absolute path")
    if bucket and not _BUCKET.fullmatch(bucket):
        raise SettingError("ROOMLOG_S3_BUCKET", "is not the name of a bucket")
    if endpoint and not _ENDPOINT.fullmatch(endpoint):
        raise SettingError("ROOMLOG_S3_ENDPOINT", "is not an address as in https://s3.example.org")
    if folder:
        return {ALIAS: {"BACKEND": _FOLDER_BACKEND, "OPTIONS": {"location": folder}}}
    if bucket:
        options = {
            "bucket_name": bucket,
            "endpoint_url": endpoint or None,
            "file_overwrite": True,  # names are never used twice; a look before each upload is saved
            "querystring_expire": SIGNED_SECONDS,
            "default_acl": None,
            "signature_version": "s3v4",
        }
        return {ALIAS: {"BACKEND": _S3_BACKEND, "OPTIONS": options}}
    return {}


def types_of_environment() -> tuple[str, ...]:
    """Return the media types that ROOMLOG_ATTACHMENT_TYPES lets people upload.

    Raises:
        SettingError: one of them is none that a file can get.
    """
    types = read_list("ROOMLOG_ATTACHMENT_TYPES", TYPES)
    for one in types:
        if one not in KNOWN:
            raise SettingError(
                "ROOMLOG_ATTACHMENT_TYPES", f"has {one!r}, not one of {', '.join(sorted(KNOWN))}"
            )
    return types
