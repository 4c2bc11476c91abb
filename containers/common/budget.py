"""Ends a training that has had enough: iterations or wall hours, whichever comes first.

Standard library only and Python 3.6 syntax: copied into old images.
"""

import json
import os
import time
from typing import Any, Callable, Dict, Optional, Tuple

from containers.common.bench_driver import BadJobError, Job, write_json

HOUR_S = 3600.0


class Budget:
    """Budget of a training, and what its saved model has cost so far.

    ``path`` is a JSON file in ``/state``. Only saved work counts: hours and iterations after the
    last save are lost with a kill, and are trained again. ``iterations`` and ``hours`` of None
    have no limit; one of them must have.
    """

    def __init__(
        self,
        path: str,
        iterations: Optional[int],
        hours: Optional[float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.iterations, self.hours = iterations or None, hours or None
        self._path, self._clock = path, clock
        spent = _read(path)
        self.done = int(spent.get("iterations", 0))
        """Iterations of the model as it is now."""
        self.saved_iterations = self.done
        self._saved_s = float(spent.get("seconds", 0.0))
        self._began_s: Optional[float] = None

    @property
    def spent_s(self) -> float:
        """Seconds of training in the model as it is now."""
        return self._saved_s + (0.0 if self._began_s is None else self._clock() - self._began_s)

    def reached(self, iterations: int) -> None:
        """Note how many iterations the model has; the first call of a session starts its clock."""
        if self._began_s is None:
            self._began_s = self._clock()
        self.done = iterations

    def saved(self) -> None:
        """Note that the tool has saved the model as it is now; raises OSError."""
        spent = self.spent_s
        self._began_s = None if self._began_s is None else self._clock()
        self._write(self.done, spent)

    def resume(self, iterations: int, seconds: float) -> None:
        """Start from a model that took this much; a copy of a model knows it better than we do."""
        self.done, self._began_s = iterations, None
        self._write(iterations, seconds)

    def reset(self) -> None:
        """Forget everything spent: the model is gone and the training starts at nothing."""
        self.resume(0, 0.0)

    def _write(self, iterations: int, seconds: float) -> None:
        write_json(self._path, {"iterations": iterations, "seconds": round(seconds, 3)})
        self.saved_iterations, self._saved_s = iterations, seconds

    def due(self) -> Optional[str]:
        """Reason why the training is over, as a sentence; None while it is not."""
        if self.iterations is not None and self.done >= self.iterations:
            return "Training ended at %d iterations, as planned." % self.done
        if self.hours is not None and self.spent_s >= self.hours * HOUR_S:
            return "Training ended after %.2f hours, at %d iterations." % (
                self.spent_s / HOUR_S,
                self.done,
            )
        return None


def limits(job: Job) -> Tuple[Optional[int], Optional[float]]:
    """Iterations and hours that a job allows: its settings of these names (0 is no limit).

    The job's limit on iterations caps the setting. Raises BadJobError when nothing ends a training.
    """
    iterations = int(job.number("iterations", 0, 100000000)) or None
    hours = job.number("hours", 0, 1000) or None
    cap = job.limits.get("iterations")
    if cap is not None:
        iterations = min(int(cap), iterations or int(cap))
    if not iterations and not hours:
        raise BadJobError("A training needs an end: iterations, hours, or both.")
    return iterations, hours


def of_job(job: Job, path: str) -> Budget:
    """The budget that a job allows; raises BadJobError."""
    iterations, hours = limits(job)
    return Budget(path, iterations, hours)


def _read(path: str) -> Dict[str, Any]:
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as stream:
        fields = json.load(stream)
    return fields if isinstance(fields, dict) else {}
