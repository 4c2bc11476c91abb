"""Help is part of the product: every command shows examples, and they are commands that exist."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from harness.cli.main import app

ROOT: Any = typer.main.get_command(app)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands(ROOT))


def examples(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("bench ")]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_shows_examples_and_fits_80_columns(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80"})
    assert shown.exit_code == 0
    found = examples(shown.stdout.partition("Example")[2])
    assert found, "no example"
    assert all(line.startswith(f"bench {' '.join(path)}") for line in found)
    others = [line for line in shown.stdout.splitlines() if line.strip() not in found]
    assert max(map(len, others)) <= 80


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_example_is_a_command_line_whose_options_exist(path: tuple[str, ...]) -> None:
    for line in examples(ALL[path].help):
        context = ROOT.make_context("bench", shlex.split(line)[1:])
        command = ROOT
        while hasattr(command, "commands"):
            name, command, rest = command.resolve_command(
                context, [*context._protected_args, *context.args]
            )
            # Raises for an option or a value that the command does not take; runs nothing.
            context = command.make_context(name, rest, parent=context)
        assert command is ALL[path]


def test_bench_alone_shows_its_help_and_all_commands() -> None:
    shown = CliRunner().invoke(app, [])
    assert shown.exit_code == 2
    for (name, *_), _command in ALL.items():
        assert name in shown.output


def test_completion_offers_names_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.cli import complete

    assert "blur" in complete.tool_names("bl")
    assert complete.tool_names("noop,bl") == ["noop,blackbox", "noop,blur"]
    assert complete.suite_names("quick") == ["quickstart"]
    assert complete.status_names("time") == ["timeout"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_of_a_shell_can_be_shown(shell: str) -> None:
    shown = CliRunner().invoke(app, ["--show-completion", shell])
    assert shown.exit_code == 0
    assert "_BENCH_COMPLETE" in shown.stdout
