"""A driver is run on a clip, and what it leaves is looked at as a cell would look."""

from __future__ import annotations

import sys
import textwrap
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from adapters.controls import NOOP
from harness.model.job import Role, Step
from harness.model.tool import ChildProcess, Tool
from harness.tools.conformance.finding import Finding, State
from harness.tools.conformance.output import output_findings
from harness.tools.conformance.suite import check_tool
from harness.tools.runtime.process import ProcessRuntime

COPY = 'shutil.copyfile(job.input("test_video"), os.path.join(job.out, "swapped.mp4"))'
REPORT = "bench_driver.write_step(job)"
Check = Callable[..., Finding]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """The finding on a driver whose work is some statements."""
    name = f"driver_{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def find(
        *work: str,
        needs: Sequence[Role] = (Role.TEST_VIDEO,),
        steps: Sequence[Step] = (Step.CONVERT,),
    ) -> Finding:
        body = textwrap.indent("\n".join(work), "    ")
        (tmp_path / f"{name}.py").write_text(
            "import os, shutil, sys\n"
            "from containers.common import bench_driver\n"
            f"def run(job):\n{body}\n"
            'sys.exit(bench_driver.main(run, steps=("extract", "train", "convert")))\n'
        )
        tool = Tool(
            name="tiny",
            summary="Tiny.",
            homepage="h",
            licence="MIT",
            versions=("1",),
            steps=tuple(steps),
            needs=tuple(needs),
            runs_as=ChildProcess(module=name),
        )
        (finding,) = output_findings(tool, ProcessRuntime())
        return finding

    return find


def test_a_driver_that_leaves_a_whole_video_is_sound(check: Check) -> None:
    assert check(COPY, REPORT).state is State.OK
    everything = (Role.TEST_VIDEO, Role.ACTOR_TRAINING, Role.DONOR_REFERENCE, Role.DONOR_TRAINING)
    steps = (Step.EXTRACT, Step.TRAIN, Step.CONVERT)
    assert check(COPY, REPORT, needs=everything, steps=steps).state is State.OK


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ((REPORT,), "wrote no swapped.mp4"),
        ((COPY,), "wrote no step.json"),
        (
            ('open(os.path.join(job.out, "swapped.mp4"), "wb").write(b"no video")', REPORT),
            "cannot be read",
        ),
        (('raise bench_driver.ToolFailedError("It broke.")',), "It broke."),
        (("os._exit(3)",), "crashed (exit code 3)"),
    ],
)
def test_a_driver_that_leaves_none_is_a_fault(
    work: tuple[str, ...], said: str, check: Check
) -> None:
    finding = check(*work)
    assert finding.state is State.FAULT
    assert said in finding.text


def test_a_driver_that_needs_a_face_is_not_blamed(check: Check) -> None:
    finding = check('raise bench_driver.InputUnusableError("The clip shows no face.")')
    assert finding.state is State.SKIPPED
    assert "The clip shows no face." in finding.text
    assert "bench selftest tiny" in finding.text


def test_a_gallery_of_faces_is_not_made_up(check: Check) -> None:
    finding = check(COPY, REPORT, needs=(Role.TEST_VIDEO, Role.GALLERY))
    assert (finding.state, "gallery" in finding.text) == (State.SKIPPED, True)


def test_the_whole_suite_runs_a_tool_of_ours() -> None:
    (found,) = [one for one in check_tool(NOOP) if one.check == "output"]
    assert (found.state, found.text.startswith("On a clip of 12 frames")) == (State.OK, True)
