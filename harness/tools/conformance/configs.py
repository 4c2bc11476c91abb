"""Checks of a tool's named configs: each must resolve, and must be able to end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.core.errors import UsageError
from harness.model.job import Limits, Setting, Step
from harness.model.tool import NamedConfig, Tool
from harness.tools.conformance.description import repeated
from harness.tools.registry import find_config, resolve_settings

HOUR_S = 3600.0


def config_faults(tool: Tool) -> Iterator[str]:
    """Configs that do not resolve, or versions without a default."""
    for name in repeated(config.name for config in tool.configs):
        yield f"Two configs are called '{name}'."
    for version in tool.versions:
        try:
            find_config(tool, "default", version)
        except UsageError as error:
            yield f"Version {version} has no config 'default': {error.message}"
    for config in tool.configs:
        for version in sorted(set(config.versions) - set(tool.versions)):
            yield f"The config '{config.name}' is for version {version}, which the tool lacks."
        try:
            resolve_settings(tool, config.name, {})
        except UsageError as error:
            yield f"The config '{config.name}' does not resolve: {error.message}"


def limit_faults(tool: Tool) -> Iterator[str]:
    """Configs that would be stopped before what they ask for is done."""
    for config in tool.configs:
        try:
            settings = resolve_settings(tool, config.name, {})
        except UsageError:
            continue
        if Step.TRAIN in tool.steps:
            yield from _training_faults(config, settings)


def _training_faults(config: NamedConfig, settings: Mapping[str, Setting]) -> Iterator[str]:
    limits = config.limits or Limits()
    hours, iterations = _number(settings, "hours"), _number(settings, "iterations")
    whose = "its limit" if config.limits else "the default limit, as it names none,"
    if hours and limits.wall_s <= hours * HOUR_S:
        yield (
            f"The config '{config.name}' trains for {hours:g} hours, but {whose} ends each step "
            f"after {limits.wall_s / HOUR_S:g}; give it limits with a wall_s above "
            f"{hours * HOUR_S:.0f}, as loading and saving take time too."
        )
    if iterations and not hours and config.limits is None:
        yield (
            f"The config '{config.name}' trains {iterations:.0f} iterations without a limit in "
            f"hours, but {whose} ends each step after {limits.wall_s / HOUR_S:g} h; give it limits."
        )
    if iterations and limits.iterations is not None and limits.iterations < iterations:
        yield (
            f"The config '{config.name}' asks for {iterations:.0f} iterations, but its limits "
            f"allow {limits.iterations}."
        )
    if {"hours", "iterations"} <= set(settings) and not hours and not iterations:
        yield f"The config '{config.name}' gives its training no end: hours and iterations are 0."


def _number(settings: Mapping[str, Setting], name: str) -> float:
    value = settings.get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0


def deviation_faults(tool: Tool) -> Iterator[str]:
    """Deviations that do not say all four things."""
    for config in tool.configs:
        for number, one in enumerate(config.deviations, 1):
            empty = [name for name, text in one.model_dump().items() if not text.strip(" .-?")]
            if empty:
                yield (
                    f"Deviation {number} of the config '{config.name}' ({one.claim[:40]!r}) says "
                    f"nothing as {', '.join(empty)}."
                )
