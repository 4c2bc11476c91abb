"""``bench run``'s plan, its choice of cells, collecting alongside a run; nothing is run here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.controls import ORACLE
from harness.media.ffmpeg import run_ffmpeg
from harness.model.cell import Status

from .conftest import Bench

pytestmark = pytest.mark.clips


@pytest.fixture
def store(sample_home: Path) -> Bench:
    """Of quickstart's 20 cells: one done and scored, one done, one failed."""
    bench = Bench(sample_home)
    bench.score(bench.add("noop", 3), "thesis-60")
    bench.add("noop", 2)
    version = ORACLE.versions[-1]
    bench.add("oracle", 2, donor="actor03", status=Status.TIMEOUT, version=version)
    return bench


def plan(bench: Bench, *args: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        bench("run", "--suite", "quickstart", "--dry-run", "--json", *args).stdout
    )
    return found


def to_run(found: dict[str, Any]) -> list[tuple[str, int]]:
    return [(c["tool"], c["actor"]) for c in found["cells"] if c["run"] and c["state"] != "done"]


def test_the_plan_says_what_is_done_and_what_the_rest_may_take(store: Bench) -> None:
    said = store("run", "--suite", "quickstart", "--dry-run").stdout
    assert "10 configs of 8 tools x 2 actors x 0 to 1 donors = 20 cells on 'sample'" in said
    assert "2 done, 1 failed before, 18 to run." in said
    assert "by limits" not in said, "an hour each says nothing of minutes of work"
    assert "usually seconds to minutes each for 18 cells of tools that do not train" in said
    assert "no like one is done (stopped after 1.0 h)" in said
    assert said.endswith("Nothing was run (--dry-run).\n")


def test_like_cells_judge_the_time_where_there_are_some(store: Bench) -> None:
    (failed,) = [one for one in store.store.list() if one.tool == "oracle"]
    store.attempt(failed, Status.OK)
    found = plan(store)
    row = {tool["tool"]: tool for tool in found["tools"]}
    assert (row["noop"]["to_run"], row["noop"]["basis"]) == (0, None)
    oracle = row["oracle"]
    assert (oracle["to_run"], oracle["basis"], oracle["wall_s"]) == (1, "like cells", 1.5)
    assert row["blackbox"]["basis"] == "unknown"
    totals = found["totals"]
    assert totals["wall_s_by_like_cells"] == 1.5
    assert totals["wall_s_at_most_by_limits"] == 0
    assert totals["cells_of_unknown_time"] == 16


def test_only_failed_and_limit_choose_what_is_run(store: Bench) -> None:
    assert to_run(plan(store, "--only-failed")) == [("oracle", 2)]
    three = to_run(plan(store, "--limit", "3"))
    assert three == [("reencode", 2), ("blackbox", 2), ("oracle", 2)]
    assert plan(store, "--limit", "3")["totals"]["to_run"] == 3


def test_a_cell_that_another_process_runs_is_told(store: Bench) -> None:
    (spec,) = [one for one in store.store.list() if one.tool == "oracle"]
    with store.store.lock(spec):
        found = plan(store)
    assert found["totals"]["running"] == 1
    assert to_run({"cells": [c for c in found["cells"] if c["tool"] == "oracle"]}) == [
        ("oracle", 2),
        ("oracle", 3),
    ]


def test_nothing_left_to_run_is_no_error(store: Bench) -> None:
    said = store("run", "--suite", "quickstart", "--only-failed", "--actor", "3")
    assert said.stdout == "No cell of 'quickstart' is left to run in this choice.\n"


def test_collect_reports_what_is_done_and_takes_no_lock(store: Bench) -> None:
    (running,) = [one for one in store.store.list() if one.tool == "oracle"]
    before = sorted(path for path in store.home.rglob("*") if "reports" not in path.parts)
    with store.store.lock(running):
        said = store("run", "--suite", "quickstart", "--collect").stdout
    assert "quickstart, 20 cells: 2 done, 1 running, 0 failed, 17 new; 1 scored." in said
    page = store.home / "reports" / "quickstart-so-far.html"
    assert "noop" in page.read_text(encoding="utf-8")
    after = sorted(path for path in store.home.rglob("*") if "reports" not in path.parts)
    assert after == before


def test_collect_as_json_names_cells_and_page(store: Bench) -> None:
    found = json.loads(store("run", "--suite", "quickstart", "--collect", "--json").stdout)
    assert found["report"].endswith("quickstart-so-far.html")
    assert [cell["sw_or_mean"] for cell in found["cells"]] == [None, 0.75]
    assert found["counts"] == {"done": 2, "running": 0, "failed": 1, "new": 17}


def test_collect_with_nothing_done_says_so(sample_home: Path) -> None:
    said = Bench(sample_home)("run", "--suite", "quickstart", "--collect").stdout
    assert "There is nothing to report yet." in said


def test_collect_and_options_of_running_exclude_one_another(store: Bench) -> None:
    said = store("run", "--suite", "quickstart", "--collect", "--limit", "2", code=2)
    assert "--collect runs nothing" in said.stderr


@pytest.fixture
def short(sample_dir: Path, tmp_path: Path) -> Path:
    """A dataset with one actor, whose video has six frames."""
    clip = ["-i", str(sample_dir / "single_face.mp4"), "-vf", "scale=320:180", "-an"]
    run_ffmpeg(["-y", *clip, "-frames:v", "6", str(tmp_path / "six.mp4")])
    photo = str(sample_dir / "single_face.jpg")
    actor = {"number": 3, "sex": "male", "photo": photo}
    clips = [{"path": "six.mp4", "part": "test"}]
    manifest = tmp_path / "short.yaml"
    manifest.write_text(yaml.safe_dump({"actors": [{**actor, "clips": clips}]}))
    return manifest


def test_a_suite_says_its_plan_first_and_begins_with_the_longest_cell(
    sample_home: Path, tmp_path: Path, short: Path
) -> None:
    """Another actor's noop took 1.5 s; nothing is known of blackbox but its limit, an hour."""
    bench = Bench(sample_home)
    bench.add("noop", 2)
    suite = tmp_path / "two.yaml"
    tools = [{"tool": "noop"}, {"tool": "blackbox"}]
    two = {"name": "two", "dataset": str(short), "tools": tools, "protocol": {"frames": 2}}
    suite.write_text(yaml.safe_dump(two))
    done = bench("run", "--suite", str(suite), "--limit", "2", "--jobs", "1", "--json")
    lines = done.stderr.splitlines()
    assert "two: 2 tools x 1 actor = 2 cells on 'short'" in lines[0]
    assert "minutes each for 1 cell of tools that do not train" in lines[2]
    begun = [line.split()[3] for line in lines if "] run " in line]
    assert [name.split("-")[0] for name in begun] == ["blackbox", "noop"]
    assert [row["cell"].split("-")[0] for row in json.loads(done.stdout)] == ["noop", "blackbox"]
    nothing = bench("run", "--suite", str(suite), "--limit", "2")
    assert "No cell of 'two' is left to run" in nothing.stdout
