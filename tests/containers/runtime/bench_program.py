"""What ``bench run`` does in the end: one step in a container, in a process that can be killed."""

from __future__ import annotations

import json
import os
from pathlib import Path

from harness.model.job import Job
from harness.model.tool import Tool
from harness.runtime.base import Control
from harness.runtime.container import ContainerRuntime
from harness.runtime.container_plan import Allowance

if __name__ == "__main__":
    request = json.loads(os.environ["BENCH_REQUEST"])
    runtime = ContainerRuntime(
        Path(request["home"]), allowance=Allowance(**request["allowance"]), gpus=()
    )
    runtime.check(Tool.model_validate(request["tool"]), "1", request["job"]["image_digest"])
    print("ready", flush=True)
    runtime.run(
        Tool.model_validate(request["tool"]),
        Job.model_validate(request["job"]),
        Path(request["folder"]),
        Control(),
    )
