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
from harness.core.text import UNPRINTABLE

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

_MOST_BYTES = 16 << 20
_DEPTH = 32
_NODES = 500_000
"""Values of a file, those behind aliases counted each time; a manifest of thousands of clips has
tens of thousands."""
_SCALAR_CHARS = 10_000
_MOST_WHOLE = (1 << 63) - 1
"""Whole numbers beyond it fit no column, and longer ones not even into a sentence."""
_SHOWN = 5
"""Errors that one message names; more would hide the first."""


def read_yaml(path: Path, model: type[Model], what: str) -> Model:
    """The file at ``path`` as a ``model``; ``what`` is the kind of file, for errors: ``suite``.

    Raises UsageError that names the file and, for what is wrong in it, line and field.
    """
    return parse_yaml(read_text(path, what), model, what, str(path))


def read_text(path: Path, what: str) -> str:
    """A text file that a person wrote, in UTF-8 with or without a mark at its beginning.

    Raises UsageError for one that cannot be read, and for one in another encoding, with its likely
    name and how it becomes UTF-8: a guess that is wrong would change names without a word.
    """
    data = _content(path, what)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, what, data, error) from error
    if "\0" in text:
        raise _not_utf8(path, what, data, None)
    return text


def _content(path: Path, what: str) -> bytes:
    """The bytes of a plain file; no pipe is waited for, and nothing huge is read."""
    try:
        if path.exists() and not path.is_file():
            kind = "Is a directory" if path.is_dir() else "It is no file"
            raise OSError(0, kind)
        if (size_bytes := path.stat().st_size) > _MOST_BYTES:
            raise OSError(0, f"it has {size_bytes:,} bytes, and {_MOST_BYTES:,} are the most")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(
            f"The {what} {path} cannot be read: {reason or error}.",
            hint="Check the path and its rights.",
        ) from error


def _not_utf8(path: Path, what: str, data: bytes, error: UnicodeDecodeError | None) -> UsageError:
    encoding = _wide_encoding(data)
    if encoding is None and error is None:
        return UsageError(
            f"The {what} {path} cannot be read: it is no text, as it holds bytes of zero.",
            hint="Is it the right file, and whole?",
        )
    where = ""
    if encoding is None and error is not None:
        encoding = "Windows-1252"
        line = data.count(b"\n", 0, error.start) + 1
        likely = data[error.start : error.start + 1].decode("cp1252", "replace")
        where = f", the first time in line {line}, which most likely has '{likely}' there"
    named = {"Windows-1252": "Latin-1 or Windows-1252"}.get(str(encoding), encoding)
    return UsageError(
        f"The {what} {path} cannot be read: it is not in UTF-8 but, it seems, in {named}{where}.",
        hint="Save it as UTF-8 in your editor, or: "
        f"iconv -f {str(encoding).upper()} -t UTF-8 OLD > NEW",
    )


def _wide_encoding(data: bytes) -> str | None:
    """``UTF-16`` or ``UTF-32`` where the bytes look like it, with or without a mark."""
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "UTF-32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    even, odd = data[:1000:2].count(0), data[1:1000:2].count(0)
    half = max(1, len(data[:1000]) // 4)
    if odd > half > even:
        return "UTF-16LE"
    return "UTF-16BE" if even > half > odd else None


def parse_yaml(text: str, model: type[Model], what: str, where: str) -> Model:
    """The model that ``text`` describes, as in ``read_yaml``; ``where`` is named in errors."""
    try:
        _check_bounds(text, where)
        tree = compose(text)
        plain = yaml.load(text, Loader=_LOADER)
    except (ValueError, OverflowError, ArithmeticError) as error:
        # PyYAML's own reading of dates and numbers.
        raise UsageError(
            f"{where} is not valid YAML: a value in it looks like a date or a number, and is none: "
            f"{error}.",
            hint="Put it in quotes if it is a name.",
        ) from error
    except yaml.YAMLError as error:
        hint = "Correct that line."
        if _indented_by_tab(text, error):
            hint = "YAML is indented by spaces: replace the tab by two of them."
        raise UsageError(
            f"{where} is not valid YAML: {' '.join(str(error).split())}.", hint=hint
        ) from error
    if not isinstance(plain, dict):
        raise UsageError(
            f"{where} is not a {what}: its top level must be fields with values, as in "
            f"`{next(iter(model.model_fields))}: ...`."
        )
    if (beyond := next(_beyond(plain), None)) is not None:
        raise UsageError(
            f"{where} is not a valid {what}: line {line_of(tree, beyond)} has a number beyond "
            f"{_MOST_WHOLE:,}.",
            hint="Correct it, or put it in quotes if it is a name.",
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


def _check_bounds(text: str, where: str) -> None:
    """Raise UsageError for a text that would grow, nest or refer to itself without end, and for
    values that no name or path has; YAMLError as the parser does. Nothing is built of it.
    """
    open_nodes: list[tuple[str | None, int]] = [(None, 0)]
    sizes: dict[str, int] = {}

    def refuse(event: yaml.Event, why: str) -> UsageError:
        return UsageError(
            f"{where} cannot be read: line {_line(event)} {why}.",
            hint="Write it out plainly; is it the right file?",
        )

    def add(event: yaml.Event, nodes: int) -> None:
        anchor, before = open_nodes[-1]
        if before + nodes > _NODES:
            raise refuse(event, f"makes it hold more than {_NODES:,} values, aliases written out")
        open_nodes[-1] = anchor, before + nodes

    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                own = any(anchor == event.anchor for anchor, _ in open_nodes)
                raise refuse(event, "refers to itself" if own else "refers to what is not there")
            add(event, sizes[event.anchor])
        elif isinstance(event, yaml.ScalarEvent):
            if problem := _scalar_problem(event.value):
                raise refuse(event, problem)
            add(event, 1)
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(open_nodes) > _DEPTH:
                raise refuse(event, f"nests values more than {_DEPTH} deep")
            open_nodes.append((event.anchor, 1))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, nodes = open_nodes.pop()
            if anchor:
                sizes[anchor] = nodes
            add(event, nodes)


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return 1 if mark is None else mark.line + 1


def _scalar_problem(value: str) -> str | None:
    """The reason why a value is no name, path or number, as a predicate."""
    if len(value) > _SCALAR_CHARS:
        return f"has a value of {len(value):,} characters; {_SCALAR_CHARS:,} are the most"
    if found := UNPRINTABLE.search(value):
        return f"has a character that cannot be shown (U+{ord(found.group()):04X})"
    return None


def _indented_by_tab(text: str, error: yaml.YAMLError) -> bool:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    lines = text.splitlines()
    if mark is None or mark.line >= len(lines):
        return False
    line = lines[mark.line]
    return "\t" in line[: len(line) - len(line.lstrip())]


def _beyond(value: object, location: tuple[int | str, ...] = ()) -> Iterator[Location]:
    """The places of whole numbers that are too large, keys among them."""
    if isinstance(value, int) and abs(value) > _MOST_WHOLE:
        yield location
    elif isinstance(value, list | tuple | set):
        for number, item in enumerate(value):
            yield from _beyond(item, (*location, number))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _beyond(key, location)
            yield from _beyond(item, (*location, key if isinstance(key, str) else ""))


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
