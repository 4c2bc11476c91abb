"""A SAEHD model's training: started, followed, saved, stopped.

Standard library only and Python 3.6 syntax.
"""

import os
import re
import time
from typing import List, Optional

from containers.common import budget as budgets
from containers.common import steps, terminal
from containers.common.bench_driver import Job, ToolFailedError, emit
from containers.common.checkpoints import Checkpoints
from containers.common.previews import Previews
from containers.common.training import ErrorLines, Training
from containers.deepfacelab import faces, questions, settings

CLASS = "SAEHD"
FOLDER = "training"
"""In ``/state``; holds the model, its last whole copy, what it cost, and previews."""

LINE = (
    r"\[\d\d:\d\d:\d\d\]\[#(?P<done>\d+)\]\[(?:\d+ms|[\d.]+s)\]"
    r"\[(?P<loss_src>[^\]]+)\]\[(?P<loss_dst>[^\]]+)\]"
)
SAVING = "Saving...."
AT_TARGET = "You can use preview now."
SETTLE_S = float(os.environ.get("BENCH_SETTLE_S", "3"))
"""Seconds to wait for the lines after an error."""

_SAVE = """try:
    model_save()
except Exception as error:
    print('Error: %s' % error)
"""
_PREVIEW = """try:
    shown = model.get_static_previews()[0][1]
    name = {folder!r} + '/%08d' % model.get_iter()
    cv2.imwrite(name + '.partial.png', (np.clip(shown, 0, 1) * 255).astype(np.uint8))
    os.replace(name + '.partial.png', name + '.png')
except Exception as error:
    print('No preview: %s' % error)
"""


def belongs(name: str) -> bool:
    """True when a file of the model's folder is the model: weights, optimizer state, iteration."""
    return "/" not in name and name.endswith((".npy", ".dat")) and "default_options" not in name


def folder(job: Job) -> str:
    """The folder of the model."""
    return _beside(job, "model")


def _beside(job: Job, name: str) -> str:
    return os.path.join(job.state, FOLDER, name)


class Watch:
    """Reads the log of a training, keeps a copy at each save, and says when it is over."""

    def __init__(self, job: Job, budget: budgets.Budget, kept: Checkpoints) -> None:
        self._job, self._budget, self._kept = job, budget, kept
        self.training = Training(budget, LINE)
        self.errors = ErrorLines(faces.ERRORS)
        self._fresh = _beside(job, "previews.new")
        self._previews = Previews(_beside(job, ""), job.out, every=1)
        self._saving = False
        self.at_target = False
        self._failed_s: Optional[float] = None

    def read(self, line: str) -> None:
        """Take a line of the log."""
        self.errors.read(line)
        faces.need_gpu(self._job, line)
        if SAVING in line:
            self._saving = True
        elif self._saving and (re.search(LINE, line) or AT_TARGET in line):
            # One thread trains and saves: another line means that the save is over.
            self._saving = False
            self.keep()
        self.at_target = self.at_target or AT_TARGET in line
        if self.training.read(line):
            self._take_previews()

    def due(self) -> bool:
        """True when it is to stop: at the target, when time is up, or after an error.

        At its target upstream saves and then waits for somebody to look at the preview. After an
        error while it loads it waits for ever, too: this raises ToolFailedError.
        """
        if self.errors.first is not None:
            self._failed_s = self._failed_s or time.monotonic()
            if time.monotonic() - self._failed_s > SETTLE_S:
                self.errors.check("Training")
        return self.at_target or self.training.due()

    @property
    def saved_at_end(self) -> bool:
        """True when the last thing it did was a save, and no iteration came after it."""
        return self._saving or self.at_target

    def keep(self) -> None:
        """Copy the model, which is whole now."""
        if self._kept.keep(self._budget.done, seconds=self._budget.spent_s):
            self._budget.saved()

    def _take_previews(self) -> None:
        for name in sorted(os.listdir(self._fresh)):
            if re.match(r"\d{8}\.png$", name):
                path = os.path.join(self._fresh, name)
                self._previews.keep(path, int(name[:8]))
                os.unlink(path)


def train(job: Job, key: str) -> int:
    """Train until the budget is spent, from the last whole save on; the model's iterations.

    Raises ToolFailedError when it diverges, fails, or ends before its time.
    """
    asked = settings.training(job)
    steps.lasting(job.state, FOLDER, key)
    model = folder(job)
    for place in (model, _beside(job, "previews.new")):
        os.makedirs(place, exist_ok=True)
    kept = Checkpoints(model, _beside(job, "kept"), belongs)
    budget = budgets.of_job(job, _beside(job, "budget.json"))
    _resume(budget, kept)
    watch = Watch(job, budget, kept)
    if budget.due() is None:
        answers = questions.training(asked, budget.iterations or 0, job.gpu)
        manner = terminal.Manner(terminal=True, answers=answers, stop_again_s=60.0)
        ended = terminal.run(faces.command(_words(job, model)), manner, watch.read, watch.due)
        _judge(ended, watch, budget, kept)
    emit("note", text=budget.due() or "Training ended at %d iterations." % budget.done)
    return budget.done


def _resume(budget: budgets.Budget, kept: Checkpoints) -> None:
    manifest = kept.restore()
    if manifest is None:
        budget.reset()
    else:
        budget.resume(int(manifest["iteration"]), float(manifest["facts"]["seconds"]))


def _words(job: Job, model: str) -> List[str]:
    src = os.path.join(job.state, faces.folder("donor_training"))
    dst = os.path.join(job.state, faces.folder("actor_training"))
    words = ["train", "--training-data-src-dir", src, "--training-data-dst-dir", dst]
    words += ["--model-dir", model, "--model", CLASS, "--force-model-name", questions.MODEL_NAME]
    words += ["--no-preview"]
    # A silent start takes the best GPU whatever else is asked, so not with --cpu-only.
    words += ["--silent-start"] if job.gpu else ["--cpu-only"]
    every_s, preview_s = settings.saving(job)
    words += ["--execute-program", str(-every_s), _SAVE]
    if preview_s:
        fresh = _beside(job, "previews.new")
        words += ["--execute-program", str(-preview_s), _PREVIEW.format(folder=fresh)]
    return words


def _judge(ended: terminal.Ended, watch: Watch, budget: budgets.Budget, kept: Checkpoints) -> None:
    """Keep the model that an orderly end left; raise ToolFailedError for any other end."""
    watch.errors.check("Training")
    if not ended.stopped and not watch.at_target:
        raise ToolFailedError(
            "Training ended by itself with exit code %d, at %d iterations: %s"
            % (ended.code, budget.done, watch.errors.last)
        )
    if ended.code == 0 and watch.saved_at_end:
        watch.keep()
        return
    manifest = kept.restore()
    if manifest is None:
        raise ToolFailedError("Training was stopped, but left no model that is whole.")
    budget.resume(int(manifest["iteration"]), float(manifest["facts"]["seconds"]))
    emit("note", text="The training did not save when it was stopped; its last whole save is used.")
