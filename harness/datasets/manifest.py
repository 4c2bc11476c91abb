"""A user's own dataset, as a YAML manifest; docs/datasets.md shows the format."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from harness.core.base import Frozen
from harness.core.errors import UsageError
from harness.core.paths import expanded, resolved
from harness.core.yaml_files import read_yaml
from harness.model.dataset import Actor, Clip, Crop, Dataset, Donor, Part, Photo, Sex, Source, Span
from harness.model.suite import MOST_NAME_CHARS, DonorRule

_RULES = "|".join(map(re.escape, DonorRule))
_RESERVED = re.compile(rf"{_RULES}|actor\d+|.*,.*|\s.*|.*\s|", re.DOTALL)
"""Donor names that ``--donor`` would read as something else."""


class _ClipEntry(Frozen):
    path: Path
    expression: str | None = None
    part: Part = Part.TRAINING
    span: Span | None = None
    stream: int | None = Field(default=None, ge=1)


class _PhotoEntry(Frozen):
    path: Path
    crop: Crop | None = None


class _Person(Frozen):
    sex: Sex
    clips: tuple[_ClipEntry, ...] = ()
    photo: _PhotoEntry | None = None
    source: Source | None = None

    @field_validator("photo", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """``photo: face.jpg`` means ``photo: {path: face.jpg}``."""
        return {"path": value} if isinstance(value, str) else value


class _ActorEntry(_Person):
    # No more than a column of a query holds.
    number: int = Field(ge=0, le=(1 << 31) - 1)


class _DonorEntry(_Person):
    name: str = Field(max_length=MOST_NAME_CHARS)


class _Manifest(Frozen):
    name: str | None = Field(default=None, max_length=MOST_NAME_CHARS)
    actors: tuple[_ActorEntry, ...]
    donors: tuple[_DonorEntry, ...] = ()
    sources: tuple[Source, ...] = ()


class _Donors(Frozen):
    donors: tuple[_DonorEntry, ...]


def load_manifest(path: Path) -> Dataset:
    """The dataset a manifest describes; its paths are relative to the manifest.

    Donors stand in the manifest or, when it has none, in ``donors.yaml`` alongside it. Raises
    UsageError, naming file, line and field, for what is not valid; clips are opened only when they
    are prepared.
    """
    manifest = read_yaml(path, _Manifest, "manifest")
    _unique(path, "actor number", [str(actor.number) for actor in manifest.actors])
    if not manifest.actors:
        raise UsageError(f"{path} names no actors.", hint="Add at least one under `actors:`.")
    donors = _donors(path, manifest.donors) or donors_beside(path.parent)
    return Dataset(
        name=manifest.name or path.stem,
        actors=tuple(_actor(entry, path.parent) for entry in manifest.actors),
        donors=donors,
        sources=manifest.sources,
        path=path.absolute(),
    )


def donors_beside(folder: Path) -> tuple[Donor, ...]:
    """The donors of ``folder/donors.yaml``, or none when there is no such file.

    Raises UsageError as ``load_manifest`` does.
    """
    path = folder / "donors.yaml"
    return (
        _donors(path, read_yaml(path, _Donors, "list of donors").donors) if path.is_file() else ()
    )


def _donors(path: Path, entries: tuple[_DonorEntry, ...]) -> tuple[Donor, ...]:
    _unique(path, "donor name", [entry.name for entry in entries])
    for entry in entries:
        if _RESERVED.fullmatch(entry.name):
            raise UsageError(
                f"{path}: a donor cannot be called '{entry.name}', since --donor would read that "
                "as something else.",
                hint="Choose a name without commas and without spaces at its ends, other than "
                f"{', '.join(DonorRule)} or actor followed by a number.",
            )
        if not entry.clips and entry.photo is None:
            raise UsageError(
                f"{path}: donor '{entry.name}' has neither clips nor a photo.",
                hint="Give at least one of them.",
            )
    return tuple(_donor(entry, path.parent) for entry in entries)


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
        Clip(
            path=_absolute(e.path, base),
            expression=e.expression,
            part=e.part,
            span=e.span,
            stream=e.stream,
        )
        for e in entries
    )


def _photo(entry: _PhotoEntry | None, base: Path) -> Photo | None:
    return None if entry is None else Photo(path=_absolute(entry.path, base), crop=entry.crop)


def _absolute(path: Path, base: Path) -> Path:
    return resolved(base / expanded(path))


def _unique(path: Path, what: str, values: list[str]) -> None:
    twice = sorted(value for value, count in Counter(values).items() if count > 1)
    if twice:
        raise UsageError(
            f"{path}: {what} {', '.join(twice)} is used more than once.",
            hint="Give each person their own.",
        )
