"""Short clips made once, and a way to run a tool's driver as the harness does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.media.ffmpeg import run_ffmpeg
from harness.media.frames import read_frames
from harness.model.dataset import GalleryFace, Sex
from harness.model.job import Job, Limits, Role, Setting, Step, StepReport
from harness.model.tool import ChildProcess, Tool
from harness.store.media import MediaStore
from harness.tools.registry import resolve_settings


@dataclass(frozen=True)
class Ended:
    """End of a driver, and the places of its files."""

    code: int
    log: str
    errors: str
    out: Path

    @property
    def swapped(self) -> Path:
        return self.out / "swapped.mp4"

    @property
    def report(self) -> StepReport:
        return StepReport.model_validate_json((self.out / "step.json").read_text())


def _cut(source: Path, target: Path, *options: str, frames: int = 12) -> Path:
    run_ffmpeg(
        [
            "-y",
            *("-i", str(source)),
            *("-frames:v", str(frames)),
            *options,
            "-an",
            "-c:v",
            "libx264",
            "-crf",
            "12",
            str(target),
        ]
    )
    return target


@pytest.fixture(scope="session")
def clips(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``woman``, ``man``, ``empty`` (no face) and ``crowd`` (three people), .mp4."""
    folder = tmp_path_factory.mktemp("short clips, 'quoted' é")
    _cut(sample_dir / "WolfgangLanger_Pexels.mp4", folder / "woman.mp4")
    _cut(sample_dir / "single_face.mp4", folder / "man.mp4", frames=8)
    _cut(sample_dir / "no_face.mp4", folder / "empty.mp4", "-vf", "scale=320:-2", frames=6)
    photo = sample_dir / "multi_face.jpg"
    run_ffmpeg(
        [
            "-y",
            "-loop",
            "1",
            "-framerate",
            "25",
            "-i",
            str(photo),
            "-frames:v",
            "4",
            "-vf",
            "scale=640:-2",
            "-pix_fmt",
            "yuv420p",
            str(folder / "crowd.mp4"),
        ]
    )
    whole = (folder / "woman.mp4").read_bytes()
    (folder / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    return folder


_GROUP_PHOTO = {
    # Left, top, width, height: each holds one face of multi_face.jpg.
    (10, Sex.MALE): (425, 175, 120, 160),
    (11, Sex.FEMALE): (495, 285, 165, 175),
    (12, Sex.FEMALE): (290, 205, 165, 190),
    (13, Sex.FEMALE): (645, 265, 170, 190),
}


@pytest.fixture(scope="session")
def people(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Photos of six people: the sample's actors 2 and 3, and four of the group photo."""
    import cv2

    folder = tmp_path_factory.mktemp("people")
    found = {2: folder / "2.png", 3: folder / "3.png"}
    for number, clip in ((2, "WolfgangLanger_Pexels.mp4"), (3, "single_face.mp4")):
        cv2.imwrite(str(found[number]), next(iter(read_frames(sample_dir / clip))))
    group = cv2.imread(str(sample_dir / "multi_face.jpg"))
    assert group is not None
    for (number, _), (left, top, width, height) in _GROUP_PHOTO.items():
        found[number] = folder / f"{number}.png"
        cv2.imwrite(str(found[number]), group[top : top + height, left : left + width])
    return found


@pytest.fixture(scope="session")
def gallery(people: dict[int, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The six people, as the harness hands them to a driver."""
    media = MediaStore(tmp_path_factory.mktemp("gallery home"))
    sexes = {2: Sex.FEMALE, 3: Sex.MALE} | dict(_GROUP_PHOTO.keys())
    faces = []
    for number, path in sorted(people.items()):
        copy = path.with_name(f"copy {path.name}")
        shutil.copyfile(path, copy)
        reference = media.add(copy, ".png", None)
        faces.append(GalleryFace(number=number, sex=sexes[number], reference=reference))
    return media.gallery(faces)


class Driver:
    """Runs tools on a test video in a fresh folder each time."""

    def __init__(self, folder: Path, inputs: dict[Role, str]) -> None:
        self._folder, self._inputs = folder, inputs
        self._runs = 0

    def job(self, tool: Tool, video: Path, settings: dict[str, Setting] | None = None) -> Job:
        """The job the harness would write, with the tool's default settings."""
        self._runs += 1
        folder = self._folder / f"run {self._runs}"
        folder.mkdir()
        given = {**self._inputs, Role.TEST_VIDEO: str(video)}
        return Job(
            step=Step.CONVERT,
            tool=tool.name,
            version=tool.versions[-1],
            inputs={role: given[role] for role in tool.needs},
            state=str(folder / "state"),
            out=str(folder / "out"),
            settings={**resolve_settings(tool, "default", {}), **(settings or {})},
            limits=Limits(wall_s=60.0),
        )

    def run_json(self, tool: Tool, text: str, out: Path) -> Ended:
        """Run the driver on a job file with this text."""
        assert isinstance(tool.runs_as, ChildProcess)
        path = self._folder / f"job {self._runs}.json"
        path.write_text(text)
        command = [sys.executable, "-m", tool.runs_as.module, str(path)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ)
        )
        return Ended(done.returncode, done.stdout, done.stderr, out)

    def run(self, tool: Tool, video: Path, settings: dict[str, Setting] | None = None) -> Ended:
        """Run the driver on a video."""
        job = self.job(tool, video, settings)
        return self.run_json(tool, job.model_dump_json(), Path(job.out))


@pytest.fixture(scope="session")
def inputs(clips: Path, sample_dir: Path, face_landmarker: Path, gallery: Path) -> dict[Role, str]:
    """The donor is the man of the samples, and the actor the woman."""
    return {
        Role.DONOR_TRAINING: str(clips / "man.mp4"),
        Role.DONOR_TEST: str(clips / "man.mp4"),
        Role.DONOR_REFERENCE: str(sample_dir / "single_face.jpg"),
        Role.ACTOR_REFERENCE: str(gallery / "actor02.png"),
        Role.GALLERY: str(gallery),
        Role.FACE_LANDMARKER: str(face_landmarker),
    }


@pytest.fixture
def driver(tmp_path: Path, inputs: dict[Role, str]) -> Driver:
    """A driver runner with files of its own."""
    return Driver(tmp_path, inputs)


Ran = Callable[[Tool, str], Ended]


def looks_at_runs_of(tool: Tool) -> pytest.MarkDecorator:
    """For a test that uses ``ran``: tests that look at the same runs share a worker."""
    return pytest.mark.xdist_group(f"driver-{tool.name}")


def each(tools: Iterable[Tool]) -> pytest.MarkDecorator:
    """The test with every ``tool``, alongside the others that look at its runs."""
    params = [pytest.param(one, id=one.name, marks=looks_at_runs_of(one)) for one in tools]
    return pytest.mark.parametrize("tool", params)


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory, clips: Path, inputs: dict[Role, str]) -> Ran:
    """End of a tool's driver on a clip with default settings: run once, and only to be read."""
    shared = Driver(tmp_path_factory.mktemp("driver runs"), inputs)
    ended: dict[tuple[str, str], Ended] = {}

    def run(tool: Tool, clip: str) -> Ended:
        key = tool.name, clip
        if key not in ended:
            ended[key] = shared.run(tool, clips / clip)
        return ended[key]

    return run


def events(log: str) -> list[dict[str, object]]:
    """The ``@bench`` events of a log."""
    return [json.loads(line[7:]) for line in log.splitlines() if line.startswith("@bench ")]
