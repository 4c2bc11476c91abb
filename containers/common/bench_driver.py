"""The driver's half of the contract in containers/CONTRACT.md.

Standard library only and Python 3.6 syntax: this file is also copied into old images.
"""

import json
import os
import signal
import sys
import tempfile
import time
from typing import Any, Callable, Dict, Optional, Sequence, Tuple, Type, Union

CONTRACT_VERSION = 1

DONE = 0
BAD_JOB = 64
INPUT_UNUSABLE = 65
TOOL_FAILED = 70
TRANSIENT = 75

STEPS = ("extract", "train", "convert", "observe")

Setting = Union[bool, int, float, str]


class DriverError(Exception):
    """An end with a known meaning; the message is one sentence for the user."""

    exit_code = TOOL_FAILED


class BadJobError(DriverError):
    """The job file is missing, malformed, or asks for what this driver does not do."""

    exit_code = BAD_JOB


class InputUnusableError(DriverError):
    """An input cannot be read, or holds nothing to work on."""

    exit_code = INPUT_UNUSABLE


class ToolFailedError(DriverError):
    """The tool itself failed."""

    exit_code = TOOL_FAILED


class TransientError(DriverError):
    """Trying again later may help: a busy device, a full scratch disk."""

    exit_code = TRANSIENT


class Job:
    """A checked job. ``inputs`` maps roles to paths; ``settings`` are as the harness wrote them."""

    def __init__(self, fields: Dict[str, Any]) -> None:
        self.step = fields["step"]  # type: str
        self.tool = fields["tool"]  # type: str
        self.version = fields["version"]  # type: str
        self.inputs = fields["inputs"]  # type: Dict[str, str]
        self.state = fields["state"]  # type: str
        self.out = fields["out"]  # type: str
        self.settings = fields["settings"]  # type: Dict[str, Setting]
        self.limits = fields.get("limits") or {}  # type: Dict[str, Any]
        self.gpu = bool(fields.get("gpu", False))
        self.seed = int(fields.get("seed", 0))

    def input(self, role: str) -> str:
        """The path of an input.

        Raises BadJobError when the job does not name the role, InputUnusableError when the
        file is not there or is empty.
        """
        path = self.inputs.get(role)
        if path is None:
            raise BadJobError("The job names no input '%s', which %s needs." % (role, self.tool))
        if not os.path.isfile(path):
            raise InputUnusableError("The input '%s' is not a file: %s." % (role, path))
        if os.path.getsize(path) == 0:
            raise InputUnusableError("The input '%s' is empty: %s." % (role, path))
        return path

    def folder(self, role: str) -> str:
        """The path of an input that is a folder; raises as ``input``."""
        path = self.inputs.get(role)
        if path is None:
            raise BadJobError("The job names no input '%s', which %s needs." % (role, self.tool))
        if not os.path.isdir(path):
            raise InputUnusableError("The input '%s' is not a folder: %s." % (role, path))
        return path

    def number(self, name: str, minimum: float, maximum: float) -> float:
        """A numeric setting within inclusive bounds; raises BadJobError."""
        value = self.settings.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise BadJobError("The setting '%s' must be a number, not %r." % (name, value))
        if not minimum <= value <= maximum:
            raise BadJobError(
                "The setting '%s' is %s, but must lie between %s and %s."
                % (name, value, minimum, maximum)
            )
        return float(value)

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """A text setting that is one of ``choices``; raises BadJobError."""
        value = self.settings.get(name)
        if not isinstance(value, str) or value not in choices:
            raise BadJobError(
                "The setting '%s' is %r, but must be one of: %s."
                % (name, value, ", ".join(choices))
            )
        return value

    def flag(self, name: str) -> bool:
        """A yes-or-no setting; raises BadJobError."""
        value = self.settings.get(name)
        if not isinstance(value, bool):
            raise BadJobError("The setting '%s' must be true or false, not %r." % (name, value))
        return value


