"""A results folder that an earlier version wrote still opens; ``written_before`` is one.

Its README.md says how it was made. The videos and photos that it names are not in it: they are
made here, byte for byte, of the sample's files.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from harness.cli.main import app

pytestmark = pytest.mark.clips

WRITTEN_BEFORE = Path(__file__).with_name("written_before")

MEASURED_WITH = {"mediapipe": "1.2.2", "face-recognition": "1.3.0"}
"""Packages whose version is part of what a score was computed from."""
RAISED_SINCE: tuple[str, ...] = ()
"""Versions of this project's own, such as ``SCORING_VERSION``, that were raised on purpose since
the store was written: whoever raises one names it here. A rebuild that moves code raises none."""

unchanged_numbers = pytest.mark.skipif(
    bool(RAISED_SINCE) or any(version(name) != used for name, used in MEASURED_WITH.items()),
    reason="With these versions the scores of then are to be computed again.",
)

NOOP_2 = "noop-1-default-actor02-b0fb520a4bb2"
NOOP_3 = "noop-1-default-actor03-f39da6eedd42"
GREY_2 = "grey-screen-1.0-default-actor02-donor-m-9031d6826777"
GREY_3 = "grey-screen-1.0-default-actor03-donor-m-3c1d5dcad451"
BROKEN = "grey-screen-1.0-broken-actor03-donor-m-35558b7df6a5"
SCORED = {NOOP_2: 0.748, NOOP_3: 0.449, GREY_2: None, GREY_3: None}
"""Cells and their mean SW-OR distance; a grey screen shows no face."""


@dataclass(frozen=True)
class Store:
    """A copy of the results folder, and `bench` on it."""

    home: Path

    def bench(self, *words: str, code: int = 0) -> Result:
        """Run a command; its exit code must be ``code``."""
        done = CliRunner().invoke(app, list(words), env={"BENCH_HOME": str(self.home)})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done

    def json(self, *words: str, code: int = 0) -> Any:
        """Output of a command with ``--json``."""
        return json.loads(self.bench(*words, "--json", code=code).stdout)

    def files(self) -> dict[str, str]:
        """SHA-256 of every file by its place; locks, which come and go, are left out."""
        places = (path for path in self.home.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.home)): _sha256(path.read_bytes())
            for path in places
            if not path.name.endswith("lock")
        }


@pytest.fixture
def before(tmp_path: Path, sample_dir: Path) -> Store:
    """The store as it was written, moved to another place."""
    home = tmp_path / "moved"
    shutil.copytree(WRITTEN_BEFORE, home, ignore=shutil.ignore_patterns("README.md", "made_by.txt"))
    media = {_sha256(one): one for one in _media(sample_dir)}
    for path in home.glob("cells/*/result.json"):
        swapped = json.loads(path.read_text())["swapped"]
        (path.parent / swapped["path"]).parent.mkdir(exist_ok=True)
        (path.parent / swapped["path"]).write_bytes(media[swapped["sha256"]])
    for path in home.glob("cells/*/spec.json"):
        spec = json.loads(path.read_text())
        shown = [spec["actor"]["test"], spec["actor"]["reference"]]
        shown += [spec["donor"]["reference"]] if spec["donor"] else []
        for one in shown:
            (home / "media" / f"{one['sha256']}{one['suffix']}").write_bytes(media[one["sha256"]])
    return Store(home)


def _media(sample_dir: Path) -> Iterator[bytes]:
    for name, frames, rate in (
        ("WolfgangLanger_Pexels.mp4", 11, "24000:1001"),
        ("single_face.mp4", 13, "30:1"),
    ):
        yield _shortened((sample_dir / name).read_bytes(), frames)
        yield _grey_screen(frames, rate)
    for name in ("single_face.jpg", "multi_face.jpg"):
        yield (sample_dir / name).read_bytes()


def _shortened(video: bytes, frames: int) -> bytes:
    """An MP4 that ends after ``frames`` frames and has no sound: its count of samples is changed,
    and its second track is called free space."""
    sizes = video.index(b"stsz")
    sound = video.index(b"trak", sizes)
    count = sizes + 12
    changed = video[:count] + frames.to_bytes(4, "big") + video[count + 4 : sound]
    return changed + b"free" + video[sound + 4 :]


def _grey_screen(frames: int, rate: str) -> bytes:
    """A Y4M video of 640 x 360 pixels."""
    header = f"YUV4MPEG2 W640 H360 F{rate} Ip C420jpeg\n".encode()
    return header + frames * (b"FRAME\n" + bytes([128]) * (640 * 360 * 3 // 2))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_its_cells_stand_as_they_did_under_the_same_ids(before: Store) -> None:
    rows = {row["cell"]: row for row in before.json("status")}
    assert rows.keys() == {*SCORED, BROKEN}
    for cell, row in rows.items():
        assert row["id"] == _sha256((before.home / "cells" / cell / "spec.json").read_bytes())
    assert {row["status"] for cell, row in rows.items() if cell in SCORED} == {"ok"}
    assert all(rows[cell]["scored"] == ["thesis-8"] for cell in SCORED)
    assert {row["earlier"] for row in rows.values()} == {""}
    failed = rows[BROKEN]
    assert (failed["status"], failed["attempts"]) == ("tool_error", 2)
    assert failed["reason"] == "The tool failed (exit 70)."
    assert "It was told to fail." in before.bench("logs", BROKEN).stdout


@unchanged_numbers
def test_every_score_is_kept_and_no_file_is_touched(before: Store) -> None:
    files = before.files()
    said = before.bench("score", "--frames", "8")
    steps = [line for line in said.stderr.splitlines() if " scored " in line or "compared" in line]
    assert len(steps) == 6
    assert all(line.endswith(" kept") for line in steps), steps
    assert before.files() == files


@unchanged_numbers
def test_what_was_measured_is_found_when_another_score_is_asked_for(
    before: Store, sample_cache: Path
) -> None:
    for name in ("downloads", "models"):
        (before.home / name).symlink_to(sample_cache / name)
    files = before.files()
    found = before.json("score", GREY_3, "--frames", "6", "--jobs", "1")
    assert [(row["protocol"], row["fta"]) for row in found["cells"]] == [("thesis-6", 1.0)]
    result = json.loads((before.home / "cells" / GREY_3 / "result.json").read_text())
    folder = f"observations/{result['swapped']['sha256']}/"
    now = before.files()
    assert {place for place in now if place.startswith(folder)} <= files.keys()
    # The re-encoding is not in this store: it was made again, and its note now has a digest.
    kept = {place: sha for place, sha in files.items() if not place.startswith("media/index/")}
    assert kept.items() <= now.items()


def test_a_report_shows_its_numbers(before: Store) -> None:
    files = before.files()
    said = before.json("report")
    assert (said["protocol"], said["cells"], said["scored"]) == ("thesis-8", 5, 4)
    assert any("The face is gone" in sentence for sentence in said["not_ranked"])
    page = Path(said["report"]).read_text()
    for cell, distance in SCORED.items():
        assert cell in page
        assert distance is None or f"{distance:.3f}" in page
    assert files.items() <= before.files().items()


def test_a_site_is_published_and_no_cell_refused(before: Store, tmp_path: Path) -> None:
    files = before.files()
    site = tmp_path / "site"
    said = before.json("publish", str(site))
    assert (said["cells"], said["scored"], said["refused"]) == (5, 4, {})
    assert said["hashes_checked"] is True
    results = json.loads((site / "results.json").read_text())
    numbers = {row["cell"]: row["distance_l2"]["sw_or"] for row in results["cells"]}
    assert {name: numbers[name] for name in SCORED} == pytest.approx(SCORED, abs=5e-4)
    assert before.files() == files


def test_its_versions_can_be_compared(before: Store) -> None:
    # A grey screen keeps nothing of the picture, which is a regression (exit code 3).
    found = before.json("compare", "noop", "grey-screen:default", code=3)
    assert (found["pairs"], found["actors"], found["protocol"]) == (2, [2, 3], "thesis-8")
    lost = next(one for one in found["metrics"] if one["key"] == "lost_faces")
    assert (lost["baseline"], lost["candidate"]) == (0.0, 1.0)


def test_it_answers_queries_and_tells_its_nights(before: Store) -> None:
    rows = before.json("query", "SELECT cell, sw_or_mean FROM scores")
    numbers = {row["cell"]: row["sw_or_mean"] for row in rows}
    assert numbers == pytest.approx(SCORED, abs=5e-4)
    tries = "SELECT cell, count(*) AS tries FROM attempts GROUP BY cell"
    counted = {row["cell"]: row["tries"] for row in before.json("query", tries)}
    assert counted == {**dict.fromkeys(SCORED, 1), BROKEN: 2}
    identified = "SELECT rank_1 FROM cohorts WHERE tool = 'noop' AND attacker = 'naive'"
    assert {"rank_1": 1.0} in before.json("query", identified)
    history = {one["key"]: one["points"] for one in before.json("history")}
    assert [point["night"] for point in history["sw_or"]] == ["2026-01-31"]
    assert history["match_rate"][0]["mean"] == 0.5
