"""`bench nightly` and `bench history` as commands, and the examples of how to start them."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from harness.cli.main import app
from harness.planning.suites import load_suite

EXAMPLES = Path(__file__).parents[3] / "benchmarks" / "nightly"
ROOT: Any = typer.main.get_command(app)
SUITE = """
name: tiny
dataset: sample
actors: all
tools:
  - {tool: noop}
protocol: {frames: 5}
"""
BRIEF = """
name: brief
actors:
  - number: 1
    sex: female
    photo: FOLDER/single_face.jpg
    clips:
      - {path: FOLDER/WolfgangLanger_Pexels.mp4, part: test, span: {start_s: 0, end_s: 0.4}}
  - number: 2
    sex: female
    photo: {path: FOLDER/multi_face.jpg, crop: {x: 495, y: 285, width: 165, height: 175}}
    clips:
      - {path: FOLDER/WolfgangLanger_Pexels.mp4, part: test, span: {start_s: 10, end_s: 10.4}}
"""


def bench(*args: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(args))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


@pytest.mark.clips
def test_real_nights_give_a_digest_and_a_history(
    sample_home: Path, sample_dir: Path, tmp_path: Path
) -> None:
    suite, manifest = tmp_path / "tiny.yaml", tmp_path / "brief.yaml"
    suite.write_text(SUITE)
    manifest.write_text(BRIEF.replace("FOLDER", str(sample_dir)))
    options = "--suite", str(suite), "--dataset", str(manifest), "--jobs", "1"
    first = bench("nightly", *options)
    assert re.match(r"# Nightly \d{4}-\d\d-\d\d: no new alarm\n", first)
    assert "noop@1:default" in first
    found = list((sample_home / "nights").glob("*/*.md"))
    assert [path.read_text() for path in found] == [first]
    assert not list((sample_home / "nights").glob("open*"))
    again = json.loads(bench("nightly", *options, "--json"))
    assert again["new_alarms"] == []
    assert [one["dataset"] for one in again["records"]] == ["brief"]
    feed = tmp_path / "alarms.xml"
    series = json.loads(bench("history", "--json", "--feed", str(feed)))
    assert {one["key"] for one in series} >= {"sw_or", "match_rate", "lost_faces"}
    assert feed.read_text().startswith('<?xml version="1.0" encoding="utf-8"?>\n<feed ')
    assert "noop:default" in bench("history")
    (cohort,) = (sample_home / "scores" / "cohorts").glob("*/*.json")
    attacks = json.loads(cohort.read_text(encoding="utf-8"))["attacks"]
    assert any(attack["swapped"] for attack in attacks)
    bench("publish", str(tmp_path / "site"), "--dataset", str(manifest))
    table = (tmp_path / "site" / "data" / "cohorts.csv").read_text(encoding="utf-8")
    assert "noop-1-default" in table, "the site has the attackers of what nightly ran"
    bench("history", "--tool", "noob", code=2)


def test_a_store_without_nights_says_what_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_HOME", str(tmp_path))
    done = CliRunner().invoke(app, ["history"])
    assert done.exit_code == 2
    assert "Run `bench nightly`" in done.output


@pytest.mark.parametrize("good", ["faceswap", "@1", "faceswap@"])
def test_a_good_version_without_its_version_is_refused(
    good: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample_home: Path
) -> None:
    suite = tmp_path / "tiny.yaml"
    suite.write_text(SUITE)
    bench("nightly", "--suite", str(suite), "--good", good, code=2)


def commands(text: str) -> list[list[str]]:
    """The ``bench`` commands of a script, each as a shell would split it."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found = re.findall(r"(?:^|[\s/=])bench ((?:nightly|history)[^|;&>\n]*)", "\n".join(lines), re.M)
    return [shlex.split(re.sub(r"\s2$", "", one.strip())) for one in found]


@pytest.mark.parametrize(
    ("name", "count"), [("crontab", 2), ("deid-bench-nightly.service", 2), ("workflow.yml", 2)]
)
def test_every_command_of_an_example_exists_with_its_options(name: str, count: int) -> None:
    found = commands((EXAMPLES / name).read_text())
    assert len(found) == count
    for command, *options in found:
        # Raises for an option that the command does not take; runs nothing.
        ROOT.commands[command].make_context(command, list(options))


def test_the_crontabs_lines_have_five_times_and_a_command() -> None:
    lines = [
        line
        for line in (EXAMPLES / "crontab").read_text().splitlines()
        if line and not line.startswith("#") and "=" not in line.split()[0]
    ]
    assert len(lines) == 1
    *times, command = lines[0].split(None, 5)
    assert all(re.fullmatch(r"[\d*/,-]+", one) for one in times)
    # cron takes a percent sign for a new line.
    assert "%" not in command
    checked = subprocess.run(["bash", "-n", "-c", command], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("name", ["deid-bench-nightly.service", "deid-bench-nightly.timer"])
def test_the_systemd_units_are_ones_that_systemd_takes(name: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(EXAMPLES / name)
    if name.endswith("service"):
        assert unit["Service"]["SuccessExitStatus"] == "3"
    else:
        assert re.fullmatch(r"\*-\*-\* \d\d:\d\d:\d\d", unit["Timer"]["OnCalendar"])
    if shutil.which("systemd-analyze"):
        # The program it names is on no machine but the user's.
        done = subprocess.run(
            ["systemd-analyze", "verify", "--user", str(EXAMPLES / name)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Unknown" not in done.stderr


def test_the_workflow_runs_a_suite_that_exists_and_keeps_its_store() -> None:
    workflow = yaml.safe_load((EXAMPLES / "workflow.yml").read_text())
    job = workflow["jobs"]["nightly"]
    # YAML reads the key `on` as true.
    assert workflow[True]["schedule"][0]["cron"].count(" ") == 4
    steps = {step.get("uses", "").partition("@")[0]: step for step in job["steps"]}
    assert steps["actions/cache"]["with"]["path"] == "store"
    assert job["env"]["BENCH_HOME"].endswith("/store")
    script = next(step["run"] for step in job["steps"] if "tee" in step.get("run", ""))
    # Without it the exit code would be that of `tee`.
    assert "set -o pipefail" in script
    name = re.search(r"--suite (\S+)", script)
    assert name is not None
    assert load_suite(name[1]).dataset == "sample"
