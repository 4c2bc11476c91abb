"""DFaker's training: started, followed, saved, stopped.

Standard library only and Python 3.6 syntax.
"""

import os
import re
import shutil

from containers.common import budget as budgets
from containers.common import steps, terminal
from containers.common.bench_driver import Job, ToolFailedError, emit
from containers.common.previews import Previews
from containers.common.training import ErrorLines, Training
from containers.dfaker import faces, saves

FOLDER = "training"
"""In ``/state``; what train.py runs in: data/, models/; alongside, what it cost, and previews."""

LINE = (
    r"Loss A \[+(?P<loss_a>[^,\]]+).*?Loss B \[+(?P<loss_b>[^,\]]+).*?"
    r"\|\s*(?P<done>\d+)/1000000 "
)
SAVED = re.compile(r"launcher: saved at (\d+) iterations$")
_SIDES = (("A", "actor_training"), ("B", "donor_training"))


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
        self.errors.read(line)
        saved = SAVED.search(line)
        if saved is not None:
            self._budget.reached(int(saved.group(1)))
            self._budget.saved()
            self.take_previews()
        else:
            self.training.read(line)

    def due(self) -> bool:
        """True when it is to stop; at the planned iterations the launcher does so itself."""
        planned = self._budget.iterations
        if planned is not None and self._budget.done >= planned:
            return False
        return self.training.due()

    def take_previews(self) -> None:
        """Keep what the launcher left."""
        for name in sorted(os.listdir(self._fresh)):
            if re.match(r"\d{8}\.png$", name):
                path = os.path.join(self._fresh, name)
                self._previews.keep(path, int(name[:8]))
                os.unlink(path)


def folder(job: Job) -> str:
    """Folder in which train.py and merge_faces_larger.py run."""
    return os.path.join(job.state, FOLDER)


def preview_every(job: Job) -> int:
    """Iterations between previews (0 is none); raises BadJobError."""
    return int(job.number("preview_every", 0, 10000000))


def train(job: Job, key: str) -> int:
    """Train until the budget is spent, from the last save on; the model's iterations.

    Raises ToolFailedError when it diverges, fails, or ends before its time.
    """
    every = preview_every(job)
    place = steps.lasting(job.state, FOLDER, key)
    _lay_out(job)
    budget = budgets.of_job(job, os.path.join(place, "budget.json"))
    done = saves.recover(_inside(job, "models"))
    if done is None:
        saves.discard(_inside(job, "models"))
        budget.reset()
    else:
        budget.resume(done, budget.spent_s)
    watch = Watch(job, budget)
    if budget.due() is None:
        command = [faces.PYTHON, "-m", "containers.dfaker.train_launcher", faces.SOURCE]
        command += ["--first", str(budget.done)]
        command += ["--stop-at", str(budget.iterations or 0), "--seed", str(job.seed)]
        command += ["--preview-every", str(every), "--previews", _inside(job, "previews.new")]
        ended = terminal.run(
            terminal.Command(command, place, faces.environment(job)),
            terminal.Manner(),
            watch.read,
            watch.due,
        )
        _judge(ended, watch, budget)
    emit("note", text=budget.due() or "Training ended at %d iterations." % budget.done)
    return budget.done


def _inside(job: Job, name: str) -> str:
    return os.path.join(folder(job), name)


def _lay_out(job: Job) -> None:
    """data/A, data/B, and models/, which train.py expects to be there."""
    for name in ("models", "previews.new"):
        os.makedirs(_inside(job, name), exist_ok=True)
    for side, role in _SIDES:
        target = _inside(job, os.path.join("data", side))
        if not os.path.isdir(target):
            partial = target + ".partial"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(os.path.join(job.state, faces.folder(role)), partial)
            os.rename(partial, target)


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
