"""The page on performance shows the stored result, and calls each goal what it is."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text()
RESULT = json.loads((ROOT / "benchmarks" / "performance" / "observe.json").read_text())


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
