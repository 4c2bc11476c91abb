"""``bench tools`` and ``bench doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import complete
from harness.cli.options import AsJson
from harness.cli.output import print_json, print_table, print_wrapped

if TYPE_CHECKING:
    from harness.doctor import Check
    from harness.model.tool import NamedConfig

app = typer.Typer(help="The tools that can be benchmarked.", no_args_is_help=True)


@app.command("list")
def list_tools(as_json: AsJson = False) -> None:
    """List the tools with what they do.

    Examples: bench tools list
              bench tools list --json
    """
    from harness.registry import load_tools

    tools = load_tools()
    if as_json:
        print_json([tool.model_dump(mode="json") for tool in tools.values()])
        return
    rows = [
        (tool.name, tool.versions[-1], "control" if tool.control else "tool", tool.summary)
        for tool in tools.values()
    ]
    print_table(("tool", "version", "kind", "what it does"), rows, wrap=True)


@app.command()
def show(
    tool: Annotated[
        str,
        typer.Argument(help="A name from `bench tools list`.", autocompletion=complete.tool_names),
    ],
    config: Annotated[str | None, typer.Option(help="Show this config's settings.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a tool: its versions, settings, configs and deviations.

    Examples: bench tools show blur --config strong
              bench tools show landmark-swap --json
    """
    from harness.registry import find_tool, resolve_settings

    found = find_tool(tool)
    settings = resolve_settings(found, config or "default", {})
    if as_json:
        chosen = {"config": config or "default", "resolved_settings": settings}
        print_json({**found.model_dump(mode="json"), **chosen})
        return
    print_wrapped(f"{found.name}: {found.summary}")
    typer.echo(f"versions: {', '.join(found.versions)}   licence: {found.licence}")
    typer.echo(f"home: {found.homepage}")
    if found.expected:
        print_wrapped(f"control; the right result: {found.expected}")
    rows = [(s.name, settings[s.name], s.unit or "", s.help) for s in found.settings]
    if rows:
        typer.echo("")
        print_table(("setting", config or "default", "unit", "meaning"), rows, wrap=True)
    typer.echo("\nconfigs:")
    for entry in found.configs:
        print_wrapped(f"{entry.name}{entry.help and f': {entry.help}'}", indent="  ")
        if config in (None, entry.name):
            _print_deviations(entry)


def _print_deviations(config: NamedConfig) -> None:
    for item in config.deviations:
        print_wrapped(
            f"claimed {item.claim}; upstream {item.upstream}; applied {item.applied}, "
            f"because {item.reason}",
            indent="    ",
        )


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine can run, and what to do about the rest.

    Exit code 4 only when the embedded tools cannot run.

    Examples: bench doctor
              bench doctor --json
    """
    from harness.doctor import examine

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