def _check(fields: Any, path: str) -> Dict[str, Any]:
    if not isinstance(fields, dict):
        raise BadJobError("The job file %s must hold a JSON object." % path)
    version = fields.get("contract_version")
    if version != CONTRACT_VERSION:
        raise BadJobError(
            "The job speaks contract version %r, this driver speaks %d."
            % (version, CONTRACT_VERSION)
        )
    for name in ("step", "tool", "version", "state", "out"):
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise BadJobError("The job's field '%s' must be a text, and not empty." % name)
    if fields["step"] not in STEPS:
        raise BadJobError("The job asks for the unknown step '%s'." % fields["step"])
    for name in ("inputs", "settings"):
        if not isinstance(fields.get(name), dict):
            raise BadJobError("The job's field '%s' must be an object." % name)
    for role, value in fields["inputs"].items():
        if not isinstance(value, str):
            raise BadJobError("The job's input '%s' must be a path." % role)
    return fields


def load_job(path: str) -> Job:
    """Read and check a job file, and make its ``out`` and ``state`` folders.

    Raises BadJobError.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            fields = json.load(stream)
    except OSError as error:
        raise BadJobError("The job file cannot be read: %s." % error) from error
    except ValueError as error:
        raise BadJobError("The job file %s is not JSON: %s." % (path, error)) from error
    job = Job(_check(fields, path))
    for folder in (job.out, job.state):
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise BadJobError("A folder of the job cannot be made: %s." % error) from error
    return job


def emit(kind: str, **fields: Any) -> None:
    """Print one ``@bench`` event: ``progress`` (done, total, unit), ``loss`` (values), ``note``."""
    event = {"kind": kind}  # type: Dict[str, Any]
    event.update({name: value for name, value in fields.items() if value is not None})
    sys.stdout.write("@bench " + json.dumps(event, sort_keys=True) + "\n")
    sys.stdout.flush()


class Progress:
    """Progress events at most every ``every_s`` seconds, and always the last one."""

    def __init__(self, total: Optional[float], unit: str, every_s: float = 0.5) -> None:
        self._total = total
        self._unit = unit
        self._every_s = every_s
        self._last_s = float("-inf")

    def update(self, done: float) -> None:
        now_s = time.monotonic()
        if now_s - self._last_s < self._every_s and done != self._total:
            return
        self._last_s = now_s
        emit("progress", done=done, total=self._total, unit=self._unit)


def write_json(path: str, value: Any) -> None:
    """Write JSON so that a reader sees the whole file or none of it; raises OSError."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(prefix=".partial-", suffix=".json", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(value, stream, sort_keys=True, allow_nan=False)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def write_step(job: Job, **report: Any) -> None:
    """Write ``step.json`` (the fields of StepReport; the step is filled in)."""
    report["step"] = job.step
    write_json(os.path.join(job.out, "step.json"), report)


def _end(code: int, sentence: str) -> int:
    sys.stdout.flush()
    sys.stderr.write(" ".join(sentence.split()) + "\n")
    sys.stderr.flush()
    return code


def main(
    run: Callable[[Job], None],
    argv: Optional[Sequence[str]] = None,
    unusable: Tuple[Type[BaseException], ...] = (),
    steps: Sequence[str] = ("convert",),
) -> int:
    """Load the job named by the only argument, run it, and return the exit code.

    Every exception becomes one sentence on stderr and a code of the contract; ``unusable`` lists
    the exceptions of a driver's libraries that blame the input. SIGTERM ends the process at once.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if len(arguments) != 1:
            raise BadJobError("A driver takes one argument: the path of its job file.")
        job = load_job(arguments[0])
        if job.step not in steps:
            raise BadJobError("%s has no step '%s'." % (job.tool, job.step))
        run(job)
    except DriverError as error:
        return _end(error.exit_code, str(error))
    except unusable as error:
        return _end(INPUT_UNUSABLE, str(error))
    except MemoryError:
        return _end(TOOL_FAILED, "The driver ran out of memory.")
    except KeyboardInterrupt:
        return _end(130, "The driver was interrupted.")
    except Exception as error:  # noqa: BLE001 - the boundary: an unknown end needs its code too
        return _end(TOOL_FAILED, "The tool failed: %s: %s" % (type(error).__name__, error))
    return DONE
