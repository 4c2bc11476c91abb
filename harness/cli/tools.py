"""``bench tools`` and ``bench doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.output import print_json, print_table

app = typer.Typer(help="The tools that can be benchmarked.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_tools(as_json: AsJson = False) -> None:
    """List the tools with what they do.

    Example: bench tools list
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
    print_table(("tool", "version", "kind", "what it does"), rows)


@app.command()
def show(
    tool: Annotated[str, typer.Argument(help="A name from `bench tools list`.")],
    config: Annotated[str | None, typer.Option(help="Show this config's settings.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a tool: its versions, settings, configs and deviations.

    Example: bench tools show blur --config strong
    """
    from harness.registry import find_tool, resolve_settings

    found = find_tool(tool)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    typer.echo(f"{found.name}: {found.summary}")
    typer.echo(f"versions: {', '.join(found.versions)}   licence: {found.licence}")
    typer.echo(f"home: {found.homepage}")
    if found.expected:
        typer.echo(f"control; the right result: {found.expected}")
    settings = resolve_settings(found, config or "default", {})
    rows = [(s.name, settings[s.name], s.unit or "", s.help) for s in found.settings]
    if rows:
        print_table(("setting", config or "default", "unit", "meaning"), rows)
    typer.echo(f"configs: {', '.join(c.name for c in found.configs)}")
    for entry in found.configs:
        if config in (None, entry.name):
            for item in entry.deviations:
                typer.echo(f"  {entry.name}: claimed {item.claim}; upstream {item.upstream};")
                typer.echo(f"    applied {item.applied}, because {item.reason}")


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine can run, and what to do about the rest.

    Example: bench doctor
    """
    from harness.doctor import examine

    checks = examine()
    if as_json:
        print_json([check.model_dump(mode="json") for check in checks])
    else:
        for check in checks:
            mark = "ok  " if check.fit else ("MISS" if check.required else "note")
            typer.echo(f"{mark}  {check.name}: {check.finding}")
            if check.remedy and not check.fit:
                typer.echo(f"      {check.remedy}")
    if any(check.required and not check.fit for check in checks):
        raise typer.Exit(4)


def register(root: typer.Typer) -> None:
    root.command()(doctor)
