"""Probing: what FFmpeg is asked, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from harness.core.errors import StoreError, UnusableInputError
from harness.media.ffmpeg import Output, ffmpeg_output, run_ffmpeg
from harness.media.frames import VideoWriter, read_frames, read_frames_at
from harness.media.probe import probe
from harness.media.streams import picture_stream


def synthetic(
    path: Path, *options: str, source: str = "testsrc2=size=64x48:rate=25:duration=2"
) -> Path:
    run_ffmpeg(["-f", "lavfi", "-i", source, *options, str(path)])
    return path


def test_every_frame_is_counted_by_decoding(tmp_path: Path) -> None:
    info = probe(synthetic(tmp_path / "a.mp4"))
    assert (info.frames, info.width, info.height, info.fps) == (50, 64, 48, "25/1")
    assert info.codec == "h264"
    assert info.duration_s == pytest.approx(2.0)
    assert not info.variable_rate
    assert not info.has_audio


def test_a_rate_of_30000_over_1001_stays_exact(tmp_path: Path) -> None:
    path = synthetic(tmp_path / "a.mp4", source="testsrc2=size=64x48:rate=30000/1001:duration=1")
    assert probe(path).fps == "30000/1001"


def test_a_millisecond_clock_is_not_taken_for_a_variable_rate(tmp_path: Path) -> None:
    path = synthetic(tmp_path / "a.mkv", source="testsrc2=size=64x48:rate=30:duration=2")
    info = probe(path)
    assert (info.fps, info.variable_rate) == ("30/1", False)


def test_a_variable_rate_is_seen_and_every_coded_frame_kept(tmp_path: Path) -> None:
    path = synthetic(
        tmp_path / "a.mp4", "-vf", "select='not(between(n,10,19))'", "-fps_mode", "vfr"
    )
    info = probe(path)
    assert (info.frames, info.variable_rate) == (40, True)
    assert sum(1 for _ in read_frames(path)) == 40


def test_rotation_is_applied_to_size_and_frames(tmp_path: Path) -> None:
    plain = synthetic(tmp_path / "a.mp4")
    turned = tmp_path / "b.mp4"
    run_ffmpeg(["-display_rotation", "90", "-i", str(plain), "-c", "copy", str(turned)])
    assert picture_stream(turned).turned
    assert not picture_stream(plain).turned
    assert (probe(turned).width, probe(turned).height) == (48, 64)
    assert next(iter(read_frames(turned))).shape == (64, 48, 3)


@pytest.mark.parametrize("content", [b"", b"not a video at all", bytes(5000)])
def test_what_is_not_a_video_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(content)
    with pytest.raises(UnusableInputError, match=r"bad\.mp4"):
        probe(path)


def test_a_name_or_a_title_that_sounds_like_damage_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "partial file, Invalid data found\nmoov atom not found"
    folder.mkdir()
    path = synthetic(folder / "Packet corrupt.mp4", "-metadata", "title=partial file")
    assert probe(path).frames == 50


def test_a_full_disk_is_not_taken_for_a_damaged_video(tmp_path: Path) -> None:
    path = synthetic(tmp_path / "a.mp4")
    with pytest.raises(StoreError, match="No space left"):
        run_ffmpeg(["-y", "-i", str(path), "-f", "rawvideo", "/dev/full"])


@pytest.mark.parametrize("name", ["a.mkv", "a.nut"])
def test_frames_at_the_same_time_do_not_upset_the_rate(tmp_path: Path, name: str) -> None:
    # Matroska keeps equal times; NUT squeezes such frames in, one tick apart.
    thrice = ["-vf", "setpts='floor(N/3)*3/25/TB'", "-fps_mode", "passthrough"]
    info = probe(synthetic(tmp_path / name, *thrice, "-enc_time_base", "1/25", "-c:v", "ffv1"))
    assert (info.frames, info.variable_rate) == (50, True)
    assert float(Fraction(info.fps)) == pytest.approx(25 / 3, rel=0.01)
    assert info.duration_s == pytest.approx(2.0, abs=0.1)


def test_a_thousand_frames_a_second_are_a_rate(tmp_path: Path) -> None:
    path = synthetic(tmp_path / "a.mp4", source="testsrc2=size=64x48:rate=1000:duration=0.05")
    assert (probe(path).fps, probe(path).variable_rate) == ("1000/1", False)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="does not exist"):
        probe(tmp_path / "none.mp4")


@pytest.mark.parametrize("flags", [[], ["-movflags", "+faststart"]])
def test_a_truncated_video_is_refused(tmp_path: Path, flags: list[str]) -> None:
    path = synthetic(tmp_path / "a.mp4", *flags)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(UnusableInputError):
        probe(path)


def test_sound_without_picture_is_refused(tmp_path: Path) -> None:
    path = synthetic(tmp_path / "a.wav", source="sine=duration=1")
    with pytest.raises(UnusableInputError):
        probe(path)


def test_frames_are_read_at_the_indices_asked_for(tmp_path: Path) -> None:
    path = synthetic(tmp_path / "a.mp4")
    every = list(read_frames(path))
    some = dict(read_frames_at(path, {49, 3, 7, 500}))
    assert sorted(some) == [3, 7, 49]
    assert all(np.array_equal(some[index], every[index]) for index in some)


@pytest.mark.parametrize(("width", "height"), [(64, 48), (63, 47)])
def test_written_frames_come_back_nearly_as_they_were(
    tmp_path: Path, width: int, height: int
) -> None:
    path = tmp_path / "out.mp4"
    ramp = np.linspace(0, 255, width, dtype=np.uint8)
    frame = np.stack([np.tile(ramp, (height, 1))] * 3, axis=2)
    with VideoWriter(path, width, height, "30000/1001") as writer:
        for _ in range(7):
            writer.write(frame)
    info = probe(path)
    assert (info.frames, info.width, info.height, info.fps) == (7, width, height, "30000/1001")
    back = next(iter(read_frames(path)))
    assert np.abs(back.astype(int) - frame.astype(int)).mean() < 3


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    source = synthetic(tmp_path / "a.mp4")
    outputs = [tmp_path / "1.mp4", tmp_path / "2.mp4"]
    for path in outputs:
        with VideoWriter(path, 64, 48, "25/1") as writer:
            for frame in read_frames(source):
                writer.write(frame)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_a_writer_that_fails_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    frame = np.zeros((48, 64, 3), np.uint8)

    def stop_midway() -> None:
        with VideoWriter(path, 64, 48, "25/1") as writer:
            writer.write(frame)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        stop_midway()
    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="a frame is"),
        VideoWriter(tmp_path / "o.mp4", 64, 48, "25/1") as writer,
    ):
        writer.write(np.zeros((47, 64, 3), np.uint8))


def test_a_reader_left_early_ends_its_ffmpeg(tmp_path: Path) -> None:
    frames = read_frames(synthetic(tmp_path / "a.mp4"))
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    with pytest.raises(StopIteration):
        next(frames)


def test_a_video_that_was_probed_is_opened_once_and_else_looked_at_once_per_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = synthetic(tmp_path / "a.mp4")
    info = probe(path)
    looked: list[Sequence[str]] = []

    def counting(args: Sequence[str]) -> Output:
        looked.append(args)
        return ffmpeg_output(args)

    monkeypatch.setattr("harness.media.probe.ffmpeg_output", counting)
    known = list(read_frames(path, info))
    assert looked == []
    for _ in range(2):
        assert np.array_equal(list(read_frames(path)), known)
    assert len(looked) == 1
    synthetic(tmp_path / "b.mp4").replace(path)
    next(iter(read_frames(path)))
    assert len(looked) == 2
    path.unlink()
    with pytest.raises(UnusableInputError, match="does not exist"):
        next(iter(read_frames(path, info)))
