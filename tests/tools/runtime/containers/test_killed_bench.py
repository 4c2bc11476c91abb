"""Bench is killed while a container runs: nothing of it may stay."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.model.cell import Status
from harness.model.job import Step
from harness.tools.engine import Engine
from harness.tools.runtime.container_leftovers import leftovers, remove_leftovers
from tests.tools.runtime.containers.containers_bench import Bench, Programs, wait_for
from tests.tools.runtime.containers.kills import (
    NOBODY,
    caller,
    give_away,
    kill_at_random,
    open_folder,
)

pytestmark = pytest.mark.engine


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in (folder, *folder.rglob("*"))}


def watchdogs(bench: Bench) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter()
        if any("container_watchdog" in part for part in _command(process))
        and bench.container in _command(process)
    ]


def kill_watchdog(bench: Bench) -> None:
    (watchdog,) = watchdogs(bench)
    watchdog.kill()
    assert wait_for(lambda: watchdogs(bench) == [])


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def is_training(bench: Bench) -> bool:
    return (bench.state / "iteration").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_container_survives_bench_and_training_goes_on(
    bench: Bench, programs: Programs, number: signal.Signals
) -> None:
    program = programs.start(bench, "train")
    assert wait_for(lambda: is_training(bench))
    program.kill(number)
    assert wait_for(lambda: bench.containers() == [])
    assert wait_for(lambda: watchdogs(bench) == [])
    before = int((bench.state / "iteration").read_text())
    assert 1 <= before < 10
    outcome = bench.run("train", step=Step.TRAIN)
    assert outcome.status is Status.OK
    first = (bench.folder(Step.TRAIN) / "log.txt").read_text().splitlines()[0]
    assert f"#{before + 1:06d}" in first


def test_what_outlives_even_the_watchdog_is_found_and_removed_at_the_next_start(
    bench: Bench, programs: Programs, engine: Engine
) -> None:
    program = programs.start(bench, "hang")
    assert wait_for((bench.state / "started").exists)
    assert leftovers(engine, bench.home) == ()
    kill_watchdog(bench)
    program.kill()
    assert len(bench.containers()) == 1
    (left,) = leftovers(engine, bench.home)
    assert (left.cell, left.attempt, left.step) == ("cell", "001-uuid", "train")
    assert left.status == "running"
    assert bench.run("good").status is Status.OK


def test_leftovers_can_be_removed_by_hand(bench: Bench, programs: Programs, engine: Engine) -> None:
    program = programs.start(bench, "hang")
    assert wait_for((bench.state / "started").exists)
    kill_watchdog(bench)
    program.kill()
    found = leftovers(engine, bench.home)
    remove_leftovers(engine, [*found, *found])
    assert bench.containers() == []
    assert leftovers(engine, bench.home) == ()


def test_twenty_random_kills_leave_nothing(folder: Path, engine: Engine, digest: str) -> None:
    left = kill_at_random(folder, engine, digest, 20, random.randrange(1 << 32))
    assert left.clean, left


def test_what_a_step_leaves_belongs_to_the_caller(
    folder: Path, engine: Engine, digest: str
) -> None:
    bench = Bench(folder / "home", engine, digest)
    give_away(folder)
    with Programs(caller(engine)) as programs:
        program = programs.start(bench, "facts")
        assert wait_for(lambda: program.is_gone, 60)
    assert program.done.exists()
    found = json.loads((bench.state / "facts.json").read_text())
    # Folders in memory can be written by somebody who is not root, too.
    assert {found[name] for name in ("tmp", "scratch", "volume")} == {"done"}
    assert (bench.state / "deep" / "er" / "file").read_text() == "x"
    assert owners(folder) == {os.getuid() or NOBODY}
    assert bench.containers() == []
