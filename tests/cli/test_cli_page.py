"""docs/cli.md names what exists: no command, exit code or view is missing from it."""

from __future__ import annotations

from pathlib import Path

from harness.cli.main import BROKEN_PIPE, FAULT, INTERRUPTED
from harness.store.views import VIEWS

from .test_help import ALL

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def test_every_command_is_on_the_page() -> None:
    for path in ALL:
        assert f"`bench {path[0]}" in PAGE
        assert path[-1] in PAGE


def test_every_exit_code_of_the_endings_is_on_the_page() -> None:
    for code in (INTERRUPTED, BROKEN_PIPE, FAULT):
        assert f"| {code} |" in PAGE


def test_every_view_is_on_the_page_with_its_columns() -> None:
    for view in VIEWS:
        listed = ", ".join(f"`{name}`" for name in view.columns)
        assert f"**`{view.name}`**: {view.help}.\n\n{listed}" in PAGE
