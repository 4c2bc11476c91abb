"""Faceswap-GAN's training: started, followed, stopped.

Standard library only and Python 3.6 syntax.
"""

import os
import re
from typing import Any, Dict, NamedTuple

from containers.common import budget as budgets
from containers.common import steps, terminal
from containers.common.bench_driver import (
    BadJobError,
    Job,
    ToolFailedError,
    emit,
    write_json,
)
from containers.common.previews import Previews
from containers.common.training import ErrorLines, Training
from containers.faceswap_gan import faces, saves, schedule, settings

FOLDER = "training"
"""In ``/state``; holds the saves, what they cost, and previews."""
VGGFACE = os.environ.get(
    "FACESWAP_GAN_VGGFACE", "/opt/weights/rcmalli_vggface_tf_notop_resnet50.h5"
)

LINE = (
    r"\[iter (?P<done>\d+)\] Loss_DA: (?P<loss_da>\S+) Loss_DB: (?P<loss_db>\S+) "
    r"Loss_GA: (?P<loss_ga>\S+) Loss_GB: (?P<loss_gb>\S+) time: "
)
_BEGINS = re.compile(r"^train: from iteration (\d+) of ")
_SAVED = re.compile(r"^train: saved at (\d+) iterations$")


class Trained(NamedTuple):
    """A training's end."""

    iterations: int
    phase: int
    """The last phase of the schedule that it reached, from 1."""
    phases: int


class Watch:
    """Reads the log of a training."""

    def __init__(self, job: Job, budget: budgets.Budget) -> None:
        self._budget = budget
        self._fresh = _inside(job, "previews.new")
        self._previews = Previews(_inside(job, ""), job.out, every=1)
        self.training = Training(budget, LINE)
        self.errors = ErrorLines(faces.ERRORS)

    def read(self, line: str) -> None:
        """Take a line of the log."""
        begins, saved = _BEGINS.match(line), _SAVED.match(line)
        if begins is not None:
            self._budget.reached(int(begins.group(1)))
        elif saved is not None:
            self._budget.reached(int(saved.group(1)))
            self._budget.saved()
            self.take_previews()
        elif not self.training.read(line):
            self.errors.read(line)

    def due(self) -> bool:
        """True when it is to stop; at the planned iterations the training ends itself."""
        planned = self._budget.iterations
        if planned is not None and self._budget.done >= planned:
            return False
        return self.training.due()

    def take_previews(self) -> None:
        """Keep what the training left."""
        for name in sorted(os.listdir(self._fresh)):
            if re.match(r"\d{8}\.png$", name):
                path = os.path.join(self._fresh, name)
                self._previews.keep(path, int(name[:8]))
                os.unlink(path)


def train(job: Job, key: str) -> Trained:
    """Train until the budget is spent, from the last save on.

    Raises ToolFailedError when it diverges, fails, or ends before its time.
    """
    asked = settings.training(job)
    place = steps.lasting(job.state, FOLDER, key)
    for name in ("saves", "previews.new"):
        os.makedirs(_inside(job, name), exist_ok=True)
    budget = budgets.of_job(job, os.path.join(place, "budget.json"))
    _resume(budget, _inside(job, "saves"))
    watch = Watch(job, budget)
    if budget.due() is None:
        order = _inside(job, "order.json")
        write_json(order, _order(job, asked, budget))
        ended = terminal.run(
            faces.command(job, "train_gan", order),
            terminal.Manner(stop_grace_s=600.0),
            watch.read,
            watch.due,
        )
        _judge(ended, watch, budget)
    emit("note", text=budget.due() or "Training ended at %d iterations." % budget.done)
    phases = schedule.plan(asked["planned"])
    last = schedule.phase_at(phases, max(0, budget.done - 1))
    return Trained(budget.done, last.number + 1, len(phases))


def save(job: Job) -> saves.Save:
    """The trained model; raises BadJobError when there is none."""
    found = saves.newest(_inside(job, "saves"))
    if found is None:
        raise BadJobError("There is no trained model; the step train comes first.")
    return found


def _inside(job: Job, name: str) -> str:
    return os.path.join(job.state, FOLDER, name)


def _resume(budget: budgets.Budget, root: str) -> None:
    found = saves.newest(root)
    if found is None:
        budget.reset()
    else:
        budget.resume(found.iterations, budget.spent_s)


def _order(job: Job, asked: Dict[str, Any], budget: budgets.Budget) -> Dict[str, Any]:
    roles = {"A": "actor_training", "B": "donor_training"}
    save_every, preview_every = settings.saving(job)
    return {
        "training": asked,
        "saves": _inside(job, "saves"),
        "faces": {side: os.path.join(job.state, faces.folder(roles[side])) for side in roles},
        "vggface": VGGFACE,
        "stop_at": budget.iterations or 0,
        "save_every": save_every,
        "preview_every": preview_every,
        "previews": _inside(job, "previews.new"),
    }


def _judge(ended: terminal.Ended, watch: Watch, budget: budgets.Budget) -> None:
    """Raise ToolFailedError for every end but one with a save when it was time."""
    watch.errors.check("Training")
    watch.take_previews()
    if ended.code != 0:
        raise ToolFailedError(
            "Training ended with exit code %d, at %d iterations: %s"
            % (ended.code, budget.saved_iterations, watch.errors.last)
        )
    if not ended.stopped and budget.due() is None:
        raise ToolFailedError(
            "Training ended by itself at %d iterations, before its time: %s"
            % (budget.done, watch.errors.last)
        )
