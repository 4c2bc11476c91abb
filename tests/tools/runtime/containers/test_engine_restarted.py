"""The engine is restarted in the middle of a step: a private one, so that no one is disturbed."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.model.cell import Status
from harness.model.job import Step
from harness.tools.engine import connect
from harness.tools.runtime.base import Control, StepOutcome
from tests.tools.runtime.containers.containers_bench import LIMITS, TOOL, Bench, wait_for
from tests.tools.runtime.containers.machine_image import machine_image

pytestmark = [
    pytest.mark.engine,
    # The Docker SDK leaves a socket that could not be connected to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class PrivateEngine:
    """A Docker daemon with a socket, folders and an (empty) network of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environ = {"DOCKER_HOST": f"unix://{folder}/docker.sock"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        there = self._folder
        # A containerd of the system would be shared; the namespaces keep the containers apart.
        # So would be the network, and a daemon without a bridge removes docker0 from it.
        command = ["unshare", "--net", "dockerd", "--bridge", "none"]
        command += ["--host", f"unix://{there}/docker.sock"]
        command += ["--data-root", f"{there}/data", "--exec-root", f"{there}/exec"]
        command += ["--pidfile", f"{there}/pid", "--iptables=false", "--ip6tables=false"]
        command += ["--containerd-namespace", "deid-bench-test"]
        command += ["--containerd-plugins-namespace", "deid-bench-test-plugins"]
        with (there / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        assert wait_for(self._answers, 60), (there / "log").read_text()[-2000:]

    def _answers(self) -> bool:
        from harness.core.errors import UnfitMachineError

        try:
            connect(self.environ).close()
        except UnfitMachineError:
            return False
        return True

    def end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(60)


@pytest.fixture
def private() -> Iterator[PrivateEngine]:
    if os.getuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("only root can start a Docker daemon of its own, with dockerd installed")
    # A socket's path has about a hundred characters at most.
    folder = Path(tempfile.mkdtemp(prefix="deid-bench-dockerd-"))
    made = PrivateEngine(folder)
    made.start()
    yield made
    made.end(signal.SIGTERM)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_step_whose_engine_is_restarted_is_tried_again_and_goes_on(
    tmp_path: Path, private: PrivateEngine
) -> None:
    with connect(private.environ) as engine:
        bench = Bench(tmp_path, engine, machine_image(engine.client))
        runtime, iteration = bench.runtime, bench.state / "iteration"
        outcomes: list[StepOutcome] = []

        def train(pace_s: float) -> None:
            job = bench.job("train", LIMITS, Step.TRAIN, pace_s=pace_s)
            outcomes.append(runtime.run(TOOL, job, bench.folder(Step.TRAIN), Control()))

        thread = threading.Thread(target=train, args=(0.15,))
        thread.start()
        assert wait_for(iteration.exists)
        private.end(signal.SIGTERM)
        private.start()
        thread.join(60)
        assert outcomes[0].status is Status.INFRA_ERROR
        assert "restarted" in outcomes[0].reason
        assert bench.containers() == []
        before = int(iteration.read_text())
        train(0.0)
        assert outcomes[1].status is Status.OK
        assert bench.containers() == []
    gc.collect()
    log = (bench.folder(Step.TRAIN) / "log.txt").read_text()
    assert log.splitlines()[0].startswith(f"[12:00:00][#{before + 1:06d}]")
