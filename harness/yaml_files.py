"""YAML that a person wrote, read into a model, with errors that name the line and the field."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import UsageError

Location = Sequence[int | str]
Model = TypeVar("Model", bound=BaseModel)

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
    """As ``read_yaml``, of a text; ``where`` is named in errors."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        plain = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(
            f"{where} is not valid YAML: {' '.join(str(error).split())}.", hint="Correct that line."
        ) from error
    if not isinstance(plain, dict):
        raise UsageError(
            f"{where} is not a {what}: its top level must be fields with values, as in "
            f"`{next(iter(model.model_fields))}: ...`."
        )
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        found = error.errors()
        told = [_sentence(tree, model, one) for one in found[:_SHOWN]]
        rest = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise UsageError(
            f"{where} is not a valid {what}: {'; '.join(told)}{rest}.",
            hint="Correct this field." if len(found) == 1 else "Correct these fields.",
        ) from error


def _sentence(tree: yaml.Node | None, model: type[BaseModel], error: ErrorDetails) -> str:
    location = error["loc"]
    field = ".".join(str(part) for part in location) or "the whole file"
    text = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        text = "there is no such field" + _guess(model, location)
    return f"line {line_of(tree, location)}, field '{field}': {text}"


def _guess(model: type[BaseModel], location: Location) -> str:
    """The nearest field name at the place of an unknown one."""
    names = _field_names(model, location[:-1])
    near = difflib.get_close_matches(str(location[-1]), names, n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _field_names(model: type[BaseModel], location: Location) -> list[str]:
    for part in location:
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


def line_of(node: yaml.Node | None, location: Location) -> int:
    """The line (from 1) of a field in a YAML tree; of its nearest parent when it is absent."""
    line = node.start_mark.line + 1 if node is not None else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                return line
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
