"""``bench tools`` and ``bench doctor``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import complete
from harness.cli.options import AsJson
from harness.cli.output import print_json, print_table, print_wrapped, say
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from harness.execution.doctor import Check
    from harness.model.tool import Container, NamedConfig, Tool
    from harness.tools.conformance.finding import Finding
    from harness.tools.registry import BrokenAdapter

app = typer.Typer(help="The tools that can be benchmarked.", no_args_is_help=True)

_PATIENCE_S = 3.0
"""A list is no reason to wait for an engine that hangs."""
_IMAGE_WORDS = {"current": "built", "stale": "stale", "missing": "not built"}

ToolName = Annotated[
    str,
    typer.Argument(help="A name from `bench tools list`.", autocompletion=complete.tool_names),
]
States = Mapping[str, str]
"""``tool@version`` to ``current``, ``stale`` or ``missing``; empty where no engine answers."""


@app.command("list")
def list_tools(as_json: AsJson = False) -> None:
    """List tools and observers with what they do, and whether images are built.

    Examples: bench tools list
              bench tools list --json
    """
    from harness.tools.registry import load_observers, load_tools

    tools = load_tools() | load_observers()
    states = _image_states(tools.values())
    if as_json:
        print_json([_facts(tool, states) for tool in tools.values()])
        return
    header = ("tool", "version", "kind", "gpu", *(("image",) if states else ()), "what it does")
    rows = [
        (
            tool.name,
            tool.versions[-1],
            _kind(tool),
            tool.runs_as.gpu if tool.runs_as.kind == "container" else "none",
            *((_image_word(tool, tool.versions[-1], states),) if states else ()),
            tool.summary,
        )
        for tool in tools.values()
    ]
    print_table(header, rows, wrap=True)


def find_tool_or_observer(name: str) -> Tool:
    """The tool or observer of that name; raises UsageError with the nearest tool's name."""
    from harness.tools.registry import find_tool, load_observers

    observers = load_observers()
    return observers[name] if name in observers else find_tool(name)


def _kind(tool: Tool) -> str:
    if tool.control:
        return "control"
    return "observer" if tool.steps[-1].value == "observe" else "tool"


def _image_word(tool: Tool, version: str, states: States) -> str:
    return _IMAGE_WORDS.get(states.get(f"{tool.name}@{version}", ""), "-")


def _facts(tool: Tool, states: States) -> dict[str, Any]:
    """A tool for a script; ``images`` is None where there is none to have, or no engine to ask."""
    mine = {version: states.get(f"{tool.name}@{version}") for version in tool.versions}
    known = {version: state for version, state in mine.items() if state is not None}
    return {**tool.model_dump(mode="json"), "images": known or None}


def _image_states(tools: Iterable[Tool]) -> States:
    """States of the images of the tools' versions; nothing where no engine answers soon."""
    from threading import Thread

    contained = {tool.name: tool for tool in tools if tool.runs_as.kind == "container"}
    if not contained:
        return {}
    found: dict[str, str] = {}
    # The engine's own timeout is a minute, and cannot be interrupted.
    asking = Thread(target=_ask_engine, args=(contained, found), daemon=True)
    asking.start()
    asking.join(_PATIENCE_S)
    return {} if asking.is_alive() else found


def _ask_engine(tools: Mapping[str, Tool], found: dict[str, str]) -> None:
    from harness.core.errors import UnfitMachineError
    from harness.tools.engine import connect
    from harness.tools.images.find import current_hashes, list_images

    try:
        with connect() as engine:
            images = list_images(engine)
    except UnfitMachineError:
        return
    for name, wanted in current_hashes(tools).items():
        hashes = {image.recipe for image in images if image.name == name}
        state = "current" if wanted in hashes else ("stale" if hashes else "missing")
        found[name] = state


