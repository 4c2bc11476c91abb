"""deface in its own image, run by the container runtime on real clips."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from harness.media.ffmpeg import run_ffmpeg
from harness.media.frames import read_frames
from harness.media.probe import probe
from harness.model.cell import Status
from harness.model.job import Event, ExitCode, Job, Limits, Role, Setting, Step
from harness.tools.engine import Engine
from harness.tools.images.check import check_image
from harness.tools.images.labels import BuiltImage
from harness.tools.registry import find_tool, resolve_settings
from harness.tools.runtime.base import Control, StepOutcome
from harness.tools.runtime.container import ContainerRuntime
from harness.tools.runtime.swapped import video_fault


class Deface:
    """Runs deface's image on a video as the harness does."""

    def __init__(self, folder: Path, image: BuiltImage) -> None:
        self._folder, self._image = folder, image
        self.out = folder / "step" / "out"
        self.events: list[Event] = []

    @property
    def swapped(self) -> Path:
        return self.out / "swapped.mp4"

    def run(self, video: Path, config: str = "default", **settings: Setting) -> StepOutcome:
        tool = find_tool("deface")
        job = Job(
            step=Step.CONVERT,
            tool=tool.name,
            version=tool.versions[-1],
            image_digest=self._image.id,
            inputs={Role.TEST_VIDEO: str(video)},
            state=str(self._folder / "state"),
            out=str(self.out),
            settings={**resolve_settings(tool, config, {}), **settings},
            limits=Limits(wall_s=200.0, memory_bytes=2 << 30),
        )
        step = self._folder / "step"
        step.mkdir(parents=True)
        (self._folder / "state").mkdir()
        runtime = ContainerRuntime(self._folder / "home")
        return runtime.run(tool, job, step, Control(listen=self.events.append))


@pytest.fixture
def deface(tmp_path: Path, deface_image: BuiltImage) -> Deface:
    return Deface(tmp_path / "cell", deface_image)


def _clip(source: Path, target: Path, *options: str) -> Path:
    run_ffmpeg(["-y", "-i", str(source), *options, "-an", "-c:v", "libx264", str(target)])
    return target


def _change(before: Path, after: Path) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Mean absolute difference per pixel position over all frames and channels."""
    pairs = zip(read_frames(before), read_frames(after), strict=True)
    differences = [np.abs(a.astype(float) - b.astype(float)).mean(axis=2) for a, b in pairs]
    mean: np.ndarray[tuple[int, int], np.dtype[np.float64]] = np.mean(differences, axis=0)
    return mean


def test_the_image_keeps_the_contract(engine: Engine, deface_image: BuiltImage) -> None:
    findings = check_image(engine, deface_image)
    assert [one for one in findings if not one.sound] == []
    assert deface_image.revision == "1.5.0"


def test_the_face_is_changed_and_the_rest_of_the_picture_is_not(
    deface: Deface, sample_dir: Path, tmp_path: Path
) -> None:
    clip = _clip(sample_dir / "WolfgangLanger_Pexels.mp4", tmp_path / "woman.mp4", "-frames:v", "3")
    outcome = deface.run(clip, "strong")
    assert outcome.status is Status.OK, outcome.log_tail
    assert video_fault(deface.swapped, probe(clip)) is None
    report = outcome.report
    assert report is not None
    assert (report.frames, report.frames_without_face, report.upstream_revision) == (3, 0, "1.5.0")
    assert report.faces_found == {"test_video": 3}
    change = _change(clip, deface.swapped)
    assert change[150:250, 380:460].mean() > 60
    assert change[:, :150].mean() < 3
    assert (deface.events[-1].done, deface.events[-1].total) == (3, 3)
    assert sorted(path.name for path in deface.out.iterdir()) == ["step.json", "swapped.mp4"]


def test_frames_without_a_face_keep_their_pixels_and_are_counted(
    deface: Deface, sample_dir: Path, tmp_path: Path
) -> None:
    options = ("-frames:v", "6", "-vf", "scale=320:-2")
    clip = _clip(sample_dir / "no_face.mp4", tmp_path / "empty.mp4", *options)
    outcome = deface.run(clip)
    assert outcome.status is Status.OK, outcome.log_tail
    assert outcome.report is not None
    assert (outcome.report.frames, outcome.report.frames_without_face) == (6, 6)
    assert _change(clip, deface.swapped).mean() < 3


@pytest.mark.parametrize(
    "options",
    [
        # Sizes that are not multiples of 16 or even, and a rate that decimals cannot spell.
        ("-vf", "scale=321:181", "-pix_fmt", "yuv444p", "-r", "24000/1001", "-frames:v", "8"),
        # Frames in uneven steps: deface's own reader doubles some of them.
        (
            *("-vf", "select='lt(n,4)+gt(n,20)*lt(n,26)',scale=320:180"),
            *("-fps_mode", "passthrough", "-frames:v", "9"),
        ),
    ],
    ids=["odd", "uneven"],
)
def test_the_count_size_and_rate_of_the_frames_are_kept(
    deface: Deface, sample_dir: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    clip = _clip(sample_dir / "face_noface.mov", tmp_path / "clip.mp4", *options)
    original = probe(clip)
    outcome = deface.run(clip, "boxes", detection_width=160)
    assert outcome.status is Status.OK, outcome.log_tail
    assert video_fault(deface.swapped, original) is None
    assert Fraction(probe(deface.swapped).fps) == Fraction(original.fps)


def test_settings_out_of_bounds_are_a_bad_job(
    deface: Deface, sample_dir: Path, tmp_path: Path
) -> None:
    clip = sample_dir / "no_face.mp4"
    outcome = deface.run(clip, replacewith="img")
    assert (outcome.status, outcome.exit_code) == (Status.TOOL_ERROR, ExitCode.BAD_JOB)
    assert "must be one of: blur, solid, mosaic, none" in outcome.log_tail[-1]


def test_a_video_cut_short_is_no_input(deface: Deface, sample_dir: Path, tmp_path: Path) -> None:
    whole = (sample_dir / "single_face.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 3])
    outcome = deface.run(cut)
    assert (outcome.status, outcome.exit_code) == (Status.TOOL_ERROR, ExitCode.INPUT_UNUSABLE)
    assert not deface.swapped.exists()
