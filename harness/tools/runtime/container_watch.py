"""Holds a container to its limits, and notes what it uses."""

from __future__ import annotations

import time
from typing import Any

from harness.model.cell import Resources
from harness.tools.runtime.container_use import Cgroup
from harness.tools.runtime.ending import Verdict
from harness.tools.runtime.limits import GRACE_S, SAMPLE_S, StepLimits


class ContainerWatch:
    """Says once why the container must end, then ends it with growing force.

    Docker's and requests' exceptions pass through: then the engine is gone.
    """

    def __init__(
        self,
        api: Any,
        container: str,
        cgroup: Cgroup | None,
        limits: StepLimits,
    ) -> None:
        self._api = api
        self._container = container
        self._cgroup = cgroup
        self._limits = limits
        self._next_check = 0.0
        self._kill_at: float | None = None
        self._peak_bytes = 0
        self._cpu_s = 0.0
        self.memory_kills = 0
        self.verdict: Verdict | None = None

    @property
    def resources(self) -> Resources:
        """Until now; CPU time and memory as of the last look, at most 0.2 s before the end."""
        return Resources(
            wall_s=self._limits.wall_s,
            cpu_s=self._cpu_s,
            peak_memory_bytes=self._peak_bytes,
        )

    def check(self) -> None:
        """Call often while the container runs; it looks every 0.2 s at most."""
        now = time.monotonic()
        if now < self._next_check and not (self._limits.stopped and self.verdict is None):
            return
        # Often at first, so that a short step has figures too.
        self._next_check = now + min(SAMPLE_S, self._limits.wall_s / 5)
        self._sample()
        if self.verdict is None:
            self.verdict = self._limits.judge()
            if self.verdict is not None:
                self._signal("SIGTERM")
                self._kill_at = now + GRACE_S
        elif self._kill_at is not None and now >= self._kill_at:
            self._signal("SIGKILL")
            self._kill_at = now + GRACE_S

    def _sample(self) -> None:
        use = self._cgroup.read() if self._cgroup else None
        if use is not None:
            self._peak_bytes = max(self._peak_bytes, use.memory_bytes)
            self._cpu_s = max(self._cpu_s, use.cpu_s)
            self.memory_kills = max(self.memory_kills, use.memory_kills)

    def _signal(self, name: str) -> None:
        from docker.errors import APIError

        try:
            self._api.kill(self._container, signal=name)
        except APIError as error:
            # 409: it has just ended by itself. 404: somebody removed it.
            if error.status_code not in {404, 409, 500}:
                raise
