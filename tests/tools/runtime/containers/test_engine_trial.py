"""An engine that answers but runs nothing is found out at once, in its own words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.execution.doctor import engine_check
from harness.model.cell import Status
from harness.tools.engine import Engine
from harness.tools.runtime.base import Control
from harness.tools.runtime.container_end import never_ran, refusal_words
from harness.tools.runtime.container_plan import LABEL_OWNER, Caller
from harness.tools.runtime.container_step import Work, run_step
from harness.tools.runtime.container_trial import trial
from tests.tools.runtime.containers.containers_bench import ALLOWANCE, LIMITS, TOOL, Bench
from tests.tools.runtime.containers.podman_service import podman_service

REFUSAL = "crun: cgroups in hybrid mode not supported"


class NeverStarts:
    """A stand-in for Podman's service over a runtime that refuses: it takes the order to start,
    and the container stays as it was made (containers/podman, pkg/api/handlers/compat)."""

    def __init__(self, api: Any, words: str) -> None:
        self._api, self._words = api, words

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def start(self, container: str) -> None:
        pass

    def inspect_container(self, container: str) -> Any:
        found = self._api.inspect_container(container)
        found["State"]["Error"] = self._words
        return found


class Forgets(NeverStarts):
    """A stand-in for Podman 4.3 while a second service refreshes its state: a container that has
    run is said to be as it was made."""

    def start(self, container: str) -> None:
        self._api.start(container)
        self._api.wait(container)
        self._first = True

    def inspect_container(self, container: str) -> Any:
        found = self._api.inspect_container(container)
        if not self._first:
            found["State"].update({"Status": "created", "Running": False, "Error": self._words})
        self._first = False
        return found


def _run_on(bench: Bench, api: Any) -> Any:
    work = Work(
        engine=replace(bench.engine, client=SimpleNamespace(api=api)),
        image=bench.engine.api.inspect_image(bench.digest),
        tool=TOOL,
        job=bench.job("good", LIMITS),
        folder=bench.folder(),
        control=Control(),
    )
    caller = Caller(uid=0, gid=0, pid=1, boot="", home=str(bench.home))
    return run_step(work, caller, ALLOWANCE, None)


@pytest.mark.parametrize(
    ("kind", "words"), [(NeverStarts, REFUSAL), (NeverStarts, ""), (Forgets, "")]
)
def test_a_container_that_never_runs_ends_the_step_long_before_its_wall_limit(
    bench: Bench, kind: type[NeverStarts], words: str
) -> None:
    outcome = _run_on(bench, kind(bench.engine.api, words))
    assert outcome.status is Status.INFRA_ERROR
    assert (words or "the container stays 'created'") in outcome.reason
    assert outcome.resources.wall_s < LIMITS.wall_s / 2
    assert bench.containers() == []


@pytest.mark.parametrize("status", ["created", "configured", "initialized"])
def test_only_a_container_that_is_as_it_was_made_never_ran(status: str) -> None:
    assert never_ran({"Status": status, "Running": False})
    assert status in refusal_words({"Status": status, "Error": ""})
    assert refusal_words({"Status": status, "Error": REFUSAL}) == REFUSAL
    assert not any(never_ran({"Status": other}) for other in ("running", "exited", "dead"))


def test_an_engine_that_runs_steps_passes_its_trial_and_keeps_nothing_of_it(
    engine: Engine,
) -> None:
    assert trial(engine) == ""
    assert engine.client.images.list("deid-bench/trial") == []
    names = [
        one["Names"][0]
        for one in engine.api.containers(all=True, filters={"label": LABEL_OWNER})
        if "trial" in one["Image"]
    ]
    assert names == []


def test_doctor_repeats_why_an_engine_runs_nothing(engine: Engine) -> None:
    found = engine_check("engine", engine.info, REFUSAL)
    assert not found.fit
    assert REFUSAL in found.finding
    assert engine.info.kind in found.remedy
    assert REFUSAL not in engine_check("engine", engine.info).finding


@pytest.fixture
def refusing_podman() -> Iterator[Engine]:
    """A private Podman service whose crun refuses this machine's control groups."""
    if shutil.which("podman") is None or shutil.which("crun") is None:
        pytest.skip("Podman with crun is not installed")
    if not Path("/sys/fs/cgroup/systemd").is_dir():
        pytest.skip("crun refuses version 1 control groups only alongside version 2")
    with podman_service("crun") as engine:
        yield engine


def test_a_real_engine_that_answers_and_runs_nothing_says_so_within_seconds(
    refusing_podman: Engine,
) -> None:
    refusal = trial(refusing_podman)
    if not refusal:
        pytest.skip("crun runs containers on this machine")
    assert "crun" in refusal
    assert refusing_podman.api.containers(all=True) == []
