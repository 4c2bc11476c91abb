"""Says why a photo cannot be read: what kind of file it really is, and how it becomes a JPEG."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UnusableInputError

_HEAD_BYTES = 4096
_READ = "JPEG, PNG, BMP, TIFF and WebP are read here"
_HEIF_BRANDS = {
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"heim": "HEIC",
    b"heis": "HEIC",
    b"hevc": "HEIC",
    b"hevx": "HEIC",
    b"mif1": "HEIF",
    b"msf1": "HEIF",
    b"avif": "AVIF",
    b"avis": "AVIF",
}
"""Major and compatible brands of ISO base media files that hold pictures."""
_BEGINNINGS = {
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"8BPS": "a Photoshop file",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML file, such as an SVG drawing",
    b"<!DOCTYPE": "a web page, as a download that failed leaves one",
    b"<html": "a web page, as a download that failed leaves one",
    b"version https://git-lfs": "a pointer of Git LFS (`git lfs pull` fetches the picture)",
    b"FUJIFILMCCD-RAW": "a camera's raw picture",
}
_KNOWN = (b"\xff\xd8", b"\x89PNG", b"BM", b"II*\0", b"MM\0*", b"RIFF")
"""Beginnings of what is read, and of raw pictures that call themselves TIFF."""


FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
"""The same in Pillow's words, which would otherwise start a program for some kinds of files."""


def require_picture(path: Path, most_pixels: int | None = None) -> None:
    """See by its beginning that a file is a picture of a known kind, and not too large.

    Raises UnusableInputError for anything else. Without ``most_pixels`` Pillow's limit holds, about
    180 million.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        if not path.is_file():
            raise unreadable_photo(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                pixels = image.width * image.height
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise unreadable_photo(path) from error
    if most_pixels is not None and pixels > most_pixels:
        raise UnusableInputError(
            f"The photo {path} has {pixels:,} pixels, and {most_pixels:,} are the most.",
            hint="Give a smaller copy of it.",
        )


def read_photo(path: Path) -> NDArray[np.uint8]:
    """The picture of a photo (HxWx3 BGR), turned as its EXIF says.

    Raises UnusableInputError for anything but a whole JPEG, PNG, BMP, TIFF or WebP file.
    """
    import cv2

    if not path.is_file():
        raise unreadable_photo(path)
    try:
        data = path.read_bytes()
        known = data.startswith(_KNOWN)
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if known else None
    except OSError as error:
        raise unreadable_photo(path) from error
    except cv2.error as error:
        raise UnusableInputError(
            f"The photo {path} cannot be read: {error.err}.",
            hint="Give a smaller copy of it.",
        ) from error
    if picture is None or _is_cut_jpeg(data):
        raise unreadable_photo(path)
    return np.asarray(picture, np.uint8)


def unreadable_photo(path: Path) -> UnusableInputError:
    """The error for a photo that could not be decoded: what it is, and the mend."""
    if path.exists() and not path.is_file():
        return UnusableInputError(
            f"The photo {path} is no file.", hint="Correct its path in the manifest."
        )
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError:
        return UnusableInputError(
            f"The photo {path} does not exist.", hint="Correct its path in the manifest."
        )
    except OSError as error:
        return UnusableInputError(
            f"The photo {path} cannot be read: {error.strerror}.",
            hint="Check its rights; a photo is a file.",
        )
    if not head:
        return UnusableInputError(f"The photo {path} is empty.", hint="Copy it again.")
    kind = _kind(head)
    if kind in ("HEIC", "HEIF", "AVIF"):
        article = "an" if kind == "AVIF" else "a"
        return UnusableInputError(
            f"The photo {path} is {article} {kind} picture, whatever its name ends in; {_READ}.",
            hint=f"Convert it (macOS: `sips -s format jpeg {path.name} --out {path.stem}.jpg`; "
            f"Linux: `heif-convert {path.name} {path.stem}.jpg`) and name the new file in the "
            "manifest. A phone can be set to take JPEG.",
        )
    if kind:
        return UnusableInputError(
            f"The photo {path} is {kind}, and {_READ}.", hint="Give a JPEG or PNG file."
        )
    if head.startswith(_KNOWN):
        return UnusableInputError(
            f"The photo {path} is damaged or cut off, or is a camera's raw picture.",
            hint="Copy it again, or export it as JPEG or PNG.",
        )
    return UnusableInputError(
        f"The photo {path} is not a picture.", hint=f"{_READ}: give one of these."
    )


def _is_cut_jpeg(data: bytes) -> bool:
    """True for a JPEG whose picture never ends: decoders fill what is missing with grey."""
    if not data.startswith(b"\xff\xd8"):
        return False
    at = 2
    # Segments come first, and may hold a whole picture of their own, the thumbnail.
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xDA:
            return data.find(b"\xff\xd9", at) < 0
        filled = data[at + 1] == 0xFF
        at += 1 if filled else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def _kind(head: bytes) -> str:
    """Kind of a file by its first bytes; empty when that is not known."""
    if head[4:8] == b"ftyp":
        size = min(int.from_bytes(head[:4], "big"), 256)
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, size, 4))]
        named = [_HEIF_BRANDS[brand] for brand in brands if brand in _HEIF_BRANDS]
        # Every HEIC and AVIF file is a HEIF file too.
        return next((name for name in named if name != "HEIF"), "".join(named[:1]) or "a video")
    text = head.lstrip()
    return next((kind for mark, kind in _BEGINNINGS.items() if text.startswith(mark)), "")
