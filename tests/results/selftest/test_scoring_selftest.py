"""`bench selftest scoring` on the real clips: every known answer is met, and nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import controls, k_same, naive
from harness.results.selftest.scoring import ScoringReport, self_test_scoring
from harness.results.selftest.tool import Voice

# One run serves all tests here, so one worker has them all.
pytestmark = [
    pytest.mark.clips,
    pytest.mark.timeout(2400),
    pytest.mark.xdist_group("scoring-selftest"),
]

TOOLS = (
    controls.NOOP,
    controls.REENCODE,
    controls.BLACKBOX,
    controls.ORACLE,
    controls.TIME_SHIFT,
    controls.FLICKER,
    controls.LEAK,
    naive.BLUR,
    naive.PIXELATE,
    k_same.K_SAME,
)
EXPECTED = (
    "noop",
    "reencode",
    "blackbox",
    "oracle",
    "time-shift, short",
    "time-shift, long",
    "flicker",
    "leak",
    "blur, 0.01",
    "blur, 0.02",
    "blur, 0.03",
    "pixelate, 40",
    "pixelate, 30",
    "pixelate, 20",
    "k-same, k = 3",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, sample_cache: Path) -> Path:
    home = tmp_path_factory.mktemp("bench home")
    for name in ("downloads", "models"):
        (home / name).symlink_to(sample_cache / name)
    return home


@pytest.fixture(scope="module")
def report(home: Path) -> ScoringReport:
    tools = {tool.name: tool for tool in TOOLS}
    return self_test_scoring(home, tools, Voice(lambda text: None, lambda text: None))


def test_every_known_answer_is_met(report: ScoringReport) -> None:
    for answer in report.answers:
        print(f"{answer.name}: expected {answer.expected}; seen {answer.seen}")
    assert tuple(answer.name for answer in report.answers) == EXPECTED
    assert [answer.name for answer in report.answers if not answer.passed] == []
    assert report.passed


def test_the_store_is_left_as_it_was(report: ScoringReport, home: Path) -> None:
    assert report.answers
    assert not list((home / "selftest").iterdir())
    assert not (home / "cells").exists()
