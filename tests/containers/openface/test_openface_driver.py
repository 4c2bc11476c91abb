"""OpenFace's real driver against a stand-in of FeatureExtraction (feature_extraction.py)."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from adapters.openface import OPENFACE
from harness.media.ffmpeg import run_ffmpeg
from harness.model.job import Role, Step
from harness.observe.openface import import_openface, read_openface
from tests.containers.conftest import REVISION, Cell


@pytest.fixture
def cell(tmp_path: Path, small_videos: dict[Role, Path], program: Path) -> Cell:
    """One video to be measured."""
    videos = {Role.VIDEO: small_videos[Role.TEST_VIDEO]}
    return Cell(OPENFACE, tmp_path, videos, {}, {"OPENFACE": str(program)})


def test_a_whole_video_becomes_a_table_that_the_harness_takes(cell: Cell, tmp_path: Path) -> None:
    ended = cell.done(Step.OBSERVE, blind=[3])
    report = ended.report
    assert (report.frames, report.frames_without_face) == (12, 1)
    assert report.faces_found == {"video": 11}
    assert report.upstream_revision == REVISION
    assert "12 frames" in report.notes[0]
    found = import_openface(ended.out / "observation.csv", "0" * 64, 12, tmp_path / "home")
    assert (found.frames, found.usable) == (12, 11)
    table = read_openface(found.path)
    assert table["AU01"].tolist()[0] == 0.2
    assert table.loc[2].isna().sum() == 17
    last = [event for event in ended.events if event.kind == "progress"][-1]
    assert (last.done, last.total, last.unit) == (12, 12, "frames")
    assert not (cell.state / "observe").exists()


def test_frames_that_openface_drops_are_lost_coverage_and_said(cell: Cell, tmp_path: Path) -> None:
    ended = cell.done(Step.OBSERVE, lost_rows=2)
    report = json.loads((ended.out / "step.json").read_text())
    assert (report["frames"], report["frames_without_face"]) == (12, 2)
    assert any("no row for 2 of the video's 12 frames" in note for note in report["notes"])
    found = import_openface(ended.out / "observation.csv", "0" * 64, 12, tmp_path / "home")
    assert (found.missing, found.usable) == (2, 10)


def test_headers_of_older_builds_are_taken_too(cell: Cell, tmp_path: Path) -> None:
    ended = cell.done(Step.OBSERVE, spaced_header=True)
    import_openface(ended.out / "observation.csv", "0" * 64, 12, tmp_path / "home")


@pytest.mark.parametrize(
    ("wish", "code", "text"),
    [
        ({"opens": False}, 65, "cannot open the video"),
        ({"lost_rows": 7}, 70, "rows for 5 of the video's 12 frames"),
        ({"models": False}, 70, "could not load the landmark detector"),
        ({"au_models": False}, 70, "lacks 35 columns, the first is AU01_r"),
        ({"crash": int(signal.SIGILL)}, 70, "compiled for another processor"),
        ({"crash": int(signal.SIGSEGV)}, 70, "SIGSEGV, core dumped"),
        ({"crash": int(signal.SIGKILL)}, 75, "killed from outside"),
    ],
)
def test_it_is_judged_by_its_table_and_not_by_its_exit_code(
    wish: dict[str, Any], code: int, text: str, cell: Cell
) -> None:
    ended = cell.run(Step.OBSERVE, **wish)
    assert ended.code == code, ended.log + ended.errors
    assert text in ended.sentence
    assert not list(ended.out.iterdir()), "nothing that looks like a result"


def test_a_video_that_nothing_can_read_is_unusable(cell: Cell, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(cell.videos[Role.VIDEO].read_bytes()[:900])
    cell.videos = {Role.VIDEO: broken}
    ended = cell.run(Step.OBSERVE)
    assert ended.code == 65
    assert "cannot be read" in ended.sentence


def test_a_long_video_gets_no_note_about_its_length(cell: Cell, tmp_path: Path) -> None:
    video = tmp_path / "long.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=25", "-frames:v", "101"]
    run_ffmpeg([*source, "-c:v", "libx264", "-preset", "ultrafast", str(video)])
    cell.videos = {Role.VIDEO: video}
    assert cell.done(Step.OBSERVE).report.notes == ()


def test_other_steps_are_refused(cell: Cell) -> None:
    ended = cell.run(Step.CONVERT)
    assert ended.code == 64
    assert "no step 'convert'" in ended.sentence


def test_a_missing_program_is_told(cell: Cell) -> None:
    cell.environment["OPENFACE"] = "/nowhere/FeatureExtraction"
    ended = cell.run(Step.OBSERVE)
    assert ended.code == 70
    assert "/nowhere/FeatureExtraction cannot be started" in ended.sentence
