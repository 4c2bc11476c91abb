"""A user's own dataset, as a YAML manifest (the format is shown in docs/)."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from harness.errors import UsageError
from harness.model.base import Frozen
from harness.model.dataset import Actor, Clip, Crop, Dataset, Donor, Part, Photo, Sex, Source, Span


class _ClipEntry(Frozen):
    path: Path
    expression: str | None = None
    part: Part = Part.TRAINING
    span: Span | None = None


class _PhotoEntry(Frozen):
    path: Path
    crop: Crop | None = None


class _ActorEntry(Frozen):
    number: int
    sex: Sex
    clips: tuple[_ClipEntry, ...]
    photo: _PhotoEntry | Path | None = None
    source: Source | None = None


class _DonorEntry(Frozen):
    name: str
    sex: Sex
    clips: tuple[_ClipEntry, ...] = ()
    photo: _PhotoEntry | Path | None = None
    source: Source | None = None


class _Manifest(Frozen):
    name: str | None = None
    actors: tuple[_ActorEntry, ...]
    donors: tuple[_DonorEntry, ...] = ()
    sources: tuple[Source, ...] = ()


class _Donors(Frozen):
    donors: tuple[_DonorEntry, ...]


_Model = TypeVar("_Model", _Manifest, _Donors)


def load_manifest(path: Path) -> Dataset:
    """The dataset a manifest describes; its paths are relative to the manifest.

    Donors stand in the manifest or in ``donors.yaml`` beside it. Raises UsageError, naming file,
    line and field, for what is not valid; clips are opened only when they are prepared.
    """
    manifest = _parse(path, _Manifest)
    built = tuple(_donor(entry, path.parent) for entry in manifest.donors)
    built = built or donors_beside(path.parent)
    _unique(path, "actor number", [str(actor.number) for actor in manifest.actors])
    _unique(path, "donor name", [donor.name for donor in built])
    if not manifest.actors:
        raise UsageError(f"{path} names no actors.", hint="Add at least one under `actors:`.")
    for donor in built:
        if not donor.clips and donor.photo is None:
            raise UsageError(
                f"{path}: donor '{donor.name}' has neither clips nor a photo.",
                hint="Give at least one of them.",
            )
    return Dataset(
        name=manifest.name or path.stem,
        actors=tuple(_actor(entry, path.parent) for entry in manifest.actors),
        donors=built,
        sources=manifest.sources,
    )


def donors_beside(folder: Path) -> tuple[Donor, ...]:
    """The donors of ``folder/donors.yaml``, or none when there is no such file."""
    path = folder / "donors.yaml"
    return (
        tuple(_donor(entry, folder) for entry in _parse(path, _Donors).donors)
        if path.is_file()
        else ()
    )


def _actor(entry: _ActorEntry, base: Path) -> Actor:
    return Actor(
        number=entry.number,
        sex=entry.sex,
        clips=_clips(entry.clips, base),
        photo=_photo(entry.photo, base),
        source=entry.source,
    )


def _donor(entry: _DonorEntry, base: Path) -> Donor:
    return Donor(
        name=entry.name,
        sex=entry.sex,
        clips=_clips(entry.clips, base),
        photo=_photo(entry.photo, base),
        source=entry.source,
    )


def _clips(entries: tuple[_ClipEntry, ...], base: Path) -> tuple[Clip, ...]:
    return tuple(
        Clip(path=_absolute(e.path, base), expression=e.expression, part=e.part, span=e.span)
        for e in entries
    )


def _photo(entry: _PhotoEntry | Path | None, base: Path) -> Photo | None:
    if entry is None:
        return None
    if isinstance(entry, Path):
        return Photo(path=_absolute(entry, base))
    return Photo(path=_absolute(entry.path, base), crop=entry.crop)


def _absolute(path: Path, base: Path) -> Path:
    return (base / path.expanduser()).resolve()


def _unique(path: Path, what: str, values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise UsageError(
            f"{path}: {what} {', '.join(twice)} is used more than once.",
            hint="Give each person their own.",
        )


def _parse(path: Path, model: type[_Model]) -> _Model:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The manifest {path} cannot be read: {error}.", hint="Check the path."
        ) from error
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        plain = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(
            f"{path} is not valid YAML: {error}.", hint="Correct that line."
        ) from error
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        lines = [
            f"line {_line(tree, found['loc'])}, {_field(found['loc'])}: {found['msg']}"
            for found in error.errors()
        ]
        raise UsageError(
            f"{path} is not a valid manifest: " + "; ".join(lines) + ".",
            hint="Correct these fields.",
        ) from error


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the whole file"


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line (from 1) of the deepest node of ``location`` that the file has."""
    if node is None:
        return 1
    line = node.start_mark.line + 1
    for part in location:
        child: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
                    child, line = value, key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            child = dict(enumerate(node.value)).get(part)
            line = child.start_mark.line + 1 if child else line
        if child is None:
            break
        node = child
    return line
