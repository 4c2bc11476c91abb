"""HDR pictures come out as the SDR ones that they were made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.core.errors import UnfitMachineError
from harness.media.ffmpeg import run_ffmpeg
from harness.media.frames import read_frames
from harness.media.join import join_clips
from harness.media.probe import probe
from harness.media.streams import Hdr, picture_stream
from harness.model.dataset import Clip
from tests.media.odd_files import in_hdr, pattern

GREYS = "gradients=size=96x64:rate=10:duration=0.5:c0=0x302018:c1=0xe0b0a0:x0=0:y0=0:x1=95:y1=0"
SKIN = "color=c=0xac8c86:size=64x48:rate=10:duration=0.5"
ODD = "gradients=size=97x65:rate=10:duration=0.5:c0=0x302018:c1=0xe0b0a0:x0=0:y0=0:x1=95:y1=0"


def mean(path: Path) -> list[float]:
    """Of all frames: red, green and blue."""
    frames = np.stack(list(read_frames(path))).astype(float)
    blue, green, red = frames.mean(axis=(0, 1, 2))
    return [red, green, blue]


@pytest.mark.parametrize("hdr", Hdr)
@pytest.mark.parametrize("pixels", ["yuv420p10le", "yuv420p"])
def test_a_face_keeps_its_colour(tmp_path: Path, hdr: Hdr, pixels: str) -> None:
    """172, 140, 134 without tone mapping come out as little as 108, 96, 89."""
    sdr = pattern(tmp_path / "a.mp4", "-crf", "4", source=SKIN)
    path = in_hdr(sdr, tmp_path / "b.mp4", hdr, pixels=pixels)
    assert mean(sdr) == pytest.approx([172, 140, 134], abs=2)
    assert mean(path) == pytest.approx(mean(sdr), abs=2)


@pytest.mark.parametrize("hdr", Hdr)
@pytest.mark.parametrize("source", [GREYS, ODD], ids=["even", "odd"])
def test_reading_and_preparing_show_the_same_pictures(
    tmp_path: Path, hdr: Hdr, source: str
) -> None:
    sdr = pattern(tmp_path / "a.mp4", "-crf", "4", "-pix_fmt", "yuv444p", source=source)
    pixels = "yuv444p10le" if source == ODD else "yuv420p10le"
    path = in_hdr(sdr, tmp_path / "b.mp4", hdr, pixels=pixels)
    wanted = [frame.astype(int) for frame in read_frames(sdr)]
    read = list(read_frames(path))
    assert len(read) == len(wanted) == 5
    assert np.abs(np.stack(read) - np.stack(wanted)).mean() < 3
    info = join_clips([Clip(path=path)], tmp_path / "c.mp4")
    prepared = np.stack(list(read_frames(tmp_path / "c.mp4"))).astype(int)
    height, width = info.height, info.width
    assert np.abs(prepared - np.stack(wanted)[:, :height, :width]).mean() < 3
    made = picture_stream(tmp_path / "c.mp4")
    assert (info.pixel_format, made.hdr, made.matrix) == ("yuv420p", None, "bt709")
    assert (info.frames, info.codec) == (5, "h264")


def test_hdr_that_could_be_copied_is_tone_mapped_all_the_same(tmp_path: Path) -> None:
    """Eight bits of H.264 with the label of HLG: FFmpeg's own conversion leaves this."""
    sdr = pattern(tmp_path / "a.mp4", "-crf", "4", source=SKIN)
    path = in_hdr(sdr, tmp_path / "b.mp4", Hdr.HLG, pixels="yuv420p")
    assert (probe(path).codec, probe(path).pixel_format) == ("h264", "yuv420p")
    join_clips([Clip(path=path)], tmp_path / "c.mp4")
    assert mean(tmp_path / "c.mp4") == pytest.approx(mean(sdr), abs=2)


@pytest.mark.parametrize("first", ["sdr", "hdr"])
def test_sdr_and_hdr_in_one_video_look_alike(tmp_path: Path, first: str) -> None:
    sdr = pattern(tmp_path / "a.mp4", "-crf", "4", source=SKIN)
    hdr = in_hdr(sdr, tmp_path / "b.mp4", Hdr.PQ)
    clips = [Clip(path=sdr), Clip(path=hdr)]
    join_clips(clips if first == "sdr" else clips[::-1], tmp_path / "c.mp4")
    frames = [frame.mean(axis=(0, 1)) for frame in read_frames(tmp_path / "c.mp4")]
    assert len(frames) == 10
    for frame in frames:
        assert frame[::-1] == pytest.approx(mean(sdr), abs=2)


def test_hdr_whose_primaries_are_not_named_is_taken_for_bt2020(tmp_path: Path) -> None:
    sdr = pattern(tmp_path / "a.mp4", "-crf", "4", source=SKIN)
    whole = in_hdr(sdr, tmp_path / "b.mp4", Hdr.HLG, pixels="yuv420p")
    bare = tmp_path / "c.ts"
    label = "h264_metadata=colour_primaries=2:matrix_coefficients=2"
    run_ffmpeg(["-i", str(whole), "-c", "copy", "-bsf:v", label, str(bare)])
    assert (picture_stream(bare).hdr, picture_stream(bare).primaries) == (Hdr.HLG, None)
    assert mean(bare) == pytest.approx(mean(sdr), abs=2)


def test_an_ffmpeg_without_the_filters_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdr = pattern(tmp_path / "a.mp4", source=SKIN)
    path = in_hdr(sdr, tmp_path / "b.mp4", Hdr.HLG)
    from harness.media.ffmpeg import ffmpeg_path

    poor = tmp_path / "ffmpeg"
    poor.write_text(
        f'#!/bin/sh\ncase "$*" in *-filters*) echo " .. scale V->V Scale";; '
        f'*) exec "{ffmpeg_path()}" "$@";; esac\n'
    )
    poor.chmod(0o755)
    monkeypatch.setenv("BENCH_FFMPEG", str(poor))
    assert sum(1 for _ in read_frames(sdr)) == 5
    with pytest.raises(UnfitMachineError, match="no filter zscale and no filter tonemap"):
        next(iter(read_frames(path)))


@pytest.mark.parametrize("first", ["full", "limited"])
def test_clips_of_full_and_limited_range_in_one_video_look_alike(
    tmp_path: Path, first: str
) -> None:
    """After a clip of full range one of limited range came out paler and with less contrast."""
    ranges = {"full": "pc", "limited": "tv"}
    clips = {}
    for name, word in ranges.items():
        chain = f"scale=out_color_matrix=bt709:out_range={word},format=yuv420p"
        chain += f",setparams=range={word}:colorspace=bt709"
        path = pattern(tmp_path / f"{name}.mp4", "-vf", chain, "-crf", "4", source=SKIN)
        clips[name] = Clip(path=path)
    both = [clips.pop(first), *clips.values()]
    join_clips(both, tmp_path / "joined.mp4")
    for frame in read_frames(tmp_path / "joined.mp4"):
        assert frame.mean(axis=(0, 1)) == pytest.approx([134, 140, 172], abs=4)
