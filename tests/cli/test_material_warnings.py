"""Faults of a manifest's material are reported before anything runs, and in the report."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .kitchen import Kitchen

pytestmark = pytest.mark.clips


@pytest.fixture
def kitchen(tmp_path: Path, sample_home: Path, sample_dir: Path) -> Kitchen:
    return Kitchen(tmp_path, sample_home, sample_dir)


def dry_run(kitchen: Kitchen, code: int = 0, *more: str) -> str:
    done = kitchen("run", "--suite", str(kitchen.suite), "--dry-run", *more, code=code)
    return " ".join(done.output.split())


@pytest.mark.parametrize("what", ["photo", "clip"])
def test_material_that_two_actors_share_is_named_before_the_run_and_in_the_report(
    kitchen: Kitchen, what: str
) -> None:
    assert "Warning" not in dry_run(kitchen)
    # A copy under another name is the same material.
    original = {"photo": "woman.jpg", "clip": "six.mp4"}[what]
    shutil.copyfile(kitchen.folder / original, kitchen.folder / f"copy-{original}")
    kitchen.write(**{what: f"copy-{original}"})
    said = dry_run(kitchen)
    assert f"Warning: Actor 5 and actor 6 are shown by the same {what}" in said
    assert f"(copy-{original}, {original})." in said
    plan = kitchen.json("run", "--suite", str(kitchen.suite), "--dry-run")
    assert len(plan["warnings"]) == 1
    kitchen.pretend()
    page = Path(kitchen.json("report")["report"]).read_text(encoding="utf-8")
    same = {"photo": "reference face", "clip": "test video"}[what]
    assert f"Actors 5, 6 have the same {same}: distances, attacks and ranks" in page


def test_stretches_of_a_clip_that_do_not_meet_are_no_fault_and_those_that_do_are(
    kitchen: Kitchen,
) -> None:
    shared = {"path": "six.mp4", "part": "test"}
    kitchen.people[5]["clips"] = [shared | {"span": {"end_s": 0.1}}]
    kitchen.people[6]["clips"] = [shared | {"span": {"start_s": 0.1}}]
    kitchen.write()
    assert "Warning" not in dry_run(kitchen)
    kitchen.people[6]["clips"] = [shared | {"span": {"start_s": 0.05}}]
    kitchen.write()
    assert "Warning: Actor 5 and actor 6 are shown by the same clip (six.mp4)." in dry_run(kitchen)


def test_a_donor_who_is_the_actor_is_named(kitchen: Kitchen) -> None:
    kitchen.order({"tool": "landmark-swap"})
    kitchen.write(photo="third.jpg")
    said = dry_run(kitchen)
    assert "Warning: Actor 5 and donor Joe are shown by the same photo (third.jpg)." in said
    kitchen.pretend()
    page = Path(kitchen.json("report")["report"]).read_text(encoding="utf-8")
    assert "The donor has the reference face of the actor: actors 5, 6." in page


@pytest.mark.parametrize("gone", ["five.mp4", "man.jpg"])
def test_a_dry_run_names_files_that_are_missing_and_the_cells_they_cost(
    kitchen: Kitchen, gone: str
) -> None:
    (kitchen.folder / gone).unlink()
    said = dry_run(kitchen, 1)
    assert "noop 1 default, actor 5 cannot be run." in said
    assert f"{kitchen.folder / gone} does not exist." in said
    plan = kitchen.json("run", "--suite", str(kitchen.suite), "--dry-run", code=1)
    assert [one["actor"] for one in plan["unusable"]] == [5]
    assert "Error: Actor 5 of 'kitchen'" in dry_run(kitchen, 2, "--actor", "5")


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("man.jpg", "", "is empty"),
        ("man.jpg", "no picture", "is not a picture."),
        ("five.mp4", "no video", "not a video"),
    ],
)
def test_a_dry_run_names_a_file_that_cannot_be_read(
    kitchen: Kitchen, file: str, content: str, says: str
) -> None:
    (kitchen.folder / file).write_text(content)
    said = dry_run(kitchen, 1)
    assert says in said
    assert file in said


def test_a_run_of_nothing_but_missing_clips_ends_before_anything_is_prepared(
    kitchen: Kitchen,
) -> None:
    for name in ("five.mp4", "six.mp4"):
        (kitchen.folder / name).unlink()
    said = kitchen("run", "--suite", str(kitchen.suite), code=2).stderr
    assert said.count("does not exist") == 2
    assert "preparing" not in said
