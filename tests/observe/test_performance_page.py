"""The page on performance shows the stored result, and calls each goal what it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.performance.agreement import Agreement
from benchmarks.performance.found import MEAN_DISTANCE, OF_A_CLIP, POOLED, summary
from benchmarks.performance.material import configs

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text()
RESULT = json.loads((ROOT / "benchmarks" / "performance" / "observe.json").read_text())
FOUND = json.loads((ROOT / "benchmarks" / "performance" / "found.json").read_text())


def row(starts: str) -> list[str]:
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {starts}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_shows_the_stored_numbers() -> None:
    for starts, name in (
        ("decoding alone", "decode"),
        ("reference path", "reference"),
        ("fast path", "fast"),
        ("whole observation:", "observation"),
        ("floor", "floor"),
    ):
        assert row(starts)[1] == f"{RESULT['per_frame_ms'][name]:.2f}"
    assert float(row("largest difference of a mean")[2]) == round(
        RESULT["largest_mean_difference"], 4
    )
    assert float(row("largest difference of a single")[2]) == round(
        RESULT["largest_frame_difference"], 4
    )


def test_a_goal_is_called_met_only_when_it_is() -> None:
    for starts, name, met in (
        (
            "reference / fast, of a frame",
            "reference_over_fast_of_a_frame_in_memory",
            RESULT["reference_over_fast_of_a_frame_in_memory"] >= 20,
        ),
        (
            "whole observation / floor",
            "observation_over_floor",
            RESULT["observation_over_floor"] <= 1.3,
        ),
        (
            "largest difference of a mean",
            "largest_mean_difference",
            RESULT["largest_mean_difference"] <= 0.005,
        ),
        (
            "largest difference of a single",
            "largest_frame_difference",
            RESULT["largest_frame_difference"] <= 0.05,
        ),
    ):
        assert row(starts)[3].startswith("met" if met else "missed"), name
    for starts, name in (
        ("reference / fast, of a frame", "reference_over_fast_of_a_frame_in_memory"),
        ("reference / fast, decoding", "reference_over_fast"),
    ):
        assert float(row(starts)[2]) == RESULT[name]
    two = RESULT["speed_of_two_processes"]
    assert row("two processes")[2] == f"{two:.2f}"


def test_the_page_shows_both_directions_for_every_tool_and_config() -> None:
    asked = {(tool.name, config) for tool, config in configs()}
    assert {(one["tool"], one["config"]) for one in FOUND["tools"]} == asked
    for one in FOUND["tools"]:
        shown = row(f"{one['tool']}:{one['config']} ")[1:]
        only = [str(one[way]["frames"]) for way in ("reference_only", "fast_only")]
        costs = [f"{one[path]:.0f}" for path in ("reference_ms", "fast_ms")]
        assert shown == [str(one["frames"]), str(one["reference"]), *only, *costs]
        for way in ("reference_only", "fast_only"):
            assert one[way]["frames"] <= POOLED * one["frames"] or not one["met"]
    assert f"{FOUND['frames']} frames of {FOUND['videos']} videos" in PAGE
    largest = max(one["largest_difference_of_mean_distance"] or 0 for one in FOUND["tools"])
    assert f"by {largest:.4f} at most" in PAGE
    assert (largest <= MEAN_DISTANCE) == ("below the goal of 0.005" in PAGE)


def compared(frames: int, reference_only: int, fast_only: int, clip: str) -> dict[str, Any]:
    seen = Agreement(frames, frames, reference_only, fast_only, 0.001, 0.02, 100.0, 10.0)
    return {"tool": "blur", "config": "weak", "clip": clip, "shape": "480x480", "seen": seen}


def test_a_tool_meets_the_goal_pooled_and_in_its_worst_clip_in_each_direction() -> None:
    few = [compared(1000, 0, 0, "a"), compared(100, 2, 1, "b")]
    assert OF_A_CLIP * 100 == 2
    (tool,) = summary(few)["tools"]
    assert tool["met"]
    assert tool["reference_only"]["worst_clip"] == {
        "clip": "b",
        "shape": "480x480",
        "frames": 2,
        "of": 100,
    }
    assert not summary([compared(1000, 0, 0, "a"), compared(100, 0, 3, "b")])["met"]
    assert not summary([compared(400, 3, 0, "a"), compared(100, 0, 0, "b")])["met"]
    assert summary([compared(25, 0, 0, "a")])["tools"][0]["fast_only"]["worst_clip"] is None
