"""The command line as its users meet it: a process, its output, its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "cv2",
    "docker",
    "duckdb",
    "face_recognition",
    "jinja2",
    "mediapipe",
    "numpy",
    "pandas",
    "plotly",
    "psutil",
    "pyarrow",
    "pydantic",
    "requests",
    "rich",
    "scipy",
    "yaml",
)


ONE_SECOND = """
name: brief
actors:
  - number: 3
    sex: male
    photo: {folder}/single_face.jpg
    clips: [{{path: {folder}/single_face.mp4, part: test, span: {{start_s: 0, end_s: 1}}}}]
"""


def bench(*args: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.cli.main", *args],
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "BENCH_HOME": str(home)},
        check=False,
    )


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        f"import sys, harness.cli.main\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("run",), 2, "Name either --tool or --suite"),
        (("run", "--tool", "blurr"), 2, "Did you mean 'blur'"),
        (("run", "--suite", "quickstrat"), 2, "Did you mean 'quickstart'"),
        (("run", "--suite", "no/such.yaml"), 2, "cannot be read"),
        (("run", "--tool", "blur", "--split", "thesys"), 2, "Did you mean 'thesis'"),
        (("run", "--tool", "blur", "--dataset", "smaple"), 2, "Did you mean 'sample'"),
        (("tools", "show", "nop"), 2, "Did you mean 'noop'"),
        (("data", "fetch", "samples"), 2, "Did you mean 'sample'"),
        (("logs", "nothing"), 2, "No cell of the store"),
        (("retry", "nothing"), 2, "No cell of the store"),
        (("report",), 2, "There are no cells to report"),
        (("query", "DROP TABLE cells"), 2, "SELECT"),
    ],
)
def test_a_wrong_argument_is_a_sentence_and_exit_code_2(
    args: tuple[str, ...], code: int, message: str, tmp_path: Path
) -> None:
    done = bench(*args, home=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert message in done.stderr


def test_an_empty_store_says_what_to_do_first(tmp_path: Path) -> None:
    done = bench("status", home=tmp_path)
    assert done.returncode == 0
    assert "bench run" in done.stderr


def test_doctor_names_every_part_and_its_finding(tmp_path: Path) -> None:
    done = bench("doctor", "--json", home=tmp_path)
    names = {check["name"] for check in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert {"Python", "FFmpeg", "dlib", "face_recognition"} <= names


@pytest.mark.clips
def test_one_command_runs_scores_and_reports_and_the_same_command_keeps_the_results(
    sample_home: Path, sample_dir: Path, tmp_path: Path
) -> None:
    dataset = tmp_path / "one second.yaml"
    dataset.write_text(ONE_SECOND.format(folder=sample_dir))
    home = tmp_path / "home with 'quotes' and ü"
    home.mkdir()
    for name in ("downloads", "models", "media", "observations"):
        (home / name).symlink_to(sample_home / name)
    command = (
        "run",
        "--tool",
        "noop,blackbox",
        "--dataset",
        str(dataset),
        "--frames",
        "6",
        "--json",
    )

    first = bench(*command, home=home)
    assert first.returncode == 0, first.stderr
    # Progress and nothing else: no word of MediaPipe's, no warning, no colour.
    assert all(line.startswith("[") for line in first.stderr.splitlines()), first.stderr
    assert "\x1b" not in first.stderr
    rows = {row["cell"].split("-")[0]: row for row in json.loads(first.stdout)}
    assert rows["noop"]["mean_pcc"] == pytest.approx(1.0)
    assert rows["noop"]["sw_or_mean"] < 0.6
    assert rows["blackbox"]["fta"] > 0.9

    again = bench(*command, home=home)
    assert json.loads(again.stdout) == json.loads(first.stdout)
    # Each tool's cell, its score and its cohort's.
    assert again.stderr.count(" kept") == 6

    scored = bench("score", "--json", home=home)
    assert scored.returncode == 0, scored.stderr
    found = json.loads(scored.stdout)
    assert {row["cell"].split("-")[0] for row in found["cells"]} == {"noop", "blackbox"}
    cohorts = {one["score"]["tool"]: one["score"] for one in found["cohorts"]}
    assert cohorts["noop"]["swapped_split"]["matched"] == pytest.approx(
        cohorts["noop"]["original_split"]["matched"]
    )
    assert cohorts["blackbox"]["attacks"][0]["reason"].startswith("There is one actor only")
    said = bench("score", home=home)
    assert "noop-1-default, 1 actor: nobody could be identified." in said.stdout

    report = bench("report", home=home)
    assert report.returncode == 0, report.stderr
    assert (home / "reports" / "all.html").stat().st_size > 10_000

    asked = bench("query", "SELECT count(*) AS n FROM scores", "--json", home=home)
    assert json.loads(asked.stdout) == [{"n": 2}]
