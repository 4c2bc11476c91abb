"""Checks that a tool's driver refuses bad jobs: it is started as a child, on jobs of no use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.core.interpreters import PYTHONPATH, SAFE_PATH, absolute_entries
from harness.model.job import CONTRACT_VERSION, ExitCode, Job, Limits, Role, Setting, Step
from harness.model.tool import ChildProcess, SettingSpec, Tool
from harness.tools.conformance.finding import Finding, State
from harness.tools.images.recipe import COMMON, module_folder
from harness.tools.registry import resolve_settings
from harness.tools.runtime.environment import driver_environment, passed_on

CHECK = "driver"
_TIMEOUT_S = 60
_NO_FIELDS = "{}"
_PLACEHOLDER = b"no video, no picture"
_PHOTOS = {
    Role.ACTOR_REFERENCE: ".png",
    Role.DONOR_REFERENCE: ".png",
    Role.FACE_LANDMARKER: ".task",
}


@dataclass(frozen=True)
class Answer:
    """The end of a driver: its exit code and what it wrote."""

    code: int | None
    """None when it did not end in time."""
    errors: str

    @property
    def sentence(self) -> str:
        """The last line on stderr."""
        lines = self.errors.strip().splitlines()
        return lines[-1].strip() if lines else ""

    @property
    def cannot_start(self) -> bool:
        """A module that only the image has is imported at once."""
        return self.code == 1 and self.sentence.startswith(("ModuleNotFoundError", "ImportError"))


def driver_findings(tool: Tool) -> tuple[Finding, ...]:
    """Findings on the driver's answers to bad jobs. One that cannot start here is ``skipped``."""
    with tempfile.TemporaryDirectory(prefix="bench-check-") as folder:
        try:
            driver = _Driver(tool, Path(folder))
        except UsageError as error:
            return (_finding(State.SKIPPED, error.message),)
        first = driver.answer(_NO_FIELDS)
        if first.cannot_start:
            text = f"It cannot start outside of its image here: {first.sentence}"
            return (_finding(State.SKIPPED, text),)
        faults = [*_refusal_faults("a job without fields", first), *_malformed_faults(driver)]
        settings = _Settings(driver)
        faults += settings.faults()
        findings = [_finding(State.FAULT, text) for text in faults]
        if not findings:
            findings.append(_finding(State.OK, "It refuses bad jobs with 64 and a sentence."))
        if settings.unreached:
            names = ", ".join(settings.unreached)
            text = f"Not seen refused, as something else ended their step first: {names}."
            findings.append(_finding(State.SKIPPED, text))
    return tuple(findings)


def _finding(state: State, text: str) -> Finding:
    return Finding(check=CHECK, state=state, text=text)


