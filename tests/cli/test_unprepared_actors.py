"""An actor who cannot be prepared was asked for all the same: no denominator loses them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.media.ffmpeg import run_ffmpeg

from .kitchen import Kitchen

pytestmark = pytest.mark.clips
FEW = "Only 1 of its 2 cells are done; a rank takes 90 %."
WHY = "Could not be prepared: Actor 5 of 'kitchen': "


@pytest.fixture
def kitchen(tmp_path: Path, sample_home: Path, sample_dir: Path) -> Kitchen:
    """Actor 5's photo shows nobody."""
    found = Kitchen(tmp_path, sample_home, sample_dir)
    grey = ["-f", "lavfi", "-i", "color=gray:size=160x160", "-frames:v", "1"]
    run_ffmpeg([*grey, str(tmp_path / "nobody.jpg")])
    found.write(photo="nobody.jpg")
    return found


def run(kitchen: Kitchen, *more: str, code: int = 1) -> None:
    kitchen("run", "--suite", str(kitchen.suite), *more, code=code)


def states(kitchen: Kitchen, *selection: str) -> dict[str, str]:
    """Status by tool and actor."""
    rows = kitchen.json("status", *selection)
    return {f"{row['tool']} {row['actor']}": row["status"] for row in rows}


def side(kitchen: Kitchen, *more: str) -> dict[str, Any]:
    """Coverage of the candidate, mask, against blur."""
    found: dict[str, Any] = kitchen.json("compare", "blur", "mask", *more)["candidate"]
    return found


def test_one_of_two_actors_is_one_of_two_in_status_report_site_and_comparison(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    kitchen.order({"tool": "blur"}, {"tool": "mask"})
    kitchen.pretend(actors="6")
    run(kitchen, "--actor", "5", code=2)
    # Another machine has the results folder alone.
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(kitchen.home, elsewhere, symlinks=True)
    kitchen.home = elsewhere
    kitchen.manifest.unlink()
    assert states(kitchen) == {
        "blur 5": "unusable",
        "blur 6": "ok",
        "mask 5": "unusable",
        "mask 6": "ok",
    }
    (row,) = kitchen.json("status", "--status", "unusable", "--tool", "blur")
    assert row["reason"].startswith(WHY)
    assert "nobody.jpg" in row["reason"]
    assert str(kitchen.folder) not in row["reason"], "a path says nothing elsewhere"

    report = kitchen.json("report")
    assert (report["cells"], report["scored"]) == (4, 2)
    assert FEW in report["headline"][0]["sure"]
    page = " ".join(Path(report["report"]).read_text(encoding="utf-8").split())
    assert "2 of 4 cells scored" in page
    assert "1 of 2 cells scored" in page
    assert "2 cells that were asked for count as not done. Could not be prepared" in page
    assert "same reference face" not in page

    site = kitchen.folder / "site"
    assert kitchen.json("publish", str(site))["cells"] == 4
    results = json.loads((site / "results.json").read_text(encoding="utf-8"))
    assert {(t["tool"], t["scored"], t["cells"]) for t in results["tools"]} == {
        ("blur", 1, 2),
        ("mask", 1, 2),
    }
    assert FEW in {tool["rank_reason"] for tool in results["tools"]}
    lost = [cell for cell in results["cells"] if cell["actor"] == 5]
    assert [cell["status"] for cell in lost] == ["unusable"] * 2
    assert (site / lost[0]["page"]).is_file()

    compared = side(kitchen)
    assert (compared["scored"], compared["cells"]) == (1, 2)
    assert compared["unprepared"] == ["mask-2-default-actor05"]
    assert "1 that could not be prepared: mask-2-default-actor05" in " ".join(
        kitchen("compare", "blur", "mask").stdout.split()
    )

    # What is selected is what was asked.
    assert kitchen.json("report", "--actor", "6")["cells"] == 2
    assert kitchen.json("report", "--tool", "blur")["cells"] == 2
    assert side(kitchen, "--actor", "6")["unprepared"] == []
    assert states(kitchen, "--suite", str(kitchen.suite), "--tool", "mask") == {
        "mask 5": "unusable",
        "mask 6": "ok",
    }


def test_an_actor_who_is_prepared_later_is_done_like_any_other(kitchen: Kitchen) -> None:
    kitchen.order({"tool": "blur"}, {"tool": "mask"})
    done = kitchen("run", "--suite", str(kitchen.suite), code=1)
    assert FEW in " ".join(done.stdout.split())
    collected = kitchen.json("run", "--suite", str(kitchen.suite), "--collect")
    assert "2 of 4 cells scored" in Path(collected["report"]).read_text(encoding="utf-8")
    assert "1 of 2 cells scored" in kitchen("score", "--tool", "blur").stdout
    kitchen.write(photo="man.jpg")
    kitchen.order({"tool": "blur"})
    run(kitchen, code=0)
    found = {"blur 5": "ok", "blur 6": "ok", "mask 5": "unusable", "mask 6": "ok"}
    assert states(kitchen) == found
    assert len(list((kitchen.home / "manifests" / "unprepared").iterdir())) == 1


def test_a_photo_that_is_spoilt_later_leaves_an_earlier_cell_and_nothing_done(
    kitchen: Kitchen,
) -> None:
    kitchen.write(photo="man.jpg")
    kitchen.pretend()
    kitchen.write(photo="nobody.jpg")
    run(kitchen, "--actor", "5", code=2)
    assert states(kitchen) == {"noop 5": "unusable", "noop 6": "ok"}
    # Who is not in the manifest any more is asked for by nobody.
    del kitchen.people[5]
    kitchen.write()
    assert states(kitchen) == {"noop 6": "ok"}


def test_every_seed_of_an_actor_who_is_run_alone_and_cannot_be_prepared_counts(
    kitchen: Kitchen,
) -> None:
    text = kitchen.suite.read_text(encoding="utf-8")
    kitchen.suite.write_text(f"{text}repeat: {{times: 2}}\n", encoding="utf-8")
    run(kitchen, "--actor", "5", "--dry-run", code=0)
    assert states(kitchen) == {}, "a dry run asks for nothing"
    run(kitchen, "--actor", "5", code=2)
    assert len(kitchen.json("status", "--status", "unusable")) == 2
    kitchen.pretend(actors="6")
    report = kitchen.json("report")
    assert (report["cells"], report["scored"]) == (4, 2)
    kitchen("clean", "--failed", "--yes")
    assert kitchen.json("report")["cells"] == 2


def test_an_actor_whose_only_clip_is_gone_counts_though_nothing_was_prepared(
    kitchen: Kitchen,
) -> None:
    (kitchen.folder / "five.mp4").unlink()
    alone = "--suite", str(kitchen.suite), "--actor", "5"
    kitchen("run", *alone, "--dry-run", code=2)
    assert states(kitchen) == {}, "a dry run asks for nothing"
    kitchen("run", *alone, code=2)
    assert states(kitchen) == {"noop 5": "unusable"}
    assert states(kitchen, "--dataset", str(kitchen.manifest)) == {"noop 5": "unusable"}
    assert states(kitchen, "--dataset", "kitchen") == {"noop 5": "unusable"}
