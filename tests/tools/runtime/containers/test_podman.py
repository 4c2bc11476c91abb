"""The same runtime on Podman, through its Docker-compatible socket."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.model.cell import Status
from harness.model.job import Step
from harness.tools.engine import Engine
from harness.tools.runtime.container_trial import trial
from tests.tools.runtime.containers.containers_bench import (
    HANGS_S,
    LIMITS,
    Bench,
    Programs,
    wait_for,
    with_container,
)
from tests.tools.runtime.containers.machine_image import machine_image
from tests.tools.runtime.containers.podman_service import podman_service


@pytest.fixture(scope="module")
def podman() -> Iterator[Engine]:
    """A private Podman service, with images of its own."""
    if shutil.which("podman") is None:
        pytest.skip("Podman is not installed")
    # crun refuses machines with both versions of control groups.
    with podman_service("runc" if shutil.which("runc") else None) as engine:
        if refusal := trial(engine):
            pytest.skip(refusal)
        yield engine


@pytest.fixture
def on_podman(tmp_path: Path, podman: Engine) -> Bench:
    return Bench(tmp_path / "home", podman, machine_image(podman.client))


def test_podman_runs_a_step_and_gives_it_nothing_but_its_own(on_podman: Bench) -> None:
    assert on_podman.engine.info.kind == "podman"
    outcome = on_podman.run("facts")
    assert outcome.status is Status.OK, outcome.reason
    found = json.loads((on_podman.state / "facts.json").read_text())
    refused = {
        "root",
        "etc",
        "run",
        "run_lock",
        "run_mode",
        "var_tmp",
        "input",
        "input_mode",
        "input_gone",
        "beside_input",
        "job",
    }
    refused |= {"setuid", "chown", "mknod", "reach"}
    assert [name for name in refused if found[name] == "done"] == []
    assert {found[name] for name in ("tmp", "scratch", "volume")} == {"done"}
    assert set(found["capabilities"]) == {"0"}
    assert found["user"] == [os.getuid(), os.getgid()]
    assert found["init"] != "python3"
    assert found["interfaces"] == ["lo"]


def test_podman_tells_events_and_lines_apart_with_and_without_a_terminal(on_podman: Bench) -> None:
    outcome = on_podman.run("good")
    assert sorted(outcome.log_tail) == ["first", "second", "third"]
    assert [event.done for event in on_podman.events] == [1]
    on_podman.events.clear()
    outcome = on_podman.run("good", tool=with_container(terminal=True))
    assert sorted(outcome.log_tail) == ["first", "second", "third"]
    assert [event.done for event in on_podman.events] == [1]


def test_podman_ends_a_step_at_its_limit(on_podman: Bench) -> None:
    outcome = on_podman.run("hang", LIMITS.model_copy(update={"wall_s": 0.5}))
    assert outcome.status is Status.TIMEOUT
    assert outcome.resources.wall_s < HANGS_S / 2


def test_podman_keeps_no_container_of_a_killed_bench(on_podman: Bench, programs: Programs) -> None:
    program = programs.start(on_podman, "train")
    assert wait_for((on_podman.state / "iteration").exists)
    program.kill()
    assert wait_for(lambda: on_podman.containers() == [])
    assert on_podman.run("train", step=Step.TRAIN).status is Status.OK


def test_scratch_may_lie_in_a_folder_that_is_closed_otherwise(on_podman: Bench) -> None:
    tool = with_container(scratch=("/scratch", "/run/lock", "/var/tmp"))
    assert on_podman.run("facts", tool=tool).status is Status.OK
    found = json.loads((on_podman.state / "facts.json").read_text())
    assert {found[name] for name in ("run_lock", "var_tmp", "scratch")} == {"done"}
    assert found["run"] != "done"
