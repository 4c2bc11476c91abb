"""A manifest, clip, image or suite that changed: numbers of before are not mixed with today's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from html import unescape
from pathlib import Path

import pytest

from harness.model.cell import CellSpec

from .kitchen import Kitchen

pytestmark = pytest.mark.clips
SUITE_OF_TWO = {"tool": "noop"}, {"tool": "blur"}


@pytest.fixture
def kitchen(tmp_path: Path, sample_home: Path, sample_dir: Path) -> Kitchen:
    return Kitchen(tmp_path, sample_home, sample_dir)


def ids(specs: Iterable[CellSpec]) -> set[str]:
    return {spec.id for spec in specs}


def test_a_changed_photo_leaves_the_earlier_cell_out_of_everything(kitchen: Kitchen) -> None:
    before = {row["id"] for row in kitchen.run()}
    kitchen.write(photo="third.jpg")
    plan = kitchen.json("run", "--suite", str(kitchen.suite), "--dry-run")
    assert [(cell["actor"], cell["state"]) for cell in plan["cells"]] == [(5, "new"), (6, "done")]
    assert plan["earlier"]["left_out"] == {"manifest": 1}
    rows = {row["id"]: row for row in kitchen.run()}
    (old,) = before - set(rows)
    suite = "--suite", str(kitchen.suite)
    left_out = {"left_out": {"manifest": 1}, "shown": {}}

    assert kitchen.cells() == kitchen.cells(*suite) == set(rows)
    assert kitchen.cells("--earlier") == {old, *rows}
    said = kitchen("status").stderr.splitlines()
    assert said[0] == "1 cell of an earlier manifest is left out."
    assert said[1].startswith("  noop-1-default-actor05-")
    assert old.startswith(said[1][-12:])

    report = kitchen.json("report")
    assert (report["cells"], report["earlier"]) == (2, left_out)
    page = Path(report["report"]).read_text(encoding="utf-8")
    assert "1 cell of an earlier manifest is left out." in page
    assert old[:12] not in page

    more = kitchen.json("report", "--earlier")
    assert (more["cells"], more["earlier"]["shown"]) == (3, {"manifest": 1})
    assert "noop (earlier manifest)" in Path(more["report"]).read_text(encoding="utf-8")

    scored = kitchen.json("score")
    assert ({row["id"] for row in scored["cells"]}, scored["earlier"]) == (set(rows), left_out)
    assert [set(one["score"]["cells"]) for one in scored["cohorts"]] == [set(rows)]

    mean = "SELECT avg(sw_or_mean) AS mean, count(*) AS n FROM scores"
    (today,) = kitchen.json("query", mean)
    expected = sum(row["sw_or_mean"] for row in rows.values()) / 2
    assert (today["mean"], today["n"]) == (pytest.approx(expected), 2)
    assert kitchen.json("query", mean, "--earlier")[0]["n"] == 3
    collected = kitchen.json("run", *suite, "--collect")
    assert ({row["id"] for row in collected["cells"]}, collected["earlier"]) == (
        set(rows),
        left_out,
    )
    for view in ("cells", "results", "attempts"):
        assert kitchen.json("query", f"SELECT count(*) AS n FROM {view}") == [{"n": 2}]
    why = kitchen.json("query", "SELECT earlier FROM cells WHERE earlier <> ''", "--earlier")
    assert why == [{"earlier": "manifest"}]

    site = kitchen.json("publish", str(kitchen.folder / "site"))
    assert (site["cells"], site["earlier"]) == (2, left_out)
    index = (kitchen.folder / "site" / "index.html").read_text(encoding="utf-8")
    assert "1 cell of an earlier manifest is left out." in index


def test_a_photo_that_is_taken_back_makes_its_cell_the_current_one_again(kitchen: Kitchen) -> None:
    before = ids(kitchen.pretend())
    kitchen.write(photo="third.jpg")
    changed = ids(kitchen.pretend())
    kitchen.write(photo="man.jpg")
    assert kitchen.cells() == before, "the manifest is what counts, not the newest attempt"
    kitchen.write(photo="third.jpg")
    assert kitchen.cells() == changed


@pytest.mark.parametrize("changed", ["clip", "in place", "span", "crop", "sex"])
def test_a_manifest_that_changed_has_no_current_cell_of_the_actor_until_it_is_run(
    kitchen: Kitchen, changed: str
) -> None:
    six = next(spec for spec in kitchen.pretend() if spec.actor.number == 6)
    five = kitchen.people[5]
    if changed == "in place":
        shutil.copyfile(kitchen.folder / "other.mp4", kitchen.folder / "five.mp4")
    elif changed == "span":
        five["clips"][0]["span"] = {"end_s": 0.1}
    elif changed == "crop":
        five["photo"] = {"path": "man.jpg", "crop": {"x": 0, "y": 0, "width": 110, "height": 150}}
    elif changed == "sex":
        five["sex"] = "female"
    kitchen.write(**({"clip": "other.mp4"} if changed == "clip" else {}))
    assert kitchen.cells() == {six.id}
    assert kitchen.cells("--dataset", "kitchen") == {six.id}
    states = kitchen.json("status", "--suite", str(kitchen.suite))
    assert sorted(row["status"] for row in states) == ["ok", "planned"]
    refused = kitchen("score", "--actor", "5", code=2).stderr
    assert "1 cell of an earlier manifest is left out." in refused
    after = kitchen.pretend()
    assert kitchen.cells() == ids(after)


@pytest.mark.parametrize("named", ["photo", "clip"])
def test_a_manifest_that_names_a_missing_file_has_no_current_cell_of_the_actor(
    kitchen: Kitchen, named: str
) -> None:
    six = next(spec for spec in kitchen.pretend() if spec.actor.number == 6)
    kitchen.write(**{named: "nowhere.jpg" if named == "photo" else "nowhere.mp4"})
    assert kitchen.cells() == kitchen.cells("--dataset", "kitchen") == {six.id}


def test_cells_stay_current_while_the_disk_of_their_clips_is_not_mounted(kitchen: Kitchen) -> None:
    before = ids(kitchen.pretend())
    for clip in kitchen.folder.glob("*.mp4"):
        clip.unlink()
    assert kitchen.cells() == before


def test_an_actor_who_is_no_longer_in_the_manifest_is_left_out(kitchen: Kitchen) -> None:
    five, six = sorted(kitchen.pretend(), key=lambda spec: spec.actor.number)
    del kitchen.people[5]
    kitchen.write()
    assert kitchen.cells() == {six.id}
    assert kitchen.cells("--earlier") == {five.id, six.id}


def test_a_changed_donor_leaves_out_the_cells_of_that_donor_alone(kitchen: Kitchen) -> None:
    kitchen.order({"tool": "landmark-swap"}, {"tool": "noop"})
    before = kitchen.pretend()
    kitchen.write(donor="third.jpg")
    kept = {spec.id for spec in before if spec.donor is None or spec.donor.name == "Joe"}
    assert len(kept) == 3
    assert kitchen.cells() == kept


def test_a_changed_face_changes_the_gallery_of_everybody(kitchen: Kitchen) -> None:
    kitchen.order({"tool": "k-same", "set": {"k": 2}})
    assert len(kitchen.pretend()) == 2
    kitchen.write(photo="third.jpg")
    assert kitchen.cells() == set()
    after = kitchen.pretend()
    assert kitchen.cells() == ids(after)
    del kitchen.people[6]
    kitchen.write()
    assert kitchen.cells() == set(), "who is in the gallery changed"


def test_cells_of_an_earlier_image_are_not_averaged_with_those_of_the_newer(
    kitchen: Kitchen,
) -> None:
    old = kitchen.pretend(digest="sha256:" + "a" * 64)
    new = kitchen.pretend(digest="sha256:" + "b" * 64, actors="5")
    assert kitchen.cells() == ids(new)
    assert "2 cells of an earlier image are left out." in kitchen("report").stderr
    page = Path(kitchen.json("report", "--earlier")["report"]).read_text(encoding="utf-8")
    assert "noop (earlier image)" in page
    kitchen.pretend(digest="sha256:" + "a" * 64)
    assert kitchen.cells() == ids(old), "the image that was run last counts"


def test_a_suite_has_the_cells_that_it_names_today(kitchen: Kitchen) -> None:
    kitchen.order({"tool": "noop"}, {"tool": "blur"}, {"tool": "mask"})
    before = kitchen.pretend()
    kitchen.order({"tool": "noop"}, {"tool": "blur", "set": {"strength": 0.9}})
    after = kitchen.pretend()
    assert kitchen.cells("--suite", str(kitchen.suite)) == ids(after)
    said = kitchen("report", "--suite", str(kitchen.suite)).stderr
    assert "4 cells run for the suite that it does not name now are left out." in said
    every = kitchen.cells("--suite", str(kitchen.suite), "--earlier")
    assert every == ids([*before, *after])


def test_limits_of_a_suite_that_changed_have_a_column_of_their_own(kitchen: Kitchen) -> None:
    kitchen.pretend()
    text = kitchen.suite.read_text(encoding="utf-8")
    kitchen.suite.write_text(f"{text}limits: {{wall_s: 60}}\n", encoding="utf-8")
    kitchen.pretend()
    page = Path(kitchen.json("report")["report"]).read_text(encoding="utf-8")
    assert "noop, at most 60 s a step" in page


def test_a_copy_of_the_results_knows_which_cells_were_current(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    before = kitchen.pretend()
    kitchen.write(photo="third.jpg")
    kitchen.pretend()
    kitchen.write(photo="man.jpg")
    kitchen.pretend()
    copy = tmp_path / "copy"
    shutil.copytree(kitchen.home, copy, symlinks=True)
    for gone in (kitchen.manifest, *kitchen.folder.glob("*.mp4"), *kitchen.folder.glob("*.jpg")):
        gone.unlink()
    kitchen.home = copy
    assert kitchen.cells() == kitchen.cells("--dataset", "kitchen") == ids(before)
    assert kitchen.cells("--dataset", str(kitchen.manifest)) == ids(before)
    assert kitchen.cells("--suite", str(kitchen.suite)) == ids(before)


def test_of_cells_from_before_there_were_records_the_newest_is_taken(kitchen: Kitchen) -> None:
    kitchen.pretend()
    kitchen.write(photo="third.jpg")
    after = kitchen.pretend()
    shutil.rmtree(kitchen.home / "manifests")
    assert kitchen.cells() == ids(after)


def test_a_cell_that_is_named_is_shown_though_it_is_earlier(kitchen: Kitchen) -> None:
    old = next(spec for spec in kitchen.pretend() if spec.actor.number == 5)
    kitchen.write(photo="third.jpg")
    new = next(spec for spec in kitchen.pretend() if spec.actor.number == 5)
    assert kitchen.cells(old.slug) == {old.id}
    assert kitchen.cells("noop-1-default-actor05") == {new.id}
    kitchen("logs", "noop-1-default-actor05")


def test_earlier_cells_can_be_removed_with_their_scores(kitchen: Kitchen) -> None:
    old = next(spec for spec in kitchen.pretend() if spec.actor.number == 5)
    kitchen.write(photo="third.jpg")
    after = kitchen.pretend()
    cohort = kitchen.home / "scores" / "cohorts" / "k" / "thesis-2.json"
    cohort.parent.mkdir(parents=True)
    cohort.write_text(json.dumps({"cells": [old.id]}))
    kitchen("clean", "--yes")
    assert kitchen.cells("--earlier") == ids([old, *after])
    kitchen("clean", "--earlier", "--yes")
    assert kitchen.cells("--earlier") == ids(after)
    assert not (kitchen.home / "scores" / old.id).exists()
    assert not cohort.exists()


def test_a_comparison_takes_todays_cells_and_names_the_others(kitchen: Kitchen) -> None:
    kitchen.order(*SUITE_OF_TWO)
    before = kitchen.pretend()
    kitchen.write(photo="third.jpg")
    kitchen.pretend()
    found = kitchen.json("compare", "noop", "blur", code=0)
    old = {spec.slug for spec in before if spec.actor.number == 5}
    assert {*found["baseline"]["replaced"], *found["candidate"]["replaced"]} == old
    assert (found["baseline"]["scored"], found["candidate"]["scored"]) == (2, 2)


def test_a_name_and_a_path_mean_the_same_dataset_in_every_command(kitchen: Kitchen) -> None:
    kitchen.order(*SUITE_OF_TWO)
    specs = kitchen.pretend()
    path, name = str(kitchen.manifest), "kitchen"
    for one in (path, name):
        given = "--dataset", one
        assert kitchen.cells(*given) == ids(specs)
        assert kitchen.cells(*given, "--suite", str(kitchen.suite)) == ids(specs)
        assert kitchen.json("report", *given)["cells"] == len(specs)
        assert kitchen.json("compare", "noop", "blur", *given)["baseline"]["scored"] == 2
        assert kitchen.json("run", "--tool", "noop", *given, "--dry-run")["totals"]["done"] == 2
        assert kitchen.json("retry", "--all-failed", *given) == []
        site = kitchen.json("publish", str(kitchen.folder / "site"), *given)
        assert site["cells"] == len(specs)
        assert len(kitchen.json("observe", "list", *given)) > 0
    assert "There is no dataset 'kichen'. Did you mean 'kitchen'?" in (
        kitchen("status", "--dataset", "kichen", code=2).stderr
    )


def test_of_two_manifests_of_one_name_the_one_that_is_meant_is_said(kitchen: Kitchen) -> None:
    first = kitchen.pretend()
    other = kitchen.folder / "other.yaml"
    kitchen.people[5]["photo"] = "third.jpg"
    original, kitchen.manifest = kitchen.manifest, other
    kitchen.write()
    kitchen.order({"tool": "noop"})
    warned = kitchen("run", "--suite", str(kitchen.suite), "--dry-run").stderr
    assert f"another manifest called 'kitchen', {original}" in " ".join(warned.split())
    second = kitchen.pretend()
    assert kitchen.cells("--dataset", str(original)) == ids(first)
    assert kitchen.cells("--dataset", str(other)) == ids(second)
    assert kitchen.cells("--dataset", "kitchen") == ids(second)
    for options in ([], ["--dataset", "kitchen"]):
        for command in (["status"], ["report"], ["publish", str(kitchen.folder / "site")]):
            said = " ".join(kitchen(*command, *options).stderr.split())
            assert "2 manifests share the name 'kitchen'" in said
            assert (
                f"run last; cells of the other count as of an earlier manifest. Used: {other}. "
                f"To choose the other: --dataset {original}." in said
            )
        compared = kitchen("compare", "noop", "noop", *options, code=2)
        assert f"Used: {other}" in " ".join(compared.stderr.split())
    named = " ".join(kitchen("status", "--dataset", str(original)).stderr.split())
    assert "those of the one that was named; cells of the other count as of an earlier" in named
    assert f"Used: {original}. To choose the other: --dataset {other}." in named


def test_a_manifest_that_cannot_be_read_is_named_wherever_its_last_cells_are_shown(
    kitchen: Kitchen,
) -> None:
    """Its cells of before the change were once shown as today's without a word."""
    kitchen.pretend()
    text = kitchen.manifest.read_text(encoding="utf-8")
    kitchen.manifest.write_text(f"{text}colour: red\n", encoding="utf-8")
    sentence = "The manifest of 'kitchen' cannot be read: its cells here are those of the last run."
    page = kitchen.folder / "page.html"
    for command in (["status"], ["status", "--dataset", "kitchen"], ["report", "--out", str(page)]):
        said = " ".join(kitchen(*command).stderr.split())
        assert sentence in said
        assert str(kitchen.manifest) in said
    assert "cannot be read: its cells here" in page.read_text(encoding="utf-8")
    assert str(kitchen.manifest) not in page.read_text(encoding="utf-8")
    kitchen("status", "--dataset", str(kitchen.manifest), code=2)


def test_pages_name_the_clash_of_two_manifests_without_their_paths(
    kitchen: Kitchen,
) -> None:
    kitchen.order(*SUITE_OF_TWO)
    kitchen.pretend()
    kitchen.people[5]["photo"] = "third.jpg"
    kitchen.manifest = kitchen.folder / "other.yaml"
    kitchen.write()
    kitchen.order(*SUITE_OF_TWO)
    kitchen.pretend()
    clash = "2 manifests share the name 'kitchen'"
    page = kitchen.folder / "page.html"
    kitchen("report", "--out", str(page))
    compared = kitchen.json("compare", "noop", "blur")
    assert any(clash in note for note in compared["notes"])
    for text in (unescape(page.read_text(encoding="utf-8")), str(compared["notes"])):
        assert clash in text
        assert ".yaml" not in text


def test_two_manifests_of_one_name_and_the_same_people_are_no_clash(kitchen: Kitchen) -> None:
    first = kitchen.pretend()
    kitchen.manifest = kitchen.folder / "copy.yaml"
    kitchen.write()
    assert kitchen.pretend() == first
    assert "share the name" not in kitchen("status").stderr
