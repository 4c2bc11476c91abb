"""Manifests of one store whose cells are not simply theirs: several share a name, or one cannot be
read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.core.base import Frozen
from harness.core.errors import BenchError
from harness.datasets.registry import load_dataset, manifests_of


class Namesakes(Frozen):
    """Several manifests with the same dataset name, from which cells of one store were made."""

    name: str
    used: Path
    """The manifest whose cells are meant."""
    named: bool
    """True where the user named it by its path, False where it is the one run last."""
    others: tuple[Path, ...]

    @property
    def sentence(self) -> str:
        """The sentence of a page: without the paths of this machine."""
        which = "that was named" if self.named else "that was run last"
        return (
            f"{1 + len(self.others)} manifests share the name '{self.name}': its cells here are "
            f"those of the one {which}; cells of {self._other} count as of an earlier manifest."
        )

    @property
    def choice(self) -> str:
        """The manifest that is used, and how to choose another; for the terminal."""
        ways = " or ".join(f"--dataset {path}" for path in self.others)
        return (
            f"Used: {self.used}. To choose {self._other}: {ways}. To keep them apart, give one "
            "another `name:`."
        )

    @property
    def _other(self) -> str:
        return "the other" if len(self.others) == 1 else "the others"


class UnreadableManifest(Frozen):
    """A manifest that cells of the store were made from, and that can no longer be read."""

    name: str
    reason: str
    """Names the file."""

    @property
    def sentence(self) -> str:
        """The sentence of a page: without the paths of this machine."""
        return (
            f"The manifest of '{self.name}' cannot be read: its cells here are those of the last "
            "run."
        )


def unreadable_manifests(names: Iterable[str], home: Path) -> tuple[UnreadableManifest, ...]:
    """Dataset ``names`` whose manifest, the one used last, is here and is invalid."""
    found = []
    for name in dict.fromkeys(names):
        used = next((place for place in manifests_of(name, home) if place.is_file()), None)
        try:
            if used is not None:
                load_dataset(str(used), home)
        except BenchError as error:
            found.append(UnreadableManifest(name=name, reason=str(error)))
    return tuple(found)


def namesakes(names: Iterable[str], home: Path, named: Path | None = None) -> tuple[Namesakes, ...]:
    """Datasets among ``names`` that several manifests share; ``named`` is the manifest that the
    user named by its path.
    """
    found = []
    for name in dict.fromkeys(names):
        places = manifests_of(name, home)
        by_path = named is not None and named in places
        used = named if named is not None and by_path else next(iter(places), None)
        others = tuple(place for place in places if place != used)
        if used is not None and others:
            found.append(Namesakes(name=name, used=used, named=by_path, others=others))
    return tuple(found)
