"""Does what ``bench run`` does in the end: steps in containers, in processes that can be killed.

Each line of the input is a step, as JSON. It is run by a fork, so that only one process takes the
second in which Python and the harness start; the answer is the fork's process id.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import docker.errors  # noqa: F401 - the harness imports it late, each fork for itself

from harness.model.job import Job
from harness.model.tool import Tool
from harness.tools.runtime.base import Control
from harness.tools.runtime.container import ContainerRuntime
from harness.tools.runtime.container_plan import Allowance


def run(request: dict[str, Any]) -> None:
    """Run the step; say by two files when it begins, and that it has ended without a fault."""
    runtime = ContainerRuntime(
        Path(request["home"]),
        allowance=Allowance(**request["allowance"]),
        gpus=(),
        environ=request["environ"],
    )
    tool, job = Tool.model_validate(request["tool"]), Job.model_validate(request["job"])
    runtime.check(tool, "1", job.image_digest)
    Path(request["ready"]).touch()
    runtime.run(tool, job, Path(request["folder"]), Control())
    Path(request["done"]).touch()


def main() -> None:
    # Nobody waits for a fork: the kernel forgets it as it ends.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            run(json.loads(line))
            return
        print(pid, flush=True)


if __name__ == "__main__":
    main()
