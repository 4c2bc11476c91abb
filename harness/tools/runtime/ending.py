"""Judges the end of a driver: the same for every runtime."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

from pydantic import ValidationError

from harness.model.cell import Status
from harness.model.job import ExitCode, Job, StepReport
from harness.model.tool import KnownFailure, Tool
from harness.tools.runtime.log import CONTROLS, EVENT_PREFIX
from harness.tools.runtime.takeover import TakenOver

Verdict = tuple[Status, str]
"""End of a step, and its reason in a sentence."""

_SAID_CHARS = 500

_ENDS = {
    ExitCode.BAD_JOB: (Status.TOOL_ERROR, "The driver refused the job as malformed (exit 64)"),
    ExitCode.INPUT_UNUSABLE: (Status.TOOL_ERROR, "The driver found an input unusable (exit 65)"),
    ExitCode.TOOL_FAILED: (Status.TOOL_ERROR, "The tool failed (exit 70)"),
    ExitCode.TRANSIENT: (Status.INFRA_ERROR, "The driver reported a transient fault (exit 75)"),
}


def judge_end(
    code: int | None, taken: TakenOver, tool: Tool, job: Job, ending: str
) -> tuple[StepReport | None, Verdict | None]:
    """The driver's account of a step that nobody ended, or the verdict on it.

    ``code`` is the exit code, ``taken`` what was taken over, ``ending`` the end of the log.
    """
    found, verdict = None, judge_exit(code, ending)
    if verdict is None:
        found, verdict = read_report(taken, job)
    return found, explain(verdict, tool.failures, ending) if verdict else None


def judge_exit(code: int | None, ending: str = "") -> Verdict | None:
    """Meaning of an exit code, with the driver's own sentence from ``ending``, the end of its log;
    None for 0."""
    if code == 0:
        return None
    if code is None:
        return Status.INFRA_ERROR, "The process that watches the driver was killed from outside."
    if code < 0:
        named = {number.value: number.name for number in signal.Signals}
        name = named.get(-code, f"signal {-code}")
        hint = " The kernel does so when memory runs out." if name == "SIGKILL" else ""
        return Status.TOOL_ERROR, f"The driver was ended by {name}.{hint}"
    if code in set(ExitCode):
        status, meaning = _ENDS[ExitCode(code)]
        return status, _with_words(meaning, ending)
    return Status.TOOL_ERROR, _with_words(f"The driver crashed (exit code {code})", ending)


def _with_words(meaning: str, ending: str) -> str:
    """The meaning, and the last line of the log, which the contract reserves for the reason; events
    and a terminal's control sequences are none of it."""
    lines = reversed(CONTROLS.sub(b"", ending.encode(errors="replace")).split(b"\n"))
    sentences = (line for line in lines if line.strip() and not line.startswith(EVENT_PREFIX))
    said = " ".join(next(sentences, b"").decode().split())
    if not said:
        return f"{meaning}, and left no sentence that says why."
    return f"{meaning}: {said[:_SAID_CHARS]}"


def read_report(taken: TakenOver, job: Job) -> tuple[StepReport | None, Verdict | None]:
    """The driver's account of its step, or the verdict that it left none."""
    if taken.fault:
        return None, (Status.BAD_OUTPUT, taken.fault)
    if taken.report is None:
        return None, (Status.BAD_OUTPUT, "The driver exited with 0 but wrote no step.json.")
    try:
        report = StepReport.model_validate_json(taken.report)
    except ValidationError as error:
        first = error.errors()[0]["msg"]
        return None, (Status.BAD_OUTPUT, f"The driver's step.json is not valid: {first}.")
    if report.step is not job.step:
        text = f"The driver's step.json is about '{report.step}', but '{job.step}' was asked."
        return None, (Status.BAD_OUTPUT, text)
    return report, None


def explain(verdict: Verdict, failures: Sequence[KnownFailure], ending: str) -> Verdict:
    """The tool's known failure that the end of its log shows, or else ``verdict``.

    Only a verdict on the tool itself gets another reason: what bench ended, or what the kernel
    did, is explained already.
    """
    if verdict[0] not in {Status.TOOL_ERROR, Status.BAD_OUTPUT}:
        return verdict
    for failure in failures:
        if re.search(failure.pattern, ending, re.MULTILINE):
            return failure.status, failure.reason
    return verdict
