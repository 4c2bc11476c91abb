"""HDR pictures as an SDR screen shows them: FFmpeg's filters for it.

After ITU-R BT.2408: the reference white of HDR, 203 cd/m2, is the white of SDR, so that faces,
which are below it, look as an SDR camera would have shown them. What is brighter is compressed.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from harness.core.errors import UnfitMachineError
from harness.media.ffmpeg import ffmpeg_output, ffmpeg_path
from harness.media.streams import Hdr, PictureStream

RECIPE = 1
"""Counts up when the same HDR clip would be given other pixels."""

_WHITE_NITS = 203
_PEAK_NITS = 1000
"""HLG's nominal peak, and that of most PQ; what is brighter becomes white."""
_KNEE = 0.8
"""Share of the reference white, in linear light, up to which nothing is changed."""
_EXACT = "flags=bicubic+accurate_rnd+full_chroma_int+bitexact"


def sdr_planes(picture: PictureStream) -> str:
    """The filters that make planes of 8 bits, green, blue and red, of an HDR stream.

    Raises UnfitMachineError when FFmpeg lacks one of them.
    """
    return f"{_linear(picture)},zscale=t=bt709:m=gbr:r=full,format=gbrp"


def sdr_video(picture: PictureStream) -> str:
    """The filters that make BT.709 (yuv444p, limited range, labelled so) of an HDR stream, and of
    an SDR one that is to be shown with it. Raises as ``sdr_planes``.
    """
    if picture.hdr is not None:
        return f"{_linear(picture)},zscale=t=bt709:m=bt709:r=limited,format=yuv444p"
    labels = "setparams=range=limited:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
    return f"scale=out_color_matrix=bt709:out_range=limited:{_EXACT},format=yuv444p,{labels}"


def _linear(picture: PictureStream) -> str:
    """Linear light with the primaries of BT.709, 1 for white, nothing above it."""
    assert picture.hdr is not None
    _require_filters(ffmpeg_path())
    rgb = picture.pixel_format.startswith(("gbr", "rgb", "bgr", "x2rgb", "x2bgr"))
    matrix = "gbr" if rgb else picture.matrix or "bt2020nc"
    # Chroma is brought to full size first: zscale refuses odd sides of 4:2:0.
    source = f"scale={_EXACT},format={'gbrp16le' if rgb else 'yuv444p16le'}"
    primaries = picture.primaries or "bt2020"
    given = f"tin={picture.hdr}:pin={primaries}:p={primaries}:min={matrix}"
    given += f":rin={'full' if rgb or picture.full_range else 'limited'}"
    # The fast way treats HLG's colours one by one, where BT.2100 goes by their luminance.
    exact = "false" if picture.hdr is Hdr.HLG else "true"
    light = f"zscale={given}:m=gbr:r=full:t=linear:npl={_WHITE_NITS}:agamma={exact}"
    # Without a peak the filter would take one from each file's metadata.
    curve = f"tonemap=mobius:param={_KNEE}:peak={_PEAK_NITS / _WHITE_NITS:.4f}:desat=0"
    return f"{source},{light},format=gbrpf32le,zscale=p=bt709,{curve}"


@cache
def _require_filters(program: Path) -> None:
    listing = ffmpeg_output(["-filters"]).stdout.decode(errors="replace")
    known = set(re.findall(r"^ \S+ +(\w+) ", listing, re.M))
    missing = [name for name in ("zscale", "tonemap") if name not in known]
    if missing:
        raise UnfitMachineError(
            f"The FFmpeg {program} has no filter {' and no filter '.join(missing)}, which HDR "
            "video needs.",
            hint="Unset BENCH_FFMPEG to use the FFmpeg that was installed, or name one that was "
            "built with libzimg.",
        )
