"""The storage of attachments that the environment names, for the stand-alone settings of api and workers.

Imported by settings modules before Django is ready. A project says it in its own STORAGES.
"""

from typing import Any, Final

from roomlog_runtime.settings import read_text

ALIAS: Final = "roomlog"
"""The storage's name in STORAGES."""
SIGNED_SECONDS: Final = 60
"""How long the address of a redirect is good for."""
_FOLDER_BACKEND: Final = "django.core.files.storage.FileSystemStorage"
_S3_BACKEND: Final = "storages.backends.s3.S3Storage"


def storages_of_environment() -> dict[str, Any]:
    """Return what ROOMLOG_ATTACHMENTS_FOLDER or ROOMLOG_S3_BUCKET say, for the stand-alone STORAGES.

    Keys and regions of S3 come from AWS' own variables, which its library reads.
    """
    if folder := read_text("ROOMLOG_ATTACHMENTS_FOLDER", ""):
        return {ALIAS: {"BACKEND": _FOLDER_BACKEND, "OPTIONS": {"location": folder}}}
    if bucket := read_text("ROOMLOG_S3_BUCKET", ""):
        endpoint = read_text("ROOMLOG_S3_ENDPOINT", "") or None
        options = {
            "bucket_name": bucket,
            "endpoint_url": endpoint,
            "file_overwrite": True,  # names are never used twice; a look before each upload is saved
            "querystring_expire": SIGNED_SECONDS,
            "default_acl": None,
            "signature_version": "s3v4",
        }
        return {ALIAS: {"BACKEND": _S3_BACKEND, "OPTIONS": options}}
    return {}
