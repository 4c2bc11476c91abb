"""Reading suites, with errors that name the line and the field."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import yaml
from pydantic import ValidationError

from harness.errors import UsageError, unknown_name
from harness.model.suite import Suite


def builtin_suites() -> dict[str, Path]:
    """Names and paths of the suites that ship with the project."""
    folder = Path(str(resources.files("benchmarks").joinpath("suites")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_suite(name_or_path: str) -> Suite:
    """The suite of that name, or in that file. Raises UsageError with line and field."""
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        known = builtin_suites()
        if name_or_path not in known:
            raise unknown_name("suite", name_or_path, known, see="bench run --help")
        path = known[name_or_path]
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The suite file {path} cannot be read: {error}.") from error
    return parse_suite(text, str(path))


def parse_suite(text: str, where: str) -> Suite:
    """The suite in ``text``; ``where`` is named in errors."""
    try:
        node = yaml.compose(text)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{where} is not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise UsageError(f"{where} is not a suite: its top level must be a mapping of fields.")
    try:
        return Suite.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        line = line_of(node, first["loc"])
        field = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{where}, line {line}, field '{field}': {first['msg']}.",
            hint=f"{error.error_count()} field(s) to mend." if error.error_count() > 1 else None,
        ) from error


def line_of(node: yaml.Node | None, location: Sequence[int | str]) -> int:
    """The 1-based line of a field in a YAML tree; of its nearest parent when it is absent."""
    line = node.start_mark.line + 1 if node is not None else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            match = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if match is None:
                return line
            line, node = match[0].start_mark.line + 1, match[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                return line
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
