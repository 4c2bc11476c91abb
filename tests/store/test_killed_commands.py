"""``bench run`` killed, interrupted and started twice, as its users meet it."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from tests.store.conftest import RUN, Home

pytestmark = [pytest.mark.clips, pytest.mark.xdist_group("store-cli")]


def test_kill_9_at_random_moments_then_the_same_command_gives_the_same_result(
    empty_home: Home, undisturbed: Home
) -> None:
    chance = random.Random(5)
    kept: dict[str, str] = {}
    for _ in range(4):
        with empty_home.start() as process:
            time.sleep(chance.uniform(0.5, 5))
            process.kill()
        assert empty_home.processes() == []
        # What was published before the kill is published still, and is the same.
        assert kept.items() <= empty_home.artifacts().items()
        kept = results(empty_home)
    code, _, errors = empty_home.bench()
    assert code == 0, errors
    assert empty_home.artifacts() == undisturbed.artifacts()
    assert empty_home.leftovers() == []
    for folder in empty_home.path.glob("cells/*"):
        assert [path.name for path in (folder / "attempts").iterdir()] == [
            json.loads((folder / "result.json").read_text())["attempt"]
        ]


def results(home: Home) -> dict[str, str]:
    """The artifacts of cells that have a result; what an attempt left alone is no artifact."""
    cells = [path.parent.name for path in home.path.glob("cells/*/result.json")]
    return {
        place: value
        for place, value in home.artifacts().items()
        if place.split("/")[0] in {*cells, "scores"}
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_ends_everything_says_how_to_go_on_and_exits_with_130(
    empty_home: Home, number: signal.Signals
) -> None:
    with empty_home.start() as process:
        # At first the tools run, while an original is measured.
        wait_for_a_worker(process.pid)
        process.send_signal(number)
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130, errors
    assert "Interrupted" in errors
    assert "Traceback" not in errors
    assert empty_home.processes() == []


def wait_for_a_worker(pid: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        children = psutil.Process(pid).children()
        if any("spawn_main" in " ".join(child.cmdline()) for child in children):
            time.sleep(1)
            return
        time.sleep(0.1)
    pytest.fail("no worker process was started")


def test_two_commands_at_once_do_each_cell_once_and_both_end_with_all(
    empty_home: Home, undisturbed: Home
) -> None:
    with empty_home.start(*RUN, "--json") as one, empty_home.start(*RUN, "--json") as two:
        said = [process.communicate(timeout=200) for process in (one, two)]
    assert [one.returncode, two.returncode] == [0, 0], said
    assert json.loads(said[0][0]) == json.loads(said[1][0])
    assert empty_home.artifacts() == undisturbed.artifacts()
    for folder in empty_home.path.glob("cells/*"):
        assert len(list((folder / "attempts").iterdir())) == 1


@pytest.mark.parametrize(
    "place", ["after-frames", "half-frames", "half-observation"], ids=lambda place: str(place)
)
def test_a_kill_while_scores_or_observations_are_written_leaves_nothing_half(
    finished_home: Home, undisturbed: Home, place: str
) -> None:
    """The process kills itself at the worst moment; nothing of the rest is replaced."""
    doomed = "observations" if place == "half-observation" else "scores"
    for path in finished_home.path.glob("scores/*/*.json"):
        path.unlink()
    if doomed == "observations":
        for path in finished_home.path.glob("observations/*/thumbnails*"):
            path.unlink()
    program = f"""
        import os, signal, sys
        from pathlib import Path
        from pyarrow import parquet
        from harness.model.protocol import Protocol
        from harness.execution.score_cells import scorable_cell, score_cell
        from harness.store.cells import CellStore

        def die():
            os.kill(os.getpid(), signal.SIGKILL)

        class Half(parquet.ParquetWriter):
            def __init__(self, where, *rest, **options):
                self.target = Path(where)
                super().__init__(where, *rest, **options)

            def close(self):
                super().close()
                if self.target.parts[-3] == {doomed!r}:
                    os.truncate(self.target, os.path.getsize(self.target) // 2)
                    die()

        if {place!r} == "after-frames":
            import harness.store.score_files as score_files
            score_files.write_record = lambda *_: die()
        else:
            parquet.ParquetWriter = Half
        home = Path({str(finished_home.path)!r})
        for spec in CellStore(home).list():
            cell = scorable_cell(spec, home, Protocol(name="thesis-4", frames=4))
            score_cell(cell, home)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert done.returncode == -signal.SIGKILL
    code, _, errors = finished_home.bench()
    assert code == 0, errors
    assert finished_home.artifacts() == undisturbed.artifacts()
    assert finished_home.leftovers() == []


def test_results_and_their_order_do_not_depend_on_the_number_of_jobs(
    empty_home: Home, undisturbed: Home
) -> None:
    code, alone, errors = empty_home.bench(*RUN, "--json", "--jobs", "1")
    assert code == 0, errors
    assert empty_home.artifacts() == undisturbed.artifacts()
    assert json.loads(alone) == json.loads(undisturbed.bench(*RUN, "--json")[1])


def test_a_number_of_jobs_that_is_none_is_a_sentence(empty_home: Home) -> None:
    environment = {**empty_home.environment, "BENCH_JOBS": "many"}
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli.main", *RUN],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 2
    assert "BENCH_JOBS is 'many'" in done.stderr
