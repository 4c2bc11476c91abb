"""Remarks on clips that are not read as a reader of the numbers would suppose."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.media.streams import Hdr, PictureStream, picture_stream, picture_streams
from harness.model.dataset import Clip

_WIDE = frozenset({"bt2020", "smpte431", "smpte432"})
"""Primaries of colours that sRGB has not."""


def pictures_of(clips: Sequence[Clip]) -> list[PictureStream]:
    """The picture stream that is read of each clip. Raises as ``picture_stream``."""
    return [picture_stream(clip.path, clip.stream) for clip in clips]


def remarks(clips: Sequence[Clip]) -> list[str]:
    """A sentence for each kind of clip that needs one, with how many they are; no file is named,
    since reports are published. Raises as ``picture_stream``.
    """
    pictures = pictures_of(clips)
    counts = [(sum(map(has, pictures)), words) for has, words in _KINDS]
    unnamed = [len(picture_streams(clip.path)) for clip in clips if clip.stream is None]
    counts.append((sum(number > 1 for number in unnamed), _SEVERAL))
    return [f"{_clips(number, len(clips))} {words}" for number, words in counts if number]


def _clips(number: int, total: int) -> str:
    if total == 1:
        return "The only clip is"
    return f"{number} of {total} clips {'is' if number == 1 else 'are'}"


def _in(hdr: Hdr) -> Callable[[PictureStream], bool]:
    return lambda picture: picture.hdr is hdr


def _is_wide(picture: PictureStream) -> bool:
    return picture.hdr is None and picture.primaries in _WIDE


_KINDS: tuple[tuple[Callable[[PictureStream], bool], str], ...] = (
    (_in(Hdr.HLG), "HDR (HLG): tone-mapped to SDR before any tool or measurement."),
    (_in(Hdr.PQ), "HDR (PQ): tone-mapped to SDR before any tool or measurement."),
    (
        _is_wide,
        "in wide-gamut colours: read as if they were those of SDR video, so skin is paler than it "
        "was filmed, for every tool alike.",
    ),
    (
        lambda picture: picture.interlaced,
        "stored interlaced (a frame holds two moments in alternate lines): not deinterlaced, so "
        "faces that move are combed, for every tool alike.",
    ),
    (
        lambda picture: picture.aspect != 1,
        "stored with pixels that are not square: taken for square ones, so faces are too narrow "
        "or too wide, for every tool alike.",
    ),
)
_SEVERAL = (
    "in a file with several picture streams: the one marked as default, or else the largest, was "
    "used; `stream:` in the manifest chooses."
)