@app.command()
def show(
    tool: ToolName,
    config: Annotated[
        str | None, typer.Option(help="Show this config: its settings, limits and deviations.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a tool: its versions, settings, configs and deviations.

    Examples: bench tools show blur --config strong
              bench tools show dfaker --config thesis
              bench tools show landmark-swap --json
    """
    from harness.tools.registry import find_config, resolve_settings

    found = find_tool_or_observer(tool)
    chosen = find_config(found, config or "default")
    settings = resolve_settings(found, chosen.name, {})
    states = _image_states([found])
    if as_json:
        print_json({**_facts(found, states), "config": chosen.name, "resolved_settings": settings})
        return
    _print_head(found, states)
    rows = [(s.name, settings[s.name], s.unit or "", s.help) for s in found.settings]
    if rows:
        say("")
        print_table(("setting", chosen.name, "unit", "meaning"), rows, wrap=True)
    if config is None:
        say("\nconfigs:")
        for entry in found.configs:
            _print_config(found, entry)
    else:
        say("\nconfig:")
        _print_config(found, chosen)
        _print_deviations(chosen)


def _print_head(tool: Tool, states: States) -> None:
    print_wrapped(f"{tool.name}: {tool.summary}")
    versions = [_with_image(tool, version, states) for version in tool.versions]
    print_wrapped(f"versions: {', '.join(versions)}   licence: {tool.licence}")
    say(f"home: {tool.homepage}")
    print_wrapped(f"steps: {', '.join(tool.steps)}   needs: {', '.join(tool.needs)}")
    if tool.runs_as.kind == "container":
        say(f"runs in a container; GPU: {_gpu_need(tool.runs_as)}")
    if tool.expected:
        print_wrapped(f"control; the right result: {tool.expected}")


def _with_image(tool: Tool, version: str, states: States) -> str:
    state = states.get(f"{tool.name}@{version}")
    return f"{version} (image {_IMAGE_WORDS[state]})" if state else version


def _gpu_need(container: Container) -> str:
    least = container.gpu_memory_bytes
    memory = f", at least {least / (1 << 30):.1f} GiB of its memory" if least else ""
    return f"{container.gpu}{memory}"


def _print_config(tool: Tool, config: NamedConfig) -> None:
    print_wrapped(f"{config.name}{config.help and f': {config.help}'}", indent="  ", after="    ")
    if config.versions and config.versions != tool.versions:
        print_wrapped(f"fits only: {', '.join(config.versions)}", indent="    ")
    if config.limits:
        print_wrapped(f"limits of a step: {_limits(config)}", indent="    ")
    if config.deviations:
        where = f"bench tools show {tool.name} --config {config.name}"
        print_wrapped(
            f"differs from the study in {len(config.deviations)} points: {where}", indent="    "
        )


def _limits(config: NamedConfig) -> str:
    from harness.cli.output import size_text

    limits = config.limits
    assert limits is not None
    parts = [f"{limits.wall_s / 3600:g} h"]
    if limits.memory_bytes:
        parts.append(f"{size_text(limits.memory_bytes)} of memory")
    if limits.output_bytes:
        parts.append(f"{size_text(limits.output_bytes)} of output")
    if limits.iterations:
        parts.append(f"{limits.iterations} iterations")
    return ", ".join(parts)


def _print_deviations(config: NamedConfig) -> None:
    if not config.deviations:
        return
    say("\nwhere it differs from the study:")
    for number, item in enumerate(config.deviations, 1):
        for name, text in item.model_dump().items():
            mark = f"{number}." if name == "claim" else ""
            print_wrapped(f"{mark:>4} {name:<8}  {text}", after=" " * 15)


@app.command()
def check(
    tool: Annotated[
        str | None,
        typer.Argument(help="A name from `bench tools list`.", autocompletion=complete.tool_names),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every installed tool.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check that an adapter keeps what the harness relies on; its driver is given bad jobs.

    A driver that runs here, or in its built image without training, also gets a short clip, and
    must leave a whole video. Exit code 1 when there is a fault.

    Examples: bench tools check blur
              bench tools check --all --json
    """
    from harness.tools.conformance.suite import check_tool
    from harness.tools.registry import load_observers, read_registry

    if (tool is None) == (not every):
        raise UsageError("Name a tool, or --all.", hint="See `bench tools list`.")
    broken: Sequence[BrokenAdapter] = ()
    if tool is not None:
        tools = [find_tool_or_observer(tool)]
    else:
        registry = read_registry()
        tools = [*registry.tools.values(), *load_observers().values()]
        broken = registry.broken
    found = {one.name: check_tool(one) for one in tools}
    found |= {bad.name: _broken_findings(bad) for bad in broken}
    if as_json:
        print_json(
            {name: [one.model_dump(mode="json") for one in seen] for name, seen in found.items()}
        )
    else:
        _print_findings(found, whole=tool is not None)
    if any(one.state.value == "fault" for seen in found.values() for one in seen):
        raise typer.Exit(1)


def _broken_findings(bad: BrokenAdapter) -> tuple[Finding, ...]:
    from harness.tools.conformance.finding import Finding, State

    text = f"The adapter of {bad.package} cannot be loaded: {bad.reason}"
    return (Finding(check="adapter", state=State.FAULT, text=text),)


def _print_findings(found: Mapping[str, Sequence[Finding]], *, whole: bool) -> None:
    """Every finding of one tool; of several, a line for each and what is not ok."""
    if whole:
        for seen in found.values():
            rows = [(one.check, one.state.value, one.text) for one in seen]
            print_table(("check", "result", "finding"), rows, wrap=True)
        return
    lines: list[tuple[str, ...]] = []
    for name, seen in found.items():
        odd = [one for one in seen if one.state.value != "ok"]
        good = len({one.check for one in seen if one.state.value == "ok"})
        lines += [(name, one.check, one.state.value, one.text) for one in odd]
        if good:
            lines.append((name, f"{good} checks", "ok", ""))
    print_table(("tool", "check", "result", "finding"), lines, wrap=True)


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine can run, and what to do about the rest.

    Exit code 4 only when the embedded tools cannot run.

    Examples: bench doctor
              bench doctor --json
    """
    from harness.execution.doctor import examine

    checks = []
    for check in examine():
        checks.append(check)
        if not as_json:
            _print_check(check)
    if as_json:
        print_json([check.model_dump(mode="json") for check in checks])
    if any(check.required and not check.fit for check in checks):
        raise typer.Exit(4)


def _print_check(check: Check) -> None:
    mark = "ok  " if check.fit else ("MISS" if check.required else "note")
    print_wrapped(f"{mark}  {check.name}: {check.finding}", after="      ")
    if check.remedy and not check.fit:
        print_wrapped(check.remedy, indent="      ")


def register(root: typer.Typer) -> None:
    root.command()(doctor)
