"""Looks into uploaded images: what they are, how large, and a small copy.

The only place that decodes strangers' bytes. Bounded before anything is decoded: four formats, so many
pixels, one image at a time. Knows neither requests nor the database.
"""

import threading
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Final

from PIL import Image, ImageOps

from .file_types import IMAGES

MAX_PIXELS: Final = 30_000_000
"""Four bytes each while it is decoded: 120 MB, in a process of half a GB. No phone's usual photo has more."""
TOO_MANY_PIXELS: Final = "The image has more than 30,000,000 pixels."
THUMBNAIL_PIXELS: Final = 480
"""The longer side: what a chat shows, twice over for sharp screens."""
THUMBNAIL_TYPE: Final = "image/webp"
_QUALITY: Final = 80
_ORIENTATION: Final = 0x0112
_ON_ITS_SIDE: Final = frozenset({5, 6, 7, 8})
"""Values of EXIF's orientation that swap width and height."""
_one_at_a_time: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Picture:
    """An image whose whole first frame could be decoded."""

    type: str
    width: int
    """Pixels as people see it, and so `height`: turned as its EXIF says."""
    height: int
    thumbnail: bytes
    """In THUMBNAIL_TYPE, without the original's metadata."""


class TooManyPixels(Exception):
    """An image that would take too much memory."""


def picture_in(file: IO[bytes]) -> Picture | None:
    """Return what the file shows; None: it is none of the four formats, or broken. Leaves it at its start.

    Raises:
        TooManyPixels: nothing of it was decoded.
    """
    file.seek(0)
    try:
        with _one_at_a_time, warnings.catch_warnings():
            # Doubtful metadata is no news: the pixels count.
            warnings.simplefilter("ignore")
            return _decoded(file)
    except TooManyPixels:
        raise
    except Exception:  # decoders of strangers' bytes raise whatever they like: then it is no image
        return None
    finally:
        file.seek(0)


def _decoded(file: IO[bytes]) -> Picture:
    with Image.open(file, formats=tuple(IMAGES)) as image:
        if image.width * image.height > MAX_PIXELS:
            raise TooManyPixels
        type_ = IMAGES[image.format or ""]
        turned = image.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE
        width, height = (image.height, image.width) if turned else image.size
        image.draft("RGB", (2 * THUMBNAIL_PIXELS, 2 * THUMBNAIL_PIXELS))  # a JPEG is decoded smaller
        upright = ImageOps.exif_transpose(image)
        small = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
    made = BytesIO()
    small.save(made, "WEBP", quality=_QUALITY)
    return Picture(type_, width, height, made.getvalue())
