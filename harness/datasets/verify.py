"""Verifies that a folder holds RAVDESS, whole and readable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from harness.core.base import Frozen
from harness.core.errors import UnusableInputError
from harness.core.hashing import file_sha256
from harness.datasets.ravdess import ACTORS, VIDEO_ONLY, Take, expected_takes, find_takes, sex_of
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
    with_sound: int
    """Copies with sound (modality 01) of takes that are also there without; never used."""

    @property
    def complete(self) -> bool:
        return not (self.missing or self.unreadable or self.same_content) and self.present > 0


class VerifyReport(Frozen):
    """Contents of a folder. An empty folder is never fine."""

    folder: Path
    actors: tuple[ActorReport, ...]
    absent: tuple[int, ...]
    """Actors of whom there is nothing; a folder with some actors may still be fine."""

    @property
    def ok(self) -> bool:
        return bool(self.actors) and all(actor.complete for actor in self.actors)


def verify(folder: Path, on_file: Callable[[Path], None] | None = None) -> VerifyReport:
    """Decode every video-only RAVDESS clip below ``folder`` and compare with the full list.

    ``on_file`` is called before each file, for progress; a whole actor takes about a minute.
    Raises UnusableInputError when ``folder`` is no folder.
    """
    if not folder.is_dir():
        raise UnusableInputError(
            f"{folder} {'is a file' if folder.exists() else 'does not exist'}, so no RAVDESS is "
            "in it.",
            hint="Name the folder with the Actor_01, Actor_02, ... folders.",
        )
    takes = find_takes(folder)
    by_actor: dict[int, dict[Path, Take]] = defaultdict(dict)
    for path, take in takes.items():
        by_actor[take.actor][path] = take
    reports = tuple(_verify_actor(n, own, on_file) for n, own in sorted(by_actor.items()))
    absent = tuple(number for number in ACTORS if number not in by_actor)
    return VerifyReport(folder=folder, actors=reports, absent=absent)


def _verify_actor(
    number: int, takes: dict[Path, Take], on_file: Callable[[Path], None] | None
) -> ActorReport:
    silent = {path: take for path, take in takes.items() if take.modality == VIDEO_ONLY}
    performances = {take.performance for take in silent.values()}
    unreadable: list[str] = []
    contents: dict[str, list[str]] = defaultdict(list)
    for path in silent:
        if on_file is not None:
            on_file(path)
        try:
            probe(path)
        except UnusableInputError:
            unreadable.append(str(path))
        else:
            contents[file_sha256(path)].append(str(path))
    expected = expected_takes(number)
    sound = [t for t in takes.values() if t.modality == 1 and t.performance in performances]
    return ActorReport(
        actor=number,
        sex=sex_of(number),
        expected=len(expected),
        present=len(performances & expected),
        missing=tuple(_name(item, number) for item in sorted(expected - performances)),
        unreadable=tuple(unreadable),
        same_content=tuple(tuple(group) for group in contents.values() if len(group) > 1),
        with_sound=len(sound),
    )


def _name(performance: tuple[int, ...], actor: int) -> str:
    return "-".join(f"{part:02d}" for part in (VIDEO_ONLY, *performance, actor)) + ".mp4"
