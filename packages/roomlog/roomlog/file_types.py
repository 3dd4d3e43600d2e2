"""Which media type a file gets: an image by its content, anything else by the end of its name.

Knows no Django. The types are a closed set. None of them but the images is ever shown by a browser, so a
name that lies does no harm; HTML and SVG, which run scripts, are not among them.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

IMAGES: Final[Mapping[str, str]] = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
}
"""By Pillow's names of the formats: what every browser shows, and nothing else is decoded."""
_IMAGE_ENDS: Final = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
_OPEN_DOCUMENT: Final = "application/vnd.oasis.opendocument."
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_BY_END: Final[Mapping[str, str]] = {
    ".txt": "text/plain",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".odt": f"{_OPEN_DOCUMENT}text",
    ".ods": f"{_OPEN_DOCUMENT}spreadsheet",
    ".odp": f"{_OPEN_DOCUMENT}presentation",
    ".docx": f"{_OFFICE}wordprocessingml.document",
    ".xlsx": f"{_OFFICE}spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}presentationml.presentation",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
OTHER: Final = "application/octet-stream"
"""All that has no type of its own; taken only where the install says so."""
TYPES: Final = tuple(sorted({*IMAGES.values(), *_BY_END.values()}))
"""Those that are taken where the install says nothing."""
KNOWN: Final = frozenset({*TYPES, OTHER})


def type_by_name(name: str) -> str | None:
    """Return the type of what is no image; None: its name says that it is one."""
    end = PurePosixPath(name).suffix.lower()
    return None if end in _IMAGE_ENDS else _BY_END.get(end, OTHER)
