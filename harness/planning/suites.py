"""Reading suites, with errors that name the line and the field."""

from __future__ import annotations

from collections.abc import Iterator, Set
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import field_validator, model_validator

from harness.core.errors import UsageError, unknown_name
from harness.core.paths import expanded
from harness.core.yaml_files import compose, line_of, parse_yaml, read_text
from harness.model.suite import Suite, ToolEntry


class _SuiteFile(Suite):
    """A suite as a person writes it."""

    @model_validator(mode="before")
    @classmethod
    def _take_numbers_as_text(cls, data: Any) -> Any:
        """``actors: 3`` and ``version: 1`` are natural to write, and meant as text."""
        if not isinstance(data, dict):
            return data
        out = _with_text(data, "actors")
        if isinstance(out.get("repeat"), dict):
            out["repeat"] = _with_text(out["repeat"], "actors")
        if isinstance(out.get("tools"), list):
            out["tools"] = [_with_text(tool, "version") for tool in out["tools"]]
        return out

    @field_validator("tools")
    @classmethod
    def _name_a_tool(cls, tools: tuple[ToolEntry, ...]) -> tuple[ToolEntry, ...]:
        if not tools:
            raise ValueError("a suite names at least one tool")
        return tools


def _with_text(data: Any, field: str) -> Any:
    """``data`` with a whole number in ``field`` as text; whatever else it is stays as it is."""
    if isinstance(data, dict) and type(data.get(field)) is int:
        return {**data, field: str(data[field])}
    return dict(data) if isinstance(data, dict) else data


def builtin_suites() -> dict[str, Path]:
    """Names and paths of the suites that ship with the project."""
    folder = Path(str(resources.files("benchmarks").joinpath("suites")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_suite(name_or_path: str) -> Suite:
    """The suite of that name, or in that file. Raises UsageError with line and field."""
    path = suite_path(name_or_path)
    return parse_suite(_read(path), str(path))


def suite_path(name_or_path: str) -> Path:
    """The file of a suite, which may not exist. Raises UsageError for an unknown name."""
    path = expanded(name_or_path)
    if path.suffix in {".yaml", ".yml"}:
        return path
    known = builtin_suites()
    if name_or_path not in known:
        raise unknown_name("suite", name_or_path, known, see="bench run --help")
    return known[name_or_path]


def _read(path: Path) -> str:
    try:
        return read_text(path, "suite file")
    except UsageError as error:
        if path.is_file():
            raise
        hint = f"Suites that ship with deid-bench: {', '.join(builtin_suites())}."
        raise UsageError(error.message, hint=hint) from error


@contextmanager
def naming_lines(name_or_path: str, overridden: Set[str] = frozenset()) -> Iterator[None]:
    """Begin the message of an error that blames a field with the suite's file, line and field.

    What is wrong with an ``overridden`` field is not the file's fault.
    """
    try:
        yield
    except UsageError as error:
        if not error.field or error.field[0] in overridden:
            raise
        path = suite_path(name_or_path)
        line = line_of(compose(_read(path)), error.field)
        field = ".".join(str(part) for part in error.field)
        raise UsageError(
            f"{path}, line {line}, field '{field}': {error.message}", hint=error.hint
        ) from error


def parse_suite(text: str, where: str) -> Suite:
    """The suite in ``text``; ``where`` is named in errors."""
    return Suite.model_validate(dict(parse_yaml(text, _SuiteFile, "suite", where)))
