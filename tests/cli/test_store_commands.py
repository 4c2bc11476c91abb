"""`bench status | logs | clean | query | report` on stores whose folder may have any name."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from adapters.controls import ORACLE
from harness.model.cell import Status
from harness.model.dataset import Split
from harness.tools.registry import find_tool, resolve_settings

from .conftest import Bench


def rows(bench: Bench, *args: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(bench("status", "--json", *args).stdout)
    return found


def test_status_says_of_every_cell_how_it_stands(bench: Bench) -> None:
    done = bench.add("blur", 3)
    bench.score(done, "thesis-60")
    bench.add("mask", 3, status=Status.TIMEOUT)
    bench.add("noop", 3, status=None, split=Split.THESIS)
    found = {row["tool"]: row for row in rows(bench)}
    assert [(r["status"], r["split"], r["scored"]) for r in found.values()] == [
        ("ok", "held-out", ["thesis-60"]),
        ("timeout", "held-out", []),
        ("planned", "thesis", []),
    ]
    shown = bench("status").stdout
    assert "3 cells: 1 ok, 1 planned, 1 timeout; 1 scored." in shown
    assert "The tool broke." in shown
    assert "\x1b" not in shown


def test_a_cell_that_a_process_holds_is_running_and_is_never_cleaned(bench: Bench) -> None:
    spec = bench.add("blur", 3, status=Status.TOOL_ERROR)
    with bench.store.lock(spec):
        assert [row["status"] for row in rows(bench)] == ["running"]
        assert "busy, left alone" in bench("clean", "--failed", "--yes").stdout
        assert "being run just now" in bench("retry", spec.slug, code=2).stderr
        assert "0 cells to try again" in bench("retry", "--all-failed").stderr
    assert [row["status"] for row in rows(bench)] == ["tool_error"]


@pytest.mark.parametrize(
    ("args", "tools"),
    [
        (("--tool", "blur,mask"), ["blur", "blur", "mask"]),
        (("--tool", "blur@1"), ["blur", "blur"]),
        (("--tool", "blur@2"), []),
        (("--actor", "3-9"), ["blur", "mask"]),
        (("--dataset", "ravdess"), ["noop"]),
        (("--status", "failed"), ["mask"]),
        (("blur-1", "--actor", "2"), ["blur"]),
    ],
)
def test_cells_are_chosen_by_any_of_their_names(
    args: tuple[str, ...], tools: list[str], tmp_path: Path
) -> None:
    bench = Bench(tmp_path)
    for tool, actor in (("blur", 2), ("blur", 3)):
        bench.add(tool, actor)
    bench.add("mask", 3, status=Status.OOM)
    bench.add("noop", 2, dataset="ravdess")
    assert [row["tool"] for row in rows(bench, *args)] == tools


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--tool", "blurr"), "Did you mean 'blur'"),
        (("--dataset", "smaple"), "Did you mean 'sample'"),
        (("--status", "okay"), "Did you mean 'ok'"),
        (("--actor", "3-1"), "Write 1-3"),
        (("--suite", "quikstart"), "Did you mean 'quickstart'"),
        (("blurr-1-default-actor03",), "Did you mean 'blur-1-default-actor03"),
    ],
)
def test_a_name_that_no_cell_bears_gets_the_nearest_one(
    args: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    bench = Bench(tmp_path)
    bench.add()
    said = bench("status", *args, code=2)
    assert message in said.stderr
    assert said.stderr.startswith("Error: ")
    assert said.stdout == ""


@pytest.mark.clips
def test_the_cells_of_a_suite_that_were_never_run_are_planned(sample_home: Path) -> None:
    bench = Bench(sample_home)
    found = rows(bench, "--suite", "quickstart", "--tool", "noop,oracle", "--actor", "3")
    assert [(r["cell"], r["id"], r["status"]) for r in found] == [
        ("noop-1-default-actor03", None, "planned"),
        (f"oracle-{ORACLE.versions[-1]}-default-actor03-actor02", None, "planned"),
    ]
    # One that ran under other limits than the suite's is another cell.
    bench.add("noop", 3, status=Status.TOOL_ERROR, wall_s=600)
    bench.add("noop", 3)
    again = rows(bench, "--suite", "quickstart", "--tool", "noop", "--actor", "3")
    assert [(r["status"], bool(r["id"])) for r in again] == [("ok", True)]
    assert not (sample_home / "reports").exists()


@pytest.mark.clips
def test_a_suite_has_the_cells_of_its_own_dataset_only_and_of_another_when_asked(
    sample_home: Path, tmp_path: Path
) -> None:
    bench = Bench(sample_home)
    mask = find_tool("mask")
    settings = resolve_settings(mask, "default", {})
    version = mask.versions[-1]
    other = bench.add("mask", 3, dataset="kitchen", version=version, settings=settings)
    own = rows(bench, "--suite", "quickstart", "--tool", "mask", "--actor", "3")
    assert [(r["status"], r["dataset"]) for r in own] == [("planned", "sample")]
    asked = ("--suite", "quickstart", "--dataset", "kitchen")
    assert [row["id"] for row in rows(bench, *asked)] == [other.id]
    assert "Did you mean 'kitchen'?" in bench("status", *asked[:3], "kitschen", code=2).stderr


def test_logs_show_the_last_attempt_step_by_step_or_the_one_named(bench: Bench) -> None:
    spec = bench.add(status=Status.TOOL_ERROR)
    logs = (("1-extract", "first\n"), ("2-train", "second\n"), ("10-convert", "third\n"))
    bench.attempt(spec, Status.TOOL_ERROR, *logs)
    shown = bench("logs", spec.slug).stdout
    assert shown == "== 1-extract ==\nfirst\n== 2-train ==\nsecond\n== 10-convert ==\nthird\n"
    assert bench("logs", spec.id[:10], "--attempt", "1").stdout == ""
    assert "it has 1, 2" in bench("logs", spec.slug, "--attempt", "3", code=2).stderr


def test_a_cell_without_attempts_has_no_log_and_says_what_makes_one(bench: Bench) -> None:
    spec = bench.add(status=None)
    for options in ((), ("--follow",)):
        assert "no attempt was made" in bench("logs", spec.slug, *options, code=2).stderr


def test_follow_goes_on_over_the_steps_and_ends_with_the_attempt(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    spec = bench.add(status=Status.TOOL_ERROR)
    began = threading.Event()

    def work() -> None:
        with bench.store.lock(spec):
            opened = bench.store.begin(spec)
            began.set()
            for step, lines in (("1-train", ("loss 1", "loss 0.5")), ("2-convert", ("done",))):
                (opened.folder / step).mkdir()
                with (opened.folder / step / "log.txt").open("w") as log:
                    for line in lines:
                        log.write(f"{line}\n")
                        log.flush()
                        time.sleep(0.5)

    worker = threading.Thread(target=work)
    worker.start()
    began.wait(10)
    shown = bench("logs", spec.slug, "--follow").stdout
    worker.join(5)
    assert shown.split() == ["loss", "1", "loss", "0.5", "==", "2-convert", "==", "done"]


def test_clean_removes_leftovers_and_failures_but_never_a_result(bench: Bench) -> None:
    done = bench.add("blur", 3)
    bench.score(done, "thesis")
    failed = bench.add("mask", 3, status=Status.TOOL_ERROR)
    state = bench.store.state(done)
    state.mkdir()
    (state / "faces.bin").write_bytes(b"x" * 2000)
    cut = bench.store.folder(done) / "attempts" / "002-cut"
    cut.mkdir()
    stale, fresh = (bench.home / "media" / "tmp" / name for name in ("prepare-a", "prepare-b"))
    for folder in (stale, fresh):
        folder.mkdir(parents=True)
    long_ago = time.time() - 100_000
    os.utime(stale, (long_ago, long_ago))
    video = bench.store.swapped_path(done)

    said = bench("clean").stdout
    assert "could be removed; nothing was" in said
    assert "2.0 kB" in said
    assert all(path.exists() for path in (state, cut, stale))

    removed = json.loads(bench("clean", "--yes", "--json").stdout)
    assert [Path(row["path"]) for row in removed] == [cut, state, stale]
    assert {row["done"] for row in removed} == {"removed"}
    assert not any(path.exists() for path in (state, cut, stale))
    assert all(path.exists() for path in (fresh, video, bench.store.folder(failed)))

    bench("clean", "--failed", "--yes")
    assert not bench.store.folder(failed).exists()
    assert video.exists()
    assert [row["scored"] for row in rows(bench)] == [["thesis"]]
    assert "Nothing to clean." in bench("clean", "--failed", "--yes").stdout


def test_a_report_shows_the_protocol_that_has_scores_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    for actor in (2, 3):
        bench.score(bench.add("blur", actor), "thesis-60")
    bench.score(bench.add("mask", 3), "thesis")
    said = bench("report", "--json", "--out", str(tmp_path / "page.html"))
    told = json.loads(said.stdout)
    assert (told["protocol"], told["cells"], told["scored"]) == ("thesis-60", 3, 2)
    assert Path(told["report"]).is_file()
    assert "Stored too: thesis;" in said.stderr
    told = json.loads(bench("report", "--json", "--frames", "1000", "--tool", "mask").stdout)
    assert (told["protocol"], told["cells"], told["scored"]) == ("thesis", 1, 1)
    refused = bench("report", "--frames", "77", code=2).stderr
    assert "stored are the protocols thesis, thesis-60" in " ".join(refused.split())


def test_a_report_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.score(bench.add(), "thesis")
    said = bench("report", "--out", "/dev/null/page.html", code=4)
    assert "cannot be written to /dev/null/page.html" in said.stderr
    assert "--out" in said.stderr


def test_an_empty_answer_has_its_columns_and_a_count(bench: Bench) -> None:
    said = bench("query", "SELECT cell, tool FROM cells")
    assert said.stdout.split() == ["cell", "tool"]
    assert said.stderr == "0 rows\n"
    assert json.loads(bench("query", "SELECT cell FROM cells", "--json").stdout) == []


def test_a_query_names_the_place_of_a_mistake_and_where_the_columns_are(bench: Bench) -> None:
    said = bench("query", "SELECT nothing FROM cells", code=2)
    assert "nothing" in said.stderr
    assert "bench query --views" in said.stderr
    assert "sw_or_mean double" in bench("query", "--views").stdout


def test_the_cells_to_report_or_score_must_exist(bench: Bench) -> None:
    for command in ("report", "score"):
        assert f"no cells to {command}" in bench(command, code=2).stderr
    bench.add()
    assert "in this selection" in bench("score", "--actor", "9", code=2).stderr


@pytest.mark.clips
def test_a_suite_is_compared_with_finished_cells_of_the_suites_it_names(
    sample_home: Path, tmp_path: Path
) -> None:
    from harness.planning.selection import cells_beside
    from harness.planning.suites import load_suite

    bench = Bench(sample_home)
    own, other = bench.add("noop", 3), bench.add("noop", 2)
    bench.add("noop", 2, split=Split.THESIS)
    more = tmp_path / "more.yaml"
    more.write_text("name: more\nactors: 2-3\ntools: [{tool: noop}]\n")
    suite = tmp_path / "one.yaml"
    suite.write_text(f"name: one\nactors: 3\ntools: [{{tool: noop}}]\nalso: ['{more}']\n")
    found = cells_beside(load_suite(str(suite)), bench.store, [own])
    assert [spec.id for spec in found] == [other.id]
    said = bench("report", "--suite", str(suite), "--json")
    assert json.loads(said.stdout)["cells"] == 1


def _hostile(folder: Path) -> None:
    """What a driver of the user's own could leave: deep, unreadable, oddly named, and a pipe."""
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("inner" * 40, dir_fd=handle)
        inner = os.open("inner" * 40, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)
    (folder / os.fsdecode(b"\xff\nred\x1b[31m")).mkdir()
    (folder / "closed").mkdir(mode=0)
    (folder / "gone").symlink_to("nowhere")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    for name in ("log.txt", "log.tail-7", "progress.json"):
        os.mkfifo(folder / name)


def test_no_command_hangs_or_fails_on_what_lies_in_attempts_and_states(bench: Bench) -> None:
    spec = bench.add("blur", 3)
    bench.attempt(spec, Status.TOOL_ERROR, ("1-convert", "said\n"))
    attempts = bench.store.folder(spec) / "attempts"
    last = max(attempts.iterdir())
    bench.store.state(spec).mkdir()
    for folder in (last, bench.store.state(spec), attempts / "3-cut", attempts / "4²x"):
        folder.mkdir(exist_ok=True)
        _hostile(folder)
    (last / "2-convert").mkdir()
    _hostile(last / "2-convert")
    os.mkfifo(attempts / "5-pipe")
    bench("status")
    bench("status", "--json")
    assert "said" in bench("logs", spec.slug, "--attempt", "2").stdout
    assert "all are what was stored" in bench("verify").stdout
    bench("clean")
    bench("clean", "--yes")
    left = {path.name for path in attempts.iterdir()}
    assert not left & {"3-cut", "4²x", "5-pipe"}
    assert not any(bench.store.state(spec).glob("*"))