class _Driver:
    """Starts a tool's driver on jobs; raises UsageError when there is none to start."""

    def __init__(self, tool: Tool, folder: Path) -> None:
        self.tool, self._folder = tool, folder
        runs = tool.runs_as
        if isinstance(runs, ChildProcess):
            # As in a run, so that what it lacks there is missed here.
            given = passed_on(runs, os.environ)
            self._environment = driver_environment(given, folder, {})
            self._command = [sys.executable, "-m", runs.module]
        else:
            script = module_folder(runs.recipe) / "driver.py"
            if not script.is_file():
                raise UsageError(f"There is no driver to start: {script}.")
            # As in an image that holds the shared parts alongside the driver.
            common = module_folder(COMMON)
            named = absolute_entries(os.environ.get(PYTHONPATH, ""))
            paths = [str(common), str(common.parents[1]), named]
            self._environment = {**os.environ, PYTHONPATH: os.pathsep.join(filter(None, paths))}
            # It imports its neighbours from its own folder.
            self._environment.pop(SAFE_PATH, None)
            self._command = [sys.executable, str(script)]
        self.settings = resolve_settings(tool, "default", {})

    def job(self, step: Step, changed: Mapping[str, Setting]) -> dict[str, Any]:
        """A job like those of a run, but for inputs that hold nothing of use."""
        inputs = {}
        for role in self.tool.needs:
            path = self._folder / f"{role}{_PHOTOS.get(role, '.mp4')}"
            if role is Role.GALLERY:
                path = self._folder / role
                path.mkdir(exist_ok=True)
                (path / "gallery.json").write_bytes(_PLACEHOLDER)
            else:
                path.write_bytes(_PLACEHOLDER)
            inputs[role] = str(path)
        job = Job(
            step=step,
            tool=self.tool.name,
            version=self.tool.versions[-1],
            inputs=inputs,
            state=str(self._folder / "state"),
            out=str(self._folder / "out"),
            settings={**self.settings, **changed},
            limits=Limits(wall_s=_TIMEOUT_S),
        )
        return job.model_dump(mode="json")

    def answer(self, content: str) -> Answer:
        """Start the driver on a job file of this content and wait for its end."""
        path = self._folder / "job.json"
        path.write_text(content, encoding="utf-8")
        try:
            done = subprocess.run(
                [*self._command, str(path)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
                cwd=self._folder,
                env=self._environment,
            )
        except subprocess.TimeoutExpired as error:
            return Answer(None, (error.stderr or b"").decode("utf-8", "replace"))
        return Answer(done.returncode, done.stderr.decode("utf-8", "replace"))


def _malformed_faults(driver: _Driver) -> Iterator[str]:
    tool = driver.tool
    job = driver.job(tool.steps[-1], {})
    others = [step for step in Step if step not in tool.steps]
    cases = {
        "a job that is not JSON": "not json",
        "a job of another contract version": json.dumps(
            {**job, "contract_version": CONTRACT_VERSION + 1}
        ),
        "an unknown step": json.dumps({**job, "step": "dance"}),
        "a job without inputs": json.dumps({**job, "inputs": {}}),
    }
    if others:
        cases[f"the step '{others[0]}', which it lacks"] = json.dumps({**job, "step": others[0]})
    for about, content in cases.items():
        yield from _refusal_faults(about, driver.answer(content))


def _refusal_faults(job: str, answer: Answer) -> Iterator[str]:
    if answer.code is None:
        yield f"On {job} it does not end within {_TIMEOUT_S} s."
    elif answer.code != ExitCode.BAD_JOB:
        said = f", and says: {answer.sentence[:120]}" if answer.sentence else ""
        yield f"On {job} it ends with {answer.code}, not {ExitCode.BAD_JOB:d}{said}"
    if answer.code is not None and (not answer.sentence or "Traceback" in answer.errors):
        yield f"On {job} it leaves no sentence as the last line on stderr."


class _Settings:
    """Gives the driver each bounded setting out of its bounds, in one step after the other."""

    def __init__(self, driver: _Driver) -> None:
        self._driver = driver
        self.unreached: list[str] = []

    def faults(self) -> list[str]:
        """Settings that the driver takes though they are out of bounds."""
        sentences: list[str] = []
        refused = 0
        for spec in self._driver.tool.settings:
            wrong = outside(spec)
            if wrong is None:
                continue
            answers = self._answers(spec.name, wrong)
            if answers is None:
                refused += 1
            elif all(answer.code == ExitCode.DONE for answer in answers):
                sentences.append(f"It takes {wrong!r} for '{spec.name}', which is out of bounds.")
            else:
                self.unreached.append(spec.name)
        if self.unreached and not refused:
            sentences.append(
                "It names no setting that is out of bounds: it must check them all, before it "
                "looks at its inputs."
            )
            self.unreached = []
        return sentences

    def _answers(self, name: str, wrong: Setting) -> list[Answer] | None:
        """Ends of the steps; None when one refused the setting by its name."""
        answers = []
        for step in self._driver.tool.steps:
            job = self._driver.job(step, {name: wrong})
            answer = self._driver.answer(json.dumps(job))
            if answer.code == ExitCode.BAD_JOB and f"'{name}'" in answer.errors:
                return None
            answers.append(answer)
        return answers


def outside(spec: SettingSpec) -> Setting | None:
    """A value that the setting does not allow; None when it allows any of its type."""
    if isinstance(spec.default, bool):
        return "perhaps"
    if spec.choices is not None:
        return (
            "no such choice" if isinstance(spec.default, str) else max(map(float, spec.choices)) + 1
        )
    if isinstance(spec.default, str):
        return 7
    if spec.maximum is not None:
        return type(spec.default)(spec.maximum + 1)
    return None if spec.minimum is None else type(spec.default)(spec.minimum - 1)
