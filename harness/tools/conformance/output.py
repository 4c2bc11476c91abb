"""Checks what a tool leaves: its steps are run on a short synthetic clip, as in a cell."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness.core.errors import BenchError, UsageError
from harness.core.paths import bench_home
from harness.media.ffmpeg import run_ffmpeg
from harness.media.probe import probe
from harness.model.cell import Status
from harness.model.job import SWAPPED_NAME, ExitCode, Job, Limits, Role, Step
from harness.model.tool import Tool
from harness.store.archives import is_ready
from harness.tools.conformance.finding import Finding, State
from harness.tools.registry import find_config, resolve_settings
from harness.tools.runtime.base import Control, Runtime, StepOutcome
from harness.tools.runtime.swapped import video_fault
from harness.vision.assets import FACE_LANDMARKER, face_landmarker_path

CHECK = "output"
FRAMES = 12
_WALL_S = 60.0
_SIZE = "320x180"
_PHOTOS = {Role.ACTOR_REFERENCE, Role.DONOR_REFERENCE}
_SURE = {Role.TEST_VIDEO, Role.FACE_LANDMARKER}
"""With these alone a clip without a face is no reason to end otherwise than well."""


def output_findings(
    tool: Tool, runtime: Runtime, image_digest: str | None = None
) -> tuple[Finding, ...]:
    """The finding on what the tool's steps leave; none for an observer, whose reader looks at it.

    ``skipped`` where the tool needs material that cannot be made up, finds the clip's lack of a
    face unusable, or takes longer than a minute a step: `bench selftest` runs it on real clips.
    """
    if Step.OBSERVE in tool.steps:
        return ()
    with tempfile.TemporaryDirectory(prefix="bench-check-") as name:
        try:
            inputs = _inputs(tool, Path(name))
        except BenchError as error:
            return (_finding(State.SKIPPED, f"{error.message} {_selftest(tool)}"),)
        return (_ran(tool, runtime, image_digest, inputs, Path(name)),)


def _finding(state: State, text: str) -> Finding:
    return Finding(check=CHECK, state=state, text=text)


def _selftest(tool: Tool) -> str:
    return f"`bench selftest {tool.name}` runs it on real clips."


def _inputs(tool: Tool, folder: Path) -> dict[Role, str]:
    """Material for every role; raises UsageError for what cannot be made up, and as FFmpeg does."""
    clip, photo = folder / "clip.mp4", folder / "photo.png"
    source = ["-f", "lavfi", "-i", f"testsrc=size={_SIZE}:rate=25"]
    run_ffmpeg([*source, "-frames:v", str(FRAMES), "-pix_fmt", "yuv420p", str(clip)])
    run_ffmpeg([*source, "-frames:v", "1", str(photo)])
    return {role: str(_material(role, clip, photo)) for role in tool.needs}


def _material(role: Role, clip: Path, photo: Path) -> Path:
    if role is Role.GALLERY:
        raise UsageError("It was not run: its gallery of faces cannot be made up.")
    if role is Role.FACE_LANDMARKER:
        home = bench_home()
        if "BENCH_FACE_LANDMARKER" not in os.environ and not is_ready(FACE_LANDMARKER, home):
            raise UsageError("It was not run: the model of the face landmarker is not here yet.")
        return face_landmarker_path(home)
    return photo if role in _PHOTOS else clip


def _ran(
    tool: Tool,
    runtime: Runtime,
    image_digest: str | None,
    inputs: Mapping[Role, str],
    folder: Path,
) -> Finding:
    config = "smoke" if any(one.name == "smoke" for one in tool.configs) else "default"
    limits = find_config(tool, config).limits or Limits()
    out = folder
    for step in tool.steps:
        out = folder / step / "out"
        job = Job(
            step=step,
            tool=tool.name,
            version=tool.versions[-1],
            image_digest=image_digest,
            inputs=dict(inputs),
            state=str(folder / "cell" / "state"),
            out=str(out),
            settings=resolve_settings(tool, config, {}),
            limits=limits.model_copy(update={"wall_s": min(limits.wall_s, _WALL_S)}),
        )
        outcome = runtime.run(tool, job, folder / step, Control())
        if outcome.status is not Status.OK:
            return _ended(tool, step, outcome)
    clip = Path(inputs[Role.TEST_VIDEO])
    fault = video_fault(out / SWAPPED_NAME, probe(clip))
    if fault is not None:
        return _finding(State.FAULT, f"On a clip of {FRAMES} frames: {fault}")
    return _finding(
        State.OK, f"On a clip of {FRAMES} frames it leaves a whole video and step.json."
    )


def _ended(tool: Tool, step: Step, outcome: StepOutcome) -> Finding:
    """A fault where the clip cannot be the reason."""
    said = f"On a clip without a face, {step}: {outcome.reason}"
    may_refuse = outcome.exit_code in (ExitCode.INPUT_UNUSABLE, ExitCode.TRANSIENT)
    sure = set(tool.needs) <= _SURE and tool.steps == (Step.CONVERT,)
    broken = outcome.status is Status.BAD_OUTPUT or (
        outcome.status is Status.TOOL_ERROR and sure and not may_refuse
    )
    if broken:
        return _finding(State.FAULT, said)
    return _finding(State.SKIPPED, f"{said} {_selftest(tool)}")
