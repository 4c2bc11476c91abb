"""The properties of a person's files that decide their preparation, known without decoding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from harness.core.errors import UnusableInputError
from harness.core.hashing import content_hash, known_sha256
from harness.datasets.photo_files import require_picture
from harness.media.probe import frame_size
from harness.media.streams import require_file
from harness.model.dataset import Actor, Clip, Donor, Part, Span, Split

Sha256Of = Callable[[Path], str]


def used_in(split: Split, actor: Actor) -> Actor:
    """The actor with the clips that ``split`` uses, trained on and shown."""
    if split is Split.THESIS:
        return actor
    clips = tuple(clip for clip in actor.clips if clip.part is not Part.THESIS_ONLY)
    return actor.model_copy(update={"clips": clips})


def files_of(person: Actor | Donor) -> tuple[Path, ...]:
    """The person's clips and photo, each once."""
    paths = [clip.path for clip in person.clips]
    paths += [person.photo.path] if person.photo else []
    return tuple(dict.fromkeys(paths))


def material_of(
    person: Actor | Donor, split: Split | None, sha256_of: Sha256Of = known_sha256
) -> dict[str, Any]:
    """Facts about the person that a preparation depends on, files by content; ``split`` is
    an actor's and None for a donor.

    Raises UnusableInputError for a file that is missing, empty or may not be read.
    """
    if isinstance(person, Actor):
        assert split is not None
        person = used_in(split, person)
    for path in files_of(person):
        require_file(path)
    clips = [
        {
            "sha256": sha256_of(clip.path),
            "part": clip.part.value,
            "span": clip.span.model_dump() if clip.span else None,
            # People without such a clip keep the hash they had before there was a choice.
            **({} if clip.stream is None else {"stream": clip.stream}),
        }
        for clip in person.clips
    ]
    photo = None
    if person.photo is not None:
        crop = person.photo.crop
        photo = {
            "sha256": sha256_of(person.photo.path),
            "name": person.photo.path.name,
            "crop": crop.model_dump() if crop else None,
        }
    facts: dict[str, Any] = {"sex": person.sex.value, "clips": clips, "photo": photo}
    if isinstance(person, Actor):
        return facts | {"kind": "actor", "split": str(split), "number": person.number}
    return facts | {"kind": "donor", "name": person.name}


def fingerprint(
    person: Actor | Donor, split: Split | None, sha256_of: Sha256Of = known_sha256
) -> str:
    """The hash of ``material_of``: equal for people who would be prepared alike. Raises as it."""
    return content_hash(material_of(person, split, sha256_of))


def faults_of(person: Actor | Donor, look_into: Callable[[Path], bool]) -> list[str]:
    """A sentence for each file that cannot be used: missing, empty, not readable, a photo that is
    no picture, and a clip without a first frame among those that ``look_into`` chooses. What only
    shows when a clip is decoded to its end is not found.
    """
    faults = []
    streams = {clip.path: clip.stream for clip in person.clips}
    for path in files_of(person):
        try:
            require_file(path)
            if person.photo is not None and path == person.photo.path:
                require_picture(path)
            elif look_into(path):
                frame_size(path, streams[path])
        except UnusableInputError as error:
            faults.append(error.message)
    return faults


class _Shown(NamedTuple):
    """One person in one file."""

    who: str
    path: Path
    photo: bool
    place: str
    """A photo's crop or a clip's picture stream, spelled out."""
    span: Span


def shared_material(people: Sequence[tuple[str, Actor | Donor]]) -> list[str]:
    """Sentences that name people, as (what to call them, the person), who are shown by the same
    photo, or by the same stretch of a clip: numbers of such people say nothing.

    Files are compared by content; only those of equal size are read. Files that cannot be read
    are passed over.
    """
    by_size: dict[int, list[_Shown]] = {}
    for who, person in people:
        for shown in _shown(who, person):
            try:
                by_size.setdefault(shown.path.stat().st_size, []).append(shown)
            except OSError:
                continue
    groups: dict[tuple[bool, str, str], list[_Shown]] = {}
    for shown in _of_several(by_size.values()):
        try:
            key = shown.photo, known_sha256(shown.path), shown.place
        except OSError:
            continue
        groups.setdefault(key, []).append(shown)
    sentences = [_sentence(group) for group in groups.values()]
    return list(dict.fromkeys(sentence for sentence in sentences if sentence))


def _shown(who: str, person: Actor | Donor) -> Iterator[_Shown]:
    for clip in person.clips:
        stream = "" if clip.stream is None else str(clip.stream)
        yield _Shown(who, clip.path, False, stream, clip.span or Span())
    if person.photo is not None:
        crop = person.photo.crop
        yield _Shown(who, person.photo.path, True, str(crop), Span())


def _of_several(groups: Any) -> Iterator[_Shown]:
    for group in groups:
        if len({shown.who for shown in group}) > 1:
            yield from group


def _sentence(group: Sequence[_Shown]) -> str:
    """Empty when nobody shares a stretch with somebody else."""
    met = [
        (a, b) for a, b in combinations(group, 2) if a.who != b.who and spans_meet(a.span, b.span)
    ]
    if not met:
        return ""
    names = list(dict.fromkeys(shown.who for pair in met for shown in pair))
    files = list(dict.fromkeys(shown.path.name for pair in met for shown in pair))
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    medium = "photo" if group[0].photo else "clip"
    return f"{listed[0].upper()}{listed[1:]} are shown by the same {medium} ({', '.join(files)})."


def clips_meet(a: Clip, b: Clip) -> bool:
    """True when two clips of the same file show, or may show, some of the same frames."""
    if None not in (a.stream, b.stream) and a.stream != b.stream:
        return False
    return spans_meet(a.span or Span(), b.span or Span())


def spans_meet(a: Span, b: Span) -> bool:
    """True when two stretches of a file overlap."""
    return _starts_before_end(a, b) and _starts_before_end(b, a)


def _starts_before_end(span: Span, other: Span) -> bool:
    return other.end_s is None or span.start_s < other.end_s
