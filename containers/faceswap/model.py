"""A model's training: started, followed, saved, stopped.

Standard library only and Python 3.6 syntax.
"""

import os
import re
import time
from typing import Optional

from containers.common import budget as budgets
from containers.common import steps, terminal
from containers.common.bench_driver import Job, ToolFailedError, emit
from containers.common.checkpoints import Checkpoints
from containers.common.previews import Previews
from containers.common.training import ErrorLines, Training
from containers.faceswap import app, faces, settings

FOLDER = "training"
"""In ``/state``; holds the model, its last whole copy, what it cost, and previews."""

# The count is the model's own, over all of its sessions. A loss has five decimals, and nothing has
# to follow it: v1's line begins with a carriage return and has no end, so that what is logged next
# ("01/23/2026 12:00:00 ERROR ...") begins where the loss ended.
_LOSS = r"[-+]?(?:nan|inf|\d+\.\d{1,5})"
LINE = r"\[#(?P<done>\d+)\] Loss A: (?P<loss_a>%s), Loss B: (?P<loss_b>%s)" % (_LOSS, _LOSS)
SAVED = re.compile(r"\[Saved models?\]")
PREVIEWED = "[Preview Updated]"
NOT_A_NUMBER = re.compile(r"NaN Detected|NaN was detected")
COPY_EVERY_S = float(os.environ.get("BENCH_COPY_EVERY_S", "300"))
_ENDLESS = 5000000
"""Iterations when only hours end a training: as many as upstream's own slider has."""
_SETTLE_S = 60.0


def belongs(name: str) -> bool:
    """True when a file of the model's folder is the model: weights, and the state with its count.

    Backups (``.bk``) and TensorBoard's logs are not.
    """
    return "/" not in name and name.endswith((".h5", ".keras", ".json"))


def folder(job: Job) -> str:
    """The folder of the model."""
    return _beside(job, "model")


def _beside(job: Job, name: str) -> str:
    return os.path.join(job.state, FOLDER, name)


class Watch:
    """Reads the log of a training, keeps a copy at saves, and says when it is over."""

    def __init__(self, job: Job, opened: app.App, budget: budgets.Budget) -> None:
        self._app, self._budget = opened, budget
        self.training = Training(budget, LINE)
        self.errors = ErrorLines(app.ERRORS)
        self._job = job
        self._kept = copies(job, COPY_EVERY_S)
        every = settings.whole(job, "preview_interval", 0, 1000000)
        self._previews = Previews(_beside(job, ""), job.out, every)
        self._shown = 0.0
        self.saved = False
        """True when a save was the last thing it reported, with no iteration after it."""
        self._failed_s: Optional[float] = None

    def read(self, line: str) -> None:
        """Take a line of the log; raises ToolFailedError when there is no use in going on."""
        self.errors.read(line)
        self._app.need_gpu(line)
        if NOT_A_NUMBER.search(line):
            raise ToolFailedError(
                "The training diverged: at iteration %d a loss is no number any more. Lower the "
                "learning rate, or train with another loss." % self._budget.done
            )
        if self.training.read(line):
            self.saved = False
        # A line of losses may have one of these at its end.
        if SAVED.search(line):
            self.saved = True
            if self._kept.keep(self._budget.done, seconds=self._budget.spent_s):
                self._budget.saved()
            self._take_preview()
        elif PREVIEWED in line:
            self._take_preview()

    def due(self) -> bool:
        """True when it is to stop; at the planned iterations it ends itself, undisturbed.

        Raises ToolFailedError when it reported an error and then hangs.
        """
        if self.errors.first is not None:
            self._failed_s = self._failed_s or time.monotonic()
            if time.monotonic() - self._failed_s > _SETTLE_S:
                self.errors.check("Training")
        planned = self._budget.iterations
        if planned is not None and self._budget.done >= planned:
            return False
        return self.training.due()

    def keep(self) -> None:
        """Copy the model, which is whole now, however short ago the last copy was."""
        if copies(self._job, 0.0).keep(self._budget.done, seconds=self._budget.spent_s):
            self._budget.saved()

    def _take_preview(self) -> None:
        """Keep the picture when it is another than the last one taken."""
        if not os.path.isfile(self._app.preview):
            return
        written = os.stat(self._app.preview).st_mtime
        if written != self._shown:
            self._shown = written
            self._previews.keep(self._app.preview, self._budget.done)


def copies(job: Job, every_s: float) -> Checkpoints:
    """The last whole copy of the job's model."""
    return Checkpoints(folder(job), _beside(job, "kept"), belongs, every_s)


def train(job: Job, key: str) -> int:
    """Train until the budget is spent, from the last whole save on; the model's iterations.

    Raises ToolFailedError when it diverges, fails, or ends before its time.
    """
    steps.lasting(job.state, FOLDER, key)
    os.makedirs(folder(job), exist_ok=True)
    budget = budgets.of_job(job, _beside(job, "budget.json"))
    _resume(job, budget)
    if budget.due() is None:
        with app.opened(job) as opened:
            _session(job, opened, budget)
    emit("note", text=budget.due() or "Training ended at %d iterations." % budget.done)
    return budget.done


def _session(job: Job, opened: app.App, budget: budgets.Budget) -> None:
    asked = settings.training(job)
    commands = app.commands(job)
    actor, donor = (
        os.path.join(job.state, faces.folder(role)) for role in ("actor_training", "donor_training")
    )
    left = budget.iterations - budget.done if budget.iterations else _ENDLESS
    opened.configure("train", commands.train_ini(asked))
    words = commands.train(asked, actor, donor, folder(job), left, job.gpu)
    watch = Watch(job, opened, budget)
    # One SIGINT only: upstream takes a second for the wish to end without saving.
    manner = opened.manner(stop_grace_s=600.0)
    _judge(job, terminal.run(opened.command(words), manner, watch.read, watch.due), watch, budget)


def _resume(job: Job, budget: budgets.Budget) -> bool:
    """Put the model back to its last whole save, and the budget with it; whether there is one."""
    manifest = copies(job, 0.0).restore()
    if manifest is None:
        budget.reset()
        return False
    budget.resume(int(manifest["iteration"]), float(manifest["facts"]["seconds"]))
    return True


def _judge(job: Job, ended: terminal.Ended, watch: Watch, budget: budgets.Budget) -> None:
    """Keep the model that an orderly end left; raise ToolFailedError for any other end."""
    watch.errors.check("Training")
    if ended.code == 0 and watch.saved and (ended.stopped or budget.due() is not None):
        watch.keep()
        return
    if not ended.stopped:
        raise ToolFailedError(
            "Training ended by itself with exit code %d, at %d iterations: %s"
            % (ended.code, budget.done, watch.errors.last)
        )
    if not _resume(job, budget):
        raise ToolFailedError("Training was stopped, but left no model that is whole.")
    emit("note", text="The training did not save when it was stopped; its last whole save is used.")
