"""The whole suite: pure checks first, then what the driver does, here and in its image."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import UnfitMachineError, UsageError
from harness.model.job import Step
from harness.model.tool import Container, Tool
from harness.tools.conformance.configs import config_faults, deviation_faults, limit_faults
from harness.tools.conformance.description import (
    gallery_faults,
    name_faults,
    runtime_faults,
    setting_faults,
    step_faults,
    version_faults,
)
from harness.tools.conformance.driver import CHECK as DRIVER
from harness.tools.conformance.driver import driver_findings
from harness.tools.conformance.finding import Check, Finding, State
from harness.tools.conformance.output import output_findings
from harness.tools.conformance.patterns import failure_faults, progress_faults
from harness.tools.conformance.recipe import recipe_faults
from harness.tools.runtime.process import ProcessRuntime

PURE = (
    Check("names", "The name can be typed, and the texts are there.", name_faults),
    Check("versions", "The versions are named once each.", version_faults),
    Check("steps", "The steps end with what is scored, and have their inputs.", step_faults),
    Check("runs as", "What runs it is there and agrees with the rest.", runtime_faults),
    Check("settings", "Every default is within its bounds, with a help text.", setting_faults),
    Check("gallery", "How large a gallery must be is known before a run.", gallery_faults),
    Check("configs", "Every config resolves, and every version has a default.", config_faults),
    Check("limits", "No config is stopped before it is done.", limit_faults),
    Check("deviations", "Each says claim, upstream, applied and reason.", deviation_faults),
    Check("progress", "Every pattern reads its own example.", progress_faults),
    Check(
        "failures", "Every known failure is found in its example, and by no other.", failure_faults
    ),
)
RECIPE = Check("recipe", "Every version's recipe is whole, in Python 3.6.", recipe_faults)
_BREAKS_DRIVER = {"versions", "steps", "settings", "configs", "runs as", "recipe"}
"""With a fault in these there is no right job to spoil."""


def check_tool(tool: Tool, *, drive: bool = True) -> tuple[Finding, ...]:
    """Every check of one tool, in order; without ``drive`` nothing is started."""
    contained = isinstance(tool.runs_as, Container)
    checks = (*PURE, RECIPE) if contained else PURE
    findings = [finding for check in checks for finding in check(tool)]
    if not drive:
        return tuple(findings)
    broken = sorted(
        {
            finding.check
            for finding in findings
            if finding.state is State.FAULT and finding.check in _BREAKS_DRIVER
        }
    )
    if broken:
        text = f"It was not started, because of the faults in {', '.join(broken)}."
        return (*findings, Finding(check=DRIVER, state=State.SKIPPED, text=text))
    driven = driver_findings(tool)
    if not contained:
        return (*findings, *driven, *output_findings(tool, ProcessRuntime()))
    seen = _in_image(tool)
    # Where it answers outside of its image, one that is not built leaves nothing unsaid.
    known = driven[0].state is not State.SKIPPED
    seen = [one for one in seen if not (known and one.state is State.SKIPPED)]
    return (*findings, *driven, *seen)


def _in_image(tool: Tool) -> Sequence[Finding]:
    """The driver in its image, where an engine has one that is built from the recipe as it is; and
    what it leaves there, of a tool that converts alone: training takes its time."""
    from harness.tools.engine import connect
    from harness.tools.images.check import check_image
    from harness.tools.images.find import find_image
    from harness.tools.images.recipe import read_recipe
    from harness.tools.runtime.container import ContainerRuntime

    try:
        with connect() as engine:
            image = find_image(engine, read_recipe(tool))
            seen = check_image(engine, image)
        left: Sequence[Finding] = ()
        if tool.steps == (Step.CONVERT,):
            with tempfile.TemporaryDirectory(prefix="bench-check-") as home:
                left = output_findings(tool, ContainerRuntime(Path(home), gpus=()), image.id)
    except (UnfitMachineError, UsageError) as error:
        return (Finding(check="image", state=State.SKIPPED, text=str(error)),)
    findings = (
        Finding(
            check="image",
            state=State.OK if finding.sound else State.FAULT,
            text=f"{finding.what}: {finding.text}",
        )
        for finding in seen
    )
    return (*findings, *left)


def faults(findings: Sequence[Finding]) -> list[Finding]:
    """The faults among them."""
    return [finding for finding in findings if finding.state is State.FAULT]
