"""YAML that a person wrote, read into a model, with errors that name the line and the field."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.core.errors import UsageError

Location = Sequence[int | str]
Model = TypeVar("Model", bound=BaseModel)

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The fast one where PyYAML was built with it."""

_PLAIN = {
    "missing": "this field is missing",
    "model_type": "this must hold fields, written as `name: value`",
    "dict_type": "this must hold fields, written as `name: value`",
    "tuple_type": "this must be a list, with `- ` before each entry",
}
"""pydantic's sentences that speak of Python, not of YAML, and ours in their place."""

_SHOWN = 5
"""Errors that one message names; more would hide the first."""


def read_yaml(path: Path, model: type[Model], what: str) -> Model:
    """The file at ``path`` as a ``model``; ``what`` is the kind of file, for errors: ``suite``.

    Raises UsageError that names the file and, for what is wrong in it, line and field.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The {what} {path} cannot be read: {error}.", hint="Check the path and its rights."
        ) from error
    return parse_yaml(text, model, what, str(path))


def parse_yaml(text: str, model: type[Model], what: str, where: str) -> Model:
    """The model that ``text`` describes, as in ``read_yaml``; ``where`` is named in errors."""
    try:
        tree = compose(text)
        plain = yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise UsageError(
            f"{where} is not valid YAML: {' '.join(str(error).split())}.", hint="Correct that line."
        ) from error
    if not isinstance(plain, dict):
        raise UsageError(
            f"{where} is not a {what}: its top level must be fields with values, as in "
            f"`{next(iter(model.model_fields))}: ...`."
        )
    for key, line in _given_twice(tree):
        raise UsageError(
            f"{where} is not a valid {what}: line {line}, field '{key}' is given a second time.",
            hint="Keep one of them; YAML would silently take the last.",
        )
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        errors = error.errors()
        sentences = [_sentence(tree, model, fault) for fault in errors[:_SHOWN]]
        rest = f"; and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
        raise UsageError(
            f"{where} is not a valid {what}: {'; '.join(sentences)}{rest}.",
            hint="Correct this field." if len(errors) == 1 else "Correct these fields.",
        ) from error


def _given_twice(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Keys that their mapping has already, with their lines (from 1)."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from _given_twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _given_twice(item)


def _sentence(tree: yaml.Node | None, model: type[BaseModel], error: ErrorDetails) -> str:
    location = error["loc"]
    field = ".".join(str(part) for part in location) or "the whole file"
    text = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        text = "there is no such field" + _guess(str(location[-1]), _field_names(model, location))
    elif error["type"] in _PLAIN:
        text = _PLAIN[error["type"]]
    elif error["type"] == "enum":
        known = error["ctx"]["expected"]
        near = _guess(str(error["input"]), re.findall("'(.*?)'", known))
        text = f"'{error['input']}' is none of {known}{near}"
    return f"line {line_of(tree, location)}, field '{field}': {text}"


def _guess(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _field_names(model: type[BaseModel], location: Location) -> list[str]:
    """The fields that stand alongside the one at ``location``."""
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = _inner_model(field.annotation) if field else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The first model within a type such as ``tuple[Model, ...] | None``."""
    if typing.get_origin(annotation) is None:
        is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        return annotation if is_model else None
    for argument in typing.get_args(annotation):
        inner = _inner_model(argument)
        if inner is not None:
            return inner
    return None


def compose(text: str) -> yaml.Node | None:
    """The tree of a YAML text, for ``line_of``; raises yaml.YAMLError."""
    tree: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    return tree


def line_of(node: yaml.Node | None, location: Location) -> int:
    """The line (from 1) of a field in a YAML tree; of its nearest parent when it is absent."""
    line = node.start_mark.line + 1 if node is not None else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            entry = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if entry is None:
                return line
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                return line
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
