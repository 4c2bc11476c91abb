"""Finds the tools that are installed, and turns a config and overrides into settings."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, entry_points

from harness.core.base import Frozen
from harness.core.errors import BenchError, BenchWarning, UsageError, unknown_name
from harness.model.job import Setting
from harness.model.tool import NamedConfig, SettingSpec, Tool
from harness.tools.configs import builtin_configs, with_config_files

GROUP = "bench.adapters"
OBSERVERS_GROUP = "bench.observers"
_SEE = "bench tools list"
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class BrokenAdapter(Frozen):
    """An entry point that gave no tool."""

    name: str
    package: str
    reason: str


class Registry(Frozen):
    """All tools by name, and the adapters that could not be loaded."""

    tools: dict[str, Tool]
    broken: tuple[BrokenAdapter, ...] = ()


def _package(entry: EntryPoint) -> str:
    return _name(entry.dist) if entry.dist is not None else entry.value


@lru_cache(maxsize=64)
def _name(distribution: Distribution) -> str:
    """A distribution reads all of its description each time that it is asked for its name."""
    return distribution.name


def _unique(entries: Iterable[EntryPoint]) -> list[EntryPoint]:
    """Entry points without the repeats that one distribution seen twice on the path gives."""
    return list({(entry.name, entry.value, _package(entry)): entry for entry in entries}.values())


def read_registry(entries: Iterable[EntryPoint] | None = None) -> Registry:
    """Load every adapter, with its config files; one that fails is set aside with its reason.

    Raises UsageError when two packages claim one name: neither can be preferred.
    """
    tools: dict[str, Tool] = {}
    owners: dict[str, str] = {}
    broken: list[BrokenAdapter] = []
    for entry in _unique(entry_points(group=GROUP) if entries is None else entries):
        package = _package(entry)
        try:
            tool = entry.load()
        except Exception as error:  # noqa: BLE001 - a third party's module may raise anything
            reason = f"{type(error).__name__}: {error}"
            broken.append(BrokenAdapter(name=entry.name, package=package, reason=reason))
            continue
        if not isinstance(tool, Tool) or tool.name != entry.name:
            reason = f"{entry.value} is not a Tool named '{entry.name}'"
            broken.append(BrokenAdapter(name=entry.name, package=package, reason=reason))
            continue
        try:
            tool = with_config_files(tool, builtin_configs())
        except UsageError as error:
            broken.append(BrokenAdapter(name=entry.name, package=package, reason=str(error)))
            continue
        if tool.name in owners:
            raise UsageError(
                f"Two packages bring a tool named '{tool.name}': "
                f"{owners[tool.name]} and {package}.",
                hint="Uninstall one of them.",
            )
        tools[tool.name], owners[tool.name] = tool, package
    return Registry(tools=dict(sorted(tools.items())), broken=tuple(broken))


def load_tools() -> dict[str, Tool]:
    """All working tools by name; a broken adapter is reported as a warning.

    Raises UsageError when two packages claim one name.
    """
    registry = read_registry()
    for bad in registry.broken:
        warnings.warn(
            f"The adapter '{bad.name}' of {bad.package} cannot be used: {bad.reason}.",
            BenchWarning,
            stacklevel=2,
        )
    return registry.tools


def find_tool(name: str) -> Tool:
    """The tool of that name; raises UsageError with the nearest name, or why it is broken."""
    registry = read_registry()
    if name in registry.tools:
        return registry.tools[name]
    for bad in registry.broken:
        if bad.name == name:
            raise BenchError(
                f"The tool '{name}' of {bad.package} cannot be loaded: {bad.reason}.",
                hint="Repair or reinstall that package.",
            )
    raise unknown_name("tool", name, registry.tools, see=_SEE)


def load_observers() -> dict[str, Tool]:
    """The installed observers by name; broken ones are left out.

    Raises UsageError when two packages claim one name.
    """
    return read_registry(entry_points(group=OBSERVERS_GROUP)).tools


def find_observer(name: str) -> Tool:
    """The observer of that name; raises UsageError with the nearest name."""
    observers = load_observers()
    if name not in observers:
        raise unknown_name("observer", name, observers, see="bench observe --help")
    return observers[name]


def find_config(tool: Tool, name: str, version: str | None = None) -> NamedConfig:
    """A tool's named config.

    Raises UsageError with the nearest name, or with those that fit ``version``.
    """
    see = f"bench tools show {tool.name}"
    for config in tool.configs:
        if config.name != name:
            continue
        if version and config.versions and version not in config.versions:
            fit = [c.name for c in tool.configs if not c.versions or version in c.versions]
            raise UsageError(
                f"The config '{name}' of {tool.name} is for {', '.join(config.versions)}, "
                f"not for {version}; for that there is: {', '.join(fit) or 'none'}.",
                hint=f"See `{see}`.",
            )
        return config
    names = [config.name for config in tool.configs]
    raise unknown_name(f"config of {tool.name}", name, names, see=see)


def _parse(tool: Tool, spec: SettingSpec, text: str) -> Setting:
    wanted = type(spec.default)
    try:
        if wanted is bool:
            return {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}[text.lower()]
        return wanted(text)
    except (KeyError, ValueError):
        kind = {bool: "true or false", int: "a whole number", float: "a number"}[wanted]
        raise UsageError(
            f"The setting '{spec.name}' of {tool.name} must be {kind}, not '{text}'.",
            hint=f"See `bench tools show {tool.name}`.",
        ) from None


def _checked(tool: Tool, spec: SettingSpec, value: Setting) -> Setting:
    """The value in its setting's type; raises UsageError for a wrong type or out of bounds."""
    see = f"See `bench tools show {tool.name}`."
    where = f"The setting '{spec.name}' of {tool.name} is {value!r}"
    wanted = type(spec.default)
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise UsageError(f"{where}, but must be of type {wanted.__name__}.", hint=see)
    if spec.choices is not None and value not in spec.choices:
        choices = ", ".join(str(choice) for choice in spec.choices)
        raise UsageError(f"{where}, but must be one of: {choices}.", hint=see)
    if isinstance(value, int | float) and not isinstance(value, bool):
        low = -float("inf") if spec.minimum is None else spec.minimum
        high = float("inf") if spec.maximum is None else spec.maximum
        if not low <= value <= high:
            raise UsageError(f"{where}, but must lie between {low:g} and {high:g}.", hint=see)
        if not math.isfinite(value):
            raise UsageError(f"{where}, but must be a finite number.", hint=see)
    return value


def resolve_settings(tool: Tool, config: str, overrides: Mapping[str, str]) -> dict[str, Setting]:
    """Defaults, then the named config, then the overrides, each typed and within its bounds.

    Raises UsageError for an unknown config or setting, a wrong type, or a value out of bounds.
    """
    specs = {spec.name: spec for spec in tool.settings}
    values: dict[str, Setting] = {spec.name: spec.default for spec in tool.settings}
    values.update(find_config(tool, config).settings)
    for name, text in overrides.items():
        if name not in specs:
            raise unknown_name(
                f"setting of {tool.name}", name, specs, see=f"bench tools show {tool.name}"
            )
        values[name] = _parse(tool, specs[name], text)
    for name in values:
        if name not in specs:
            raise UsageError(f"The config '{config}' of {tool.name} sets the unknown '{name}'.")
    return {name: _checked(tool, specs[name], value) for name, value in values.items()}
