"""An adapter that another package brings is found, listed, checked, tested and run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.hashing import file_sha256
from harness.store.cells import CellStore

from .conftest import Package

# Their self-tests prepare the same clips.
pytestmark = [pytest.mark.clips, pytest.mark.xdist_group("third-party")]


def test_a_third_partys_tool_is_listed_checked_and_run(package: Package, sample_home: Path) -> None:
    listed = json.loads(package.bench("tools", "list", "--json", home=sample_home).stdout)
    assert {"tiny-copy", "tiny-trainer", "blur"} <= {tool["name"] for tool in listed}

    checked = package.bench("tools", "check", "tiny-trainer", "--json", home=sample_home)
    findings = json.loads(checked.stdout)["tiny-trainer"]
    assert {one["state"] for one in findings} == {"ok"}, findings

    words = ("run", "--tool", "tiny-copy@0.1", "--actor", "3", "--frames", "2", "--json")
    (row,) = json.loads(package.bench(*words, home=sample_home).stdout)
    assert row["status"] == "ok"
    assert row["cell"].startswith("tiny-copy-0.1-default-actor03")


def test_a_third_partys_own_test_passes(package: Package) -> None:
    done = package.own_tests()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_a_selftest_tells_steps_losses_previews_output_and_score(
    package: Package, sample_home: Path
) -> None:
    out = sample_home / "report.json"
    said = package.bench("selftest", "tiny-trainer", "--out", str(out), home=sample_home)
    report = json.loads(out.read_text())
    assert (report["status"], report["config"], report["version"]) == ("ok", "smoke", "0.2")
    assert report["settings"] == {"iterations": 40, "fail": False, "train_interval": 1}
    assert [step["step"] for step in report["steps"]] == ["extract", "train", "convert"]
    losses = {one["name"]: one for one in report["steps"][1]["losses"]}
    assert losses["a"]["first"] > losses["a"]["last"]
    assert report["steps"][1]["iterations_per_s"] == 7
    assert report["frames_output"] == report["frames_original"] > 0
    assert report["previews"] == 4
    # The video was only copied, so the person is recognised.
    assert report["score"]["sw_or_mean"] < 0.6
    assert "loss a: 0.1 -> 0.025, went down" in said.stdout
    assert "loss b: 0.5 -> 0.5, did NOT go down" in said.stdout
    assert not list((sample_home / "selftest").iterdir()), "a test that passed leaves nothing"
    assert not (sample_home / "cells").exists(), "the user's store is left as it was"


def test_a_selftest_that_fails_says_in_which_step_and_keeps_its_log(
    package: Package, sample_home: Path
) -> None:
    words = ("selftest", "tiny-trainer", "--config", "broken", "--json")
    said = package.bench(*words, home=sample_home, code=1)
    report = json.loads(said.stdout)
    assert report == json.loads((sample_home / "selftest-tiny-trainer-0.2.json").read_text())
    assert [step["status"] for step in report["steps"]] == ["ok", "tool_error"]
    assert report["steps"][1]["log_tail"][-1] == "It was told to fail."
    assert report["score"] is None
    kept = list(
        (sample_home / "selftest").glob("tiny-trainer-*/cells/*/attempts/*/2-train/log.txt")
    )
    assert "It was told to fail." in kept[0].read_text()


def test_previews_of_a_training_are_artifacts_of_its_cell(
    package: Package, sample_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.execution.lanes import Lanes
    from harness.execution.pipeline import run_cells
    from harness.execution.requests import WorkContext
    from harness.execution.resolve import prepare_and_resolve
    from harness.results.selftest import tool as selftest
    from harness.tools.registry import find_tool
    from harness.tools.runtime.process import ProcessRuntime

    monkeypatch.syspath_prepend(str(package.folder))
    ask = selftest.choose(find_tool("tiny-trainer"), None, None)
    study = selftest._study(ask, sample_home, sample_home / "own")
    (spec,) = prepare_and_resolve(study, [selftest._planned(study, ask)], lambda text: None).specs
    runtime = ProcessRuntime({"PYTHONPATH": str(package.folder)})
    context = WorkContext(home=study.home, runtimes={"process": runtime})
    with Lanes(1, context) as lanes:
        (outcome,) = run_cells([spec], study.tools, lanes)
    result = outcome.result
    assert result is not None
    folder = CellStore(study.home).folder(spec)
    names = [Path(one.path).name for one in result.previews]
    assert names == ["00000010.jpg", "00000020.jpg", "00000030.jpg", "00000040.jpg"]
    for one in result.previews:
        assert file_sha256(folder / one.path) == one.sha256
    assert CellStore(study.home).result(spec) == result
    assert (package.folder / "tiny_tools" / "preview.jpg").is_file(), "a link is never followed"
