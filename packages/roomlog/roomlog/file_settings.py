"""The storage of attachments that the environment names, for the stand-alone settings of the api.

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
_S3_SECONDS: Final = 5
"""For a connection and for each piece of an answer: two tries end before a web server ends the request."""
_S3_WHOLE_BYTES: Final = 64 * 1024 * 1024
"""Above the largest file that our own server takes."""
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
        return {ALIAS: {"BACKEND": _S3_BACKEND, "OPTIONS": _s3_options(bucket, endpoint)}}
    return {}


def _s3_options(bucket: str, endpoint: str) -> dict[str, Any]:
    from boto3.s3.transfer import TransferConfig  # the extra that it needs is not installed everywhere
    from botocore.config import Config

    patience = Config(
        signature_version="s3v4",
        # Servers of one's own seldom have a name for each bucket.
        s3={"addressing_style": "path" if endpoint else "auto"},
        connect_timeout=_S3_SECONDS,
        read_timeout=_S3_SECONDS,
        retries={"total_max_attempts": 2},
    )
    return {
        "bucket_name": bucket,
        "endpoint_url": endpoint or None,
        "file_overwrite": True,  # names are never used twice; a look before each upload is saved
        "querystring_expire": SIGNED_SECONDS,
        "default_acl": None,
        "client_config": patience,
        # In one piece: parts of an upload that a kill cut short are objects that nobody could delete.
        "transfer_config": TransferConfig(multipart_threshold=_S3_WHOLE_BYTES, use_threads=False),
    }


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
