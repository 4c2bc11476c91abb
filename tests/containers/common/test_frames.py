"""Videos into pictures and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.common import frames
from containers.common.bench_driver import InputUnusableError, ToolFailedError
from containers.common.previews import Previews
from harness.media.ffmpeg import run_ffmpeg
from harness.media.probe import probe


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 frames of FFmpeg's test picture, 96x64 at 30000/1001, in a folder with an odd name."""
    path = tmp_path_factory.mktemp("clips 100% 'é'") / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=30000/1001"]
    run_ffmpeg([*source, "-frames:v", "24", "-c:v", "libx264", "-y", str(path)])
    return path


def test_a_video_is_described_as_the_harness_describes_it(clip: Path) -> None:
    known = probe(clip)
    assert frames.probe(str(clip)) == (known.frames, known.width, known.height, known.fps)


def test_frames_go_out_and_come_back_with_the_same_count_size_and_rate(
    clip: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "100% frames"
    names = frames.extract(str(clip), str(folder))
    assert names[0] == "000001.png"
    assert len(names) == 24
    video = frames.probe(str(clip))
    targets = [tmp_path / "one.mp4", tmp_path / "two.mp4"]
    for target in targets:
        frames.assemble(str(folder), names, video, str(target))
    made = probe(targets[0])
    assert (made.frames, made.width, made.height, made.fps) == video
    assert made.pixel_format == "yuv420p"
    assert targets[0].read_bytes() == targets[1].read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "100% frames",
        "one.mp4",
        "two.mp4",
    ]


@pytest.mark.parametrize(("every", "count"), [(1, 24), (5, 5), (12, 2), (25, 1)])
def test_an_interval_takes_every_nth_frame_from_the_first_on(
    every: int, count: int, clip: Path, tmp_path: Path
) -> None:
    names = frames.extract(str(clip), str(tmp_path), every, "jpg")
    assert names == [f"{number:06d}.jpg" for number in range(1, count + 1)]


def test_frames_that_a_tool_dropped_are_put_back_and_counted(clip: Path, tmp_path: Path) -> None:
    originals, merged = tmp_path / "originals", tmp_path / "merged"
    names = frames.extract(str(clip), str(originals))
    merged.mkdir()
    for name in names[3:20]:
        (merged / name).write_bytes(b"swapped")
    (merged / names[10]).write_bytes(b"")
    assert frames.put_back(str(originals), str(merged)) == 24 - 17 + 1
    assert frames.pictures(str(merged)) == names
    assert (merged / names[0]).read_bytes() == (originals / names[0]).read_bytes()
    assert (merged / names[5]).read_bytes() == b"swapped"


def test_missing_frames_and_another_size_are_refused(clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    names = frames.extract(str(clip), str(folder))
    video, target = frames.probe(str(clip)), tmp_path / "out.mp4"
    with pytest.raises(ToolFailedError, match="23 swapped frames, but the video has 24"):
        frames.assemble(str(folder), names[1:], video, str(target))
    with pytest.raises(ToolFailedError, match="must be"):
        frames.assemble(str(folder), names, video._replace(width=98), str(target))
    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"no video", None], ids=["empty", "text", "cut"])
def test_an_unreadable_video_is_the_inputs_fault(
    content: bytes | None, clip: Path, tmp_path: Path
) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(clip.read_bytes()[:3000] if content is None else content)
    with pytest.raises(InputUnusableError):
        frames.probe(str(path))
    with pytest.raises(InputUnusableError):
        frames.extract(str(path), str(tmp_path / "frames"))


def test_previews_are_kept_at_intervals_and_over_attempts(clip: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    png = pictures / frames.extract(str(clip), str(pictures), 24)[0]
    previews = Previews(str(tmp_path / "state"), str(tmp_path / "first"), every=100)
    assert previews.keep(str(png), 1)
    assert not previews.keep(str(png), 100)
    assert previews.keep(str(png), 105)
    assert not previews.keep(str(tmp_path / "absent.png"), 300)
    Previews(str(tmp_path / "state"), str(tmp_path / "second"), every=100)
    for out in ("first", "second"):
        kept = sorted((tmp_path / out / "previews").iterdir())
        assert [path.name for path in kept] == ["00000001.jpg", "00000105.jpg"]
        assert kept[0].read_bytes()[:2] == b"\xff\xd8"


def test_previews_can_be_off(tmp_path: Path) -> None:
    assert not Previews(str(tmp_path), str(tmp_path), every=0).wants(1)
