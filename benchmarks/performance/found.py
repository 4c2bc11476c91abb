"""Agreement of the fast path with face_recognition on where a face is, in every tool's output.

    python -m benchmarks.performance.found [--home DIR] [--out FILE] [--extended] [--shapes 7]

Excerpts of the sample dataset's clips, scaled to sizes from 240 to 1080 lines, square and upright
among them; each embedded tool and control in each of its named configs. Every excerpt is given to
every tool in ``--shapes`` of the shapes, which take turns. All frames are compared. Costs are
processor time per frame, over the same frames for both paths; opening a video and its tracker is in
them.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.performance.agreement import Agreement, agreement, embedding_of
from benchmarks.performance.clock import machine
from benchmarks.performance.material import (
    EXCERPTS,
    SHAPES,
    TOOLS,
    Excerpt,
    Shape,
    Workshop,
    configs,
    source_of,
)
from harness.core.threads import JOBS_VARIABLE, thread_limits
from harness.datasets.sample import fetch_sample
from harness.media.frames import read_frames
from harness.store.archives import ignore

GOALS = {
    "pooled_share_of_one_direction": "0.005 or less, per tool and config",
    "frames_of_a_clip_in_one_direction": "1 frame or 2 %",
    "largest_difference_of_mean_distance": "0.005 or less",
}
POOLED, OF_A_CLIP, MEAN_DISTANCE = 0.005, 0.02, 0.005


class Asked(NamedTuple):
    """The work of one process at a time: one excerpt in one shape, by some of the tools."""

    home: Path
    folder: Path
    frames: int
    excerpt: Excerpt
    shape: Shape
    tools: tuple[int, ...]
    """Numbers of ``configs``."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("--home", type=Path, default=Path("bench-home"), help="downloads, models")
    parser.add_argument("--out", type=Path, help="write the result as JSON too")
    parser.add_argument("--frames", type=int, default=25, help="frames of an excerpt, at most")
    parser.add_argument("--shapes", type=int, default=1, help=f"up to {len(SHAPES)}")
    parser.add_argument("--extended", action="store_true", help="the extended sample's clips too")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    asked = parser.parse_args()
    os.environ.update(thread_limits(1) | {JOBS_VARIABLE: "1"})
    fetch_sample(asked.home, asked.extended, ignore)
    with tempfile.TemporaryDirectory() as folder:
        every = list(_plan(asked, Path(folder)))
        with ProcessPoolExecutor(asked.jobs, get_context("spawn")) as pool:
            compared = [one for made in pool.map(compare, every) for one in made]
    result = summary(compared) | {"machine": machine()}
    print(json.dumps(result, indent=2))
    if asked.out:
        asked.out.write_text(json.dumps(result, indent=2) + "\n")


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    pass


def _plan(asked: argparse.Namespace, folder: Path) -> Iterator[Asked]:
    """The largest shapes first, so that no process is left with one at the end."""
    excerpts = [one for one in EXCERPTS if asked.extended or not one.extended]
    for number in sorted(range(len(SHAPES)), key=lambda n: -SHAPES[n].width * SHAPES[n].height):
        for place, excerpt in enumerate(excerpts):
            turns = [
                tool
                for tool, _ in enumerate(configs())
                # 3 and the number of shapes have no common factor.
                if (number - tool - 3 * place) % len(SHAPES) < asked.shapes
            ]
            # What a tool makes of the same clip is never made by two processes.
            own = folder / f"{number}-{place}"
            yield Asked(asked.home, own, asked.frames, excerpt, SHAPES[number], tuple(turns))


def compare(asked: Asked) -> list[dict[str, Any]]:
    """One excerpt in one shape: what each tool makes of it, seen by both paths."""
    home, warm = (_home_like(asked.home, asked.folder / name) for name in ("home", "warm"))
    workshop = Workshop(asked.home, asked.folder, asked.frames)
    photo = embedding_of(next(iter(read_frames(source_of(asked.home, asked.excerpt)))))
    # Models are loaded before anything is timed; elsewhere, for `noop` gives the same video.
    agreement(workshop.clip(asked.excerpt, asked.shape), photo, warm)
    every = list(configs())
    made = []
    for number in asked.tools:
        tool, config = every[number]
        video = workshop.made(tool, config, asked.excerpt, asked.shape)
        seen = agreement(video, photo, home)
        made.append({"tool": tool.name, "config": config, "seen": seen, **_where(asked)})
    return made


def _home_like(home: Path, folder: Path) -> Path:
    """A home with the same models and downloads, and nothing else."""
    folder.mkdir(parents=True)
    for name in ("models", "downloads"):
        (home / name).mkdir(exist_ok=True)
        (folder / name).symlink_to((home / name).absolute())
    return folder


def _where(asked: Asked) -> dict[str, str]:
    return {"clip": asked.excerpt.clip, "shape": asked.shape.name}


def summary(compared: list[dict[str, Any]]) -> dict[str, Any]:
    """Both directions, pooled and of the worst clip, per tool and config."""
    order = {tool.name: place for place, tool in enumerate(TOOLS)}

    def key(one: dict[str, Any]) -> tuple[int, str]:
        return order[one["tool"]], one["config"]

    tools = [_of_tool(list(made)) for _, made in groupby(sorted(compared, key=key), key)]
    return {
        "goals": GOALS,
        "met": all(one["met"] for one in tools),
        "videos": len(compared),
        "frames": sum(one["frames"] for one in tools),
        "shapes": sorted({one["shape"] for one in compared}),
        "clips": sorted({one["clip"] for one in compared}),
        "tools": tools,
    }


def _of_tool(made: list[dict[str, Any]]) -> dict[str, Any]:
    seen: list[Agreement] = [one["seen"] for one in made]
    frames = sum(one.frames for one in seen)
    by_direction: dict[str, Any] = {}
    met = True
    for direction in ("reference_only", "fast_only"):
        counts = [getattr(one, direction) for one in seen]
        worst = max(range(len(made)), key=lambda i: counts[i] / seen[i].frames)
        met &= sum(counts) <= POOLED * frames and all(
            count <= max(1, OF_A_CLIP * one.frames) for count, one in zip(counts, seen, strict=True)
        )
        by_direction[direction] = {
            "frames": sum(counts),
            "worst_clip": {
                "clip": made[worst]["clip"],
                "shape": made[worst]["shape"],
                "frames": counts[worst],
                "of": seen[worst].frames,
            }
            if counts[worst]
            else None,
        }
    return {
        "tool": made[0]["tool"],
        "config": made[0]["config"],
        "videos": len(made),
        "frames": frames,
        "reference": sum(one.reference for one in seen),
        **by_direction,
        "largest_difference_of_mean_distance": max(
            (one.mean_difference for one in seen if one.mean_difference is not None), default=None
        ),
        "largest_difference_of_a_frame": max(
            (one.frame_difference for one in seen if one.frame_difference is not None), default=None
        ),
        "reference_ms": round(sum(one.reference_ms * one.frames for one in seen) / frames, 1),
        "fast_ms": round(sum(one.fast_ms * one.frames for one in seen) / frames, 1),
        "met": met,
    }


if __name__ == "__main__":
    main()
