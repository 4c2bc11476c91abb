"""A private Podman service, with images of its own, over a chosen runtime."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.core.errors import UnfitMachineError
from harness.tools.engine import Engine, connect
from tests.tools.runtime.containers.containers_bench import wait_for


@contextmanager
def podman_service(runtime: str | None) -> Iterator[Engine]:
    """The service's engine; ``runtime`` is crun, runc, or None for Podman's own choice."""
    folder = Path(tempfile.mkdtemp(prefix="deid-bench-podman-"))
    environ = {"DOCKER_HOST": f"unix://{folder}/podman.sock"}
    command = ["podman", "--root", f"{folder}/root", "--runroot", f"{folder}/run"]
    command += ["--cgroup-manager", "cgroupfs", "--events-backend", "file"]
    if runtime is not None:
        command += ["--runtime", runtime]
    service = [*command, "system", "service", "--time=0", environ["DOCKER_HOST"]]

    def answers() -> bool:
        try:
            connect(environ).close()
        except UnfitMachineError:
            return False
        return True

    with subprocess.Popen(service, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            assert wait_for(answers, 30)
            with connect(environ) as engine:
                yield engine
        finally:
            process.terminate()
    subprocess.run([*command, "system", "reset", "--force"], capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)
