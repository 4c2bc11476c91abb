"""Verifies that a folder holds RAVDESS, whole and readable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from harness.core.base import Frozen
from harness.core.errors import UnusableInputError
from harness.core.hashing import file_sha256
from harness.datasets.ravdess import (
    ACTORS,
    VIDEO_ONLY,
    Take,
    expected_takes,
    find_files,
    parse_name,
    sex_of,
)
from harness.media.probe import probe
from harness.model.dataset import Sex


class ActorReport(Frozen):
    """Files that are there of one actor; ``missing`` names files that RAVDESS has."""

    actor: int
    sex: Sex
    expected: int
    present: int
    missing: tuple[str, ...]
    unreadable: tuple[str, ...]
    same_content: tuple[tuple[str, ...], ...]
    """Groups of readable files with the same bytes under different names or folders."""
    different: tuple[tuple[str, ...], ...]
    """Groups of readable files of one take and kind whose bytes differ: one was made again."""
    with_sound: int
    """Copies with sound (modality 01) of takes that are also there without; not used."""
    sound_used: int
    """Takes of which only the copy with sound is there: used, as its pictures are the same."""
    converted: tuple[str, ...]
    """Takes in another format than MP4; not used, since they were encoded again."""

    @property
    def complete(self) -> bool:
        faults = self.missing, self.unreadable, self.same_content, self.different
        return not any(faults) and self.present > 0


class VerifyReport(Frozen):
    """Contents of a folder. An empty folder is never fine."""

    folder: Path
    actors: tuple[ActorReport, ...]
    sounds: int
    """Files of sound alone."""
    archives: tuple[str, ...]
    """Archives of videos that were not unpacked."""
    absent: tuple[int, ...]
    """Actors of whom there is nothing; a folder with some actors may still be fine."""

    @property
    def ok(self) -> bool:
        return bool(self.actors) and all(actor.complete for actor in self.actors)


def verify(folder: Path, on_file: Callable[[Path], None] | None = None) -> VerifyReport:
    """Decode every RAVDESS clip below ``folder`` that would be used, and its equals, and compare
    with the full list.

    ``on_file`` is called before each file, for progress; a whole actor takes about a minute.
    Raises UnusableInputError when ``folder`` is no folder.
    """
    if not folder.is_dir():
        raise UnusableInputError(
            f"{folder} {'is a file' if folder.exists() else 'does not exist'}, so no RAVDESS is "
            "in it.",
            hint="Name the folder with the Actor_01, Actor_02, ... folders.",
        )
    files = find_files(folder)
    by_actor: dict[int, dict[Path, Take]] = defaultdict(dict)
    for path, take in files.takes.items():
        by_actor[take.actor][path] = take
    converted: dict[int, list[str]] = defaultdict(list)
    for path in files.converted:
        other = parse_name(path.name)
        assert other is not None
        converted[other.actor].append(str(path))
        by_actor.setdefault(other.actor, {})
    reports = tuple(
        _verify_actor(number, own, tuple(converted[number]), on_file)
        for number, own in sorted(by_actor.items())
    )
    return VerifyReport(
        folder=folder,
        actors=reports,
        sounds=files.sounds,
        archives=tuple(map(str, files.archives)),
        absent=tuple(number for number in ACTORS if number not in by_actor),
    )


def _verify_actor(
    number: int,
    takes: dict[Path, Take],
    converted: tuple[str, ...],
    on_file: Callable[[Path], None] | None,
) -> ActorReport:
    silent = {take.performance for take in takes.values() if take.modality == VIDEO_ONLY}
    used = {
        path: take
        for path, take in takes.items()
        if take.modality == VIDEO_ONLY or take.performance not in silent
    }
    unreadable: list[str] = []
    contents: dict[str, list[str]] = defaultdict(list)
    versions: dict[tuple[int, ...], dict[str, str]] = defaultdict(dict)
    for path, take in used.items():
        if on_file is not None:
            on_file(path)
        try:
            probe(path)
        except UnusableInputError:
            unreadable.append(str(path))
            continue
        sha256 = file_sha256(path)
        contents[sha256].append(str(path))
        versions[take.performance].setdefault(sha256, str(path))
    expected = expected_takes(number)
    performances = {take.performance for take in used.values()}
    return ActorReport(
        actor=number,
        sex=sex_of(number),
        expected=len(expected),
        present=len(performances & expected),
        missing=tuple(_name(item, number) for item in sorted(expected - performances)),
        unreadable=tuple(unreadable),
        same_content=tuple(tuple(group) for group in contents.values() if len(group) > 1),
        different=tuple(tuple(own.values()) for own in versions.values() if len(own) > 1),
        with_sound=len(takes) - len(used),
        sound_used=len(performances - silent),
        converted=converted,
    )


def _name(performance: tuple[int, ...], actor: int) -> str:
    return "-".join(f"{part:02d}" for part in (VIDEO_ONLY, *performance, actor)) + ".mp4"
