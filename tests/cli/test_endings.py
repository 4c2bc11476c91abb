"""Ends of `bench` when it is interrupted, cut off, refused or broken: as its users meet it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.model.cell import Status

from .conftest import Bench

MAIN = (sys.executable, "-m", "harness.cli.main")


def start(home: Path, *args: str, command: tuple[str, ...] = MAIN) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*command, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "BENCH_HOME": str(home), "TMPDIR": str(home.parent)},
    )


def test_ctrl_c_ends_with_130_and_the_command_that_goes_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "home")
    spec = bench.add(status=Status.TOOL_ERROR)
    with bench.store.lock(spec):
        step = bench.store.begin(spec).folder / "1-convert"
        step.mkdir()
        (step / "log.txt").write_text("begun\n")
        process = start(bench.home, "logs", "blur-1", "--follow")
        assert process.stdout
        # Only then is Ctrl-C the command's own to handle, however slow the machine is.
        assert any("begun" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "to go on: bench logs blur-1 --follow" in said


def test_a_reader_that_has_seen_enough_ends_a_command_in_silence(tmp_path: Path) -> None:
    with start(tmp_path / "home", "query", "SELECT * FROM range(300000)") as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(30) == 141


def test_a_fault_of_ours_leaves_a_report_and_no_traceback_on_the_screen(tmp_path: Path) -> None:
    code = (
        "import harness.core.paths, harness.cli.main as main\n"
        "def broken(): raise ZeroDivisionError('made for a test')\n"
        "harness.core.paths.bench_home = broken\n"
        "main.main()"
    )
    process = start(tmp_path / "home", "status", "--json", command=(sys.executable, "-c", code))
    out, said = process.communicate(timeout=30)
    assert (process.returncode, out) == (70, "")
    assert "Traceback" not in said
    report = next(tmp_path.glob("bench-fault-*.log"))
    assert str(report) in said
    text = report.read_text()
    assert "bench status --json" in text
    assert "made for a test" in text
    assert "Traceback" in text


def _with_an_umlaut(folder: Path) -> Path:
    manifest = folder / "people.yaml"
    clips = '[{"path": "m\u00fcller.mp4"}]'
    manifest.write_text(f"actors: [{{number: 1, sex: male, clips: {clips}}}]", encoding="utf-8")
    return manifest


def _in_ascii(home: Path, program: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={
            **os.environ,
            "LC_ALL": "C",
            "PYTHONUTF8": "0",
            "BENCH_HOME": str(home),
            "TMPDIR": str(home.parent),
        },
    )


def test_a_name_that_the_shells_locale_cannot_spell_is_a_sentence(tmp_path: Path) -> None:
    manifest = _with_an_umlaut(tmp_path)
    program = "from harness.cli.main import main; main()"
    words = ("run", "--dataset", str(manifest), "--tool", "noop", "--dry-run")
    done = _in_ascii(tmp_path / "home", program, *words)
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert "names of files in ascii, which cannot spell" in done.stderr
    assert "LC_ALL=C.UTF-8" in done.stderr


def test_a_fault_is_reported_in_full_whatever_the_shell_can_spell(tmp_path: Path) -> None:
    program = (
        "import harness.cli.status as status\n"
        "from harness.cli import main\n"
        "@main.app.command()\n"
        "def spoil(name: str) -> None:\n"
        "    raise ValueError('spoilt: ' + name)\n"
        "main.main()\n"
    )
    done = _in_ascii(tmp_path / "home", program, "spoil", "größe")
    assert done.returncode == 70, done.stderr
    (report,) = tmp_path.glob("bench-fault-*.log")
    assert "ValueError: spoilt: gr" in report.read_text(encoding="utf-8")
    assert str(report) in done.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("report", "--out", "y.pdf"), "print it into a file"),
        (("report", "--out", "y.txt"), "ends in .html"),
        (("compare", "blur", "mask", "--html", "y.docx"), "ends in .html"),
        (("publish", "y.html"), "bench report --out"),
    ],
    ids=" ".join,
)
def test_a_name_of_a_file_never_becomes_a_folder(
    args: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path / "home")
    bench.score(bench.add("blur", 3), "thesis-60")
    bench.score(bench.add("mask", 3), "thesis-60")
    assert says in bench(*args, code=2).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_folder_for_a_page_may_have_a_dot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bench = Bench(tmp_path / "home")
    bench.score(bench.add("blur", 3), "thesis-60")
    (tmp_path / "there.old").mkdir()
    for out, page in (
        ("night-1.2", "night-1.2/index.html"),
        ("there.old", "there.old/index.html"),
        ("y.htm", "y.htm"),
    ):
        bench("report", "--out", out)
        assert (tmp_path / page).is_file()


def test_a_folder_in_place_of_a_file_is_a_sentence(tmp_path: Path) -> None:
    code = (
        "import harness.core.paths, harness.cli.main as main, pathlib\n"
        f"def broken(): pathlib.Path({str(tmp_path)!r}).write_text('')\n"
        "harness.core.paths.bench_home = broken\n"
        "main.main()"
    )
    process = start(tmp_path / "home", "status", command=(sys.executable, "-c", code))
    _, said = process.communicate(timeout=30)
    assert process.returncode == 4
    assert f"refused at {tmp_path}: Is a directory" in said


READERS = [
    ("status",),
    ("logs", "x"),
    ("retry", "--all-failed"),
    ("clean",),
    ("score",),
    ("report",),
    ("query", "SELECT 1"),
    ("run", "--tool", "noop", "--actor", "3"),
    ("run", "--suite", "quickstart"),
    ("data", "fetch", "sample"),
]


@pytest.mark.parametrize("args", READERS, ids=" ".join)
def test_a_store_of_a_newer_version_is_left_alone(args: tuple[str, ...], tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (tmp_path / "store.json").write_text('{"schema_version": 99, "written_by": "9.0"}')
    said = bench(*args, code=4).stderr
    assert "was written by deid-bench 9.0" in said
    assert [path.name for path in tmp_path.iterdir()] == ["store.json"]


@pytest.mark.parametrize("args", READERS, ids=" ".join)
def test_a_home_that_is_no_folder_is_a_sentence(args: tuple[str, ...], tmp_path: Path) -> None:
    home = tmp_path / "file"
    bench = Bench(home)
    home.write_text("not a folder")
    said = bench(*args, code=4).stderr
    assert str(home) in said
    assert "BENCH_HOME" in said


def test_doctor_names_a_home_that_cannot_be_used_and_ends_with_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is installed is another test's question, and takes seconds to find out.
    monkeypatch.setattr("harness.execution.doctor.IMPORTS", {})
    home = tmp_path / "file"
    home.write_text("not a folder")
    found = CliRunner().invoke(app, ["doctor", "--json"], env={"BENCH_HOME": str(home)})
    assert found.exit_code == 4
    checks = {check["name"]: check for check in json.loads(found.stdout)}
    assert checks["results folder"]["fit"] is False
    assert "BENCH_HOME" in checks["results folder"]["remedy"]


@pytest.mark.clips
def test_failed_cells_are_tried_again_and_the_next_command_is_named(sample_home: Path) -> None:
    from harness.cli.selection import Choice, study_from_options
    from harness.execution.resolve import prepare_and_resolve

    choice = Choice(actor="3", dataset="sample", frames=6)
    study = study_from_options("noop", choice, sample_home, config="default", settings=[])
    (spec,) = prepare_and_resolve(study, study.plan(), lambda text: None).specs
    bench = Bench(sample_home)
    bench.attempt(spec, Status.TIMEOUT)
    said = bench("retry", "--all-failed")
    assert f"{spec.slug}: ok" in said.stdout
    assert f"bench score {spec.slug}" in said.stderr
    assert [one.status for one in bench.store.attempts(spec)] == [Status.TIMEOUT, Status.OK]
    assert "already done" in bench("retry", spec.slug).stdout
    assert "0 cells to try again" in bench("retry", "--all-failed").stderr
