"""The picture streams of a file, as its header describes them; nothing is decoded."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from harness.core.errors import UnusableInputError
from harness.core.hashing import file_state
from harness.media.ffmpeg import ffmpeg_output, video_input

_STREAM = re.compile(
    r"^  Stream #0:(?P<index>\d+)(?:\[[^\]]*\])?(?:\([^)]*\))?: Video: (?P<codec>\w+).*?, "
    r"(?P<pixels>\w+)(?:\((?P<details>.*?)\))?, (?P<width>\d+)x(?P<height>\d+)(?P<rest>.*)$",
    re.M,
)
_ASPECT = re.compile(r"\bSAR (\d+):(\d+)")
_TURNED = re.compile(r"^ +display ?matrix: rotation of", re.I | re.M)
_INTERLACED = ("top first", "bottom first", "top coded first", "bottom coded first")
_STILL = ("(attached pic)", "(still image)", "(timed thumbnails)")
_UNKNOWN = frozenset({"unknown", "reserved", ""})


class Hdr(StrEnum):
    """High dynamic range, by FFmpeg's name of the transfer characteristics."""

    HLG = "arib-std-b67"
    PQ = "smpte2084"


class PictureStream(NamedTuple):
    """One video stream of a file; a cover or another single picture is none."""

    number: int
    """FFmpeg's number among all streams of the file."""
    leads: bool
    """No other video stream, a cover's neither, comes before it in the file."""
    codec: str
    pixel_format: str
    width: int
    height: int
    """As coded: rotation is not applied."""
    hdr: Hdr | None
    matrix: str | None
    primaries: str | None
    """FFmpeg's names; None where the file does not say."""
    full_range: bool
    aspect: Fraction
    """Width of a pixel by its height; 1 where the file does not say."""
    interlaced: bool
    turned: bool
    """The file asks players to rotate its picture."""
    default: bool
    """Marked as the one that players show."""

    @property
    def size(self) -> str:
        """``1920x1080``."""
        return f"{self.width}x{self.height}"


def require_file(path: Path) -> None:
    """Raise UnusableInputError when ``path`` is no readable file with something in it."""
    if not path.is_file():
        kind = "is no file" if path.exists() else "does not exist"
        kind = "is a folder" if path.is_dir() else kind
        raise UnusableInputError(
            f"The file {path} {kind}.", hint="Check the path; is a disk not mounted?"
        )
    if not os.access(path, os.R_OK):
        raise UnusableInputError(
            f"The file {path} may not be read by this user.", hint="Change its rights."
        )
    if path.stat().st_size == 0:
        raise UnusableInputError(
            f"The file {path} is empty, probably after a download that failed.",
            hint="Fetch it again.",
        )


def picture_streams(path: Path) -> tuple[PictureStream, ...]:
    """The picture streams in the file's order, looked up once for each state of the file.

    Raises UnusableInputError for a file that is missing, cannot be opened, or has none.
    """
    require_file(path)
    return _picture_streams(path, *file_state(path))


def picture_stream(path: Path, wanted: int | None = None) -> PictureStream:
    """The stream to read: the only one, or of several number ``wanted`` (from 1). Without a number
    it is the one marked as default, if none is larger; with none or several marked, the largest.

    Raises UnusableInputError as ``picture_streams``, for a number that there is not, and where
    several could be meant.
    """
    streams = picture_streams(path)
    if wanted is not None:
        if wanted > len(streams):
            raise UnusableInputError(
                f"{path} has no picture stream {wanted}: it holds {_listed(streams)}.",
                hint="Correct `stream:` in the dataset's manifest.",
            )
        return streams[wanted - 1]
    most = max(stream.width * stream.height for stream in streams)
    largest = [stream for stream in streams if stream.width * stream.height == most]
    marked = [stream for stream in streams if stream.default]
    meant = [stream for stream in largest if stream in marked] if len(marked) == 1 else largest
    if len(meant) != 1:
        raise UnusableInputError(
            f"{path} holds {len(streams)} picture streams, and nothing says which one is meant: "
            f"{_listed(streams)}. `stream: 1` next to the clip's path in a manifest chooses.",
            hint="Name the stream, or export it to a file of its own.",
        )
    return meant[0]


def _listed(streams: Sequence[PictureStream]) -> str:
    return ", ".join(
        f"{number}: {stream.codec} {stream.size}{' (default)' if stream.default else ''}"
        for number, stream in enumerate(streams, 1)
    )


@lru_cache(maxsize=4096)
def _picture_streams(path: Path, *_state: int) -> tuple[PictureStream, ...]:
    look = [*video_input(path), "-map", "0:v?", "-c", "copy", "-t", "0", "-f", "null", "-"]
    # A path may hold a line that looks like FFmpeg's own; tags cannot, as they are indented.
    said = ffmpeg_output(look).stderr.replace(str(path), "")
    streams = tuple(_parsed(said.split("\nOutput #0", 1)[0]))
    if not streams:
        raise UnusableInputError(
            f"{path} holds no picture, perhaps sound alone.", hint="Name a video file."
        )
    return streams


def _parsed(text: str) -> Iterator[PictureStream]:
    found = list(_STREAM.finditer(text))
    for number, match in enumerate(found):
        rest = match["rest"]
        if any(word in rest for word in _STILL):
            continue
        end = text.find("\n  Stream ", match.end())
        details = (match["details"] or "").split(", ")
        matrix, primaries, transfer = _colours(details)
        aspect = _ASPECT.search(rest)
        width, height = (int(side) for side in aspect.groups()) if aspect else (1, 1)
        yield PictureStream(
            number=int(match["index"]),
            leads=number == 0,
            codec=match["codec"],
            pixel_format=match["pixels"],
            width=int(match["width"]),
            height=int(match["height"]),
            hdr=Hdr(transfer) if transfer in set(Hdr) else None,
            matrix=matrix,
            primaries=primaries,
            full_range="pc" in details,
            aspect=Fraction(width, height) if width and height else Fraction(1),
            interlaced=any(detail.startswith(_INTERLACED) for detail in details),
            turned=_TURNED.search(text, match.end(), end if end >= 0 else len(text)) is not None,
            default="(default)" in rest,
        )


def _colours(details: Sequence[str]) -> tuple[str | None, ...]:
    """Matrix, primaries and transfer: FFmpeg writes the three with slashes, or one for all."""
    for detail in details:
        names = detail.split("/")
        if len(names) == 3:
            return tuple(None if name in _UNKNOWN else name for name in names)
    single = next((d for d in details if re.match(r"(bt|smpte)\w+$", d)), None)
    return single, single, single
