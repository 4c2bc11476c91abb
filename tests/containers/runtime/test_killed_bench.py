"""Bench is killed while a container runs: nothing of it may stay."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.engine import Engine
from harness.model.cell import Status
from harness.model.job import Step
from harness.runtime.container_leftovers import leftovers, remove_leftovers
from tests.containers.runtime.containers_bench import Bench, wait_for

pytestmark = pytest.mark.engine
NOBODY = 65534
MOMENTS_S = [number / 20 for number in range(50)]
"""From before the container is made until it has trained for a while."""


@pytest.fixture
def caller(engine: Engine) -> tuple[str, ...]:
    """What makes bench run as somebody who is not root and may use the engine.

    The one capability lets a Python below root's home be read; it gives no right to write.
    """
    if os.getuid() != 0:
        return ()
    group = Path(engine.info.socket).stat().st_gid
    who = (f"--reuid={NOBODY}", f"--regid={NOBODY}", f"--groups={group}")
    return ("setpriv", *who, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """pytest's own folders can be entered by their owner only."""
    folder = Path(tempfile.mkdtemp(prefix="deid-bench-test-"))
    if os.getuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def give_away(folder: Path) -> None:
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)


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
    bench: Bench, number: signal.Signals
) -> None:
    with bench.start("train", stderr=subprocess.DEVNULL) as parent:
        assert wait_for(lambda: is_training(bench))
        os.kill(parent.pid, number)
    assert wait_for(lambda: bench.containers() == [])
    assert wait_for(lambda: watchdogs(bench) == [])
    before = int((bench.state / "iteration").read_text())
    assert 1 <= before < 10
    outcome = bench.run("train", step=Step.TRAIN)
    assert outcome.status is Status.OK
    first = (bench.folder(Step.TRAIN) / "log.txt").read_text().splitlines()[0]
    assert f"#{before + 1:06d}" in first


def test_what_outlives_even_the_watchdog_is_found_and_removed_at_the_next_start(
    bench: Bench, engine: Engine
) -> None:
    with bench.start("hang", stderr=subprocess.DEVNULL) as parent:
        assert wait_for((bench.state / "started").exists)
        assert leftovers(engine, bench.home) == ()
        kill_watchdog(bench)
        parent.kill()
    assert len(bench.containers()) == 1
    (left,) = leftovers(engine, bench.home)
    assert (left.cell, left.attempt, left.step) == ("cell", "001-uuid", "train")
    assert left.status == "running"
    assert bench.run("good").status is Status.OK


def test_leftovers_can_be_removed_by_hand(bench: Bench, engine: Engine) -> None:
    with bench.start("hang", stderr=subprocess.DEVNULL) as parent:
        assert wait_for((bench.state / "started").exists)
        kill_watchdog(bench)
        parent.kill()
    found = leftovers(engine, bench.home)
    remove_leftovers(engine, [*found, *found])
    assert bench.containers() == []
    assert leftovers(engine, bench.home) == ()


def test_twenty_random_kills_leave_nothing(
    open_folder: Path, caller: tuple[str, ...], engine: Engine, digest: str
) -> None:
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    volumes = {one.name for one in engine.client.volumes.list()}
    cells = [
        Bench(open_folder / "home", engine, digest, cell=f"cell{number}") for number in range(5)
    ]
    for _ in range(4):
        give_away(open_folder)
        parents = [cell.start("train", caller, stderr=subprocess.DEVNULL) for cell in cells]
        for parent in parents:
            assert parent.stdout is not None
            assert parent.stdout.readline() == b"ready\n"
        begun = time.monotonic()
        for parent, after_s in zip(parents, sorted(moments.sample(MOMENTS_S, 5)), strict=True):
            time.sleep(max(0.0, begun + after_s - time.monotonic()))
            parent.kill()
            parent.communicate()
    for cell in cells:
        assert wait_for(lambda cell=cell: watchdogs(cell) == []), f"seed {seed}"
    assert cells[0].containers() == [], f"seed {seed}"
    assert {one.name for one in engine.client.volumes.list()} <= volumes, f"seed {seed}"
    assert any(is_training(cell) for cell in cells), f"seed {seed}: all killed too early"
    assert owners(open_folder) == {NOBODY if caller else os.getuid()}, f"seed {seed}"


def test_what_a_step_leaves_belongs_to_the_caller(
    open_folder: Path, caller: tuple[str, ...], engine: Engine, digest: str
) -> None:
    bench = Bench(open_folder / "home", engine, digest)
    give_away(open_folder)
    with bench.start("facts", caller) as parent:
        assert parent.wait(60) == 0
    found = json.loads((bench.folder(Step.TRAIN) / "out" / "facts.json").read_text())
    # Folders in memory can be written by somebody who is not root, too.
    assert {found[name] for name in ("tmp", "scratch", "volume")} == {"done"}
    assert (bench.state / "deep" / "er" / "file").read_text() == "x"
    assert owners(open_folder) == {NOBODY if caller else os.getuid()}
    assert bench.containers() == []
