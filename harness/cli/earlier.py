"""Messages about the cells that are not those of today's manifest, image or suite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.output import note, note_wrapped

if TYPE_CHECKING:
    from harness.model.suite import UnpreparedCell
    from harness.planning.selection import Chosen

MOST_NAMED = 6


def say_earlier(chosen: Chosen, flag: str = "--earlier shows them") -> None:
    """On stderr: how many cells are left out and why, their names, and how to see them."""
    for sentence in chosen.sentences:
        note(sentence)
    names = list(chosen.left_out)
    for name in names[:MOST_NAMED]:
        note(f"  {name}")
    if names:
        more = f"  and {len(names) - MOST_NAMED} more; " if len(names) > MOST_NAMED else "  "
        note(f"{more}{flag}.")


def say_unprepared(cells: Sequence[UnpreparedCell]) -> None:
    """On stderr: which cells were asked for and could not be prepared, by reason."""
    from harness.results.wording import listing

    by_reason: dict[str, list[str]] = {}
    for one in cells:
        by_reason.setdefault(one.sentence, []).append(one.cell.name)
    for sentence, names in by_reason.items():
        note_wrapped(
            f"Asked for and not done: {listing(names, MOST_NAMED)}. {sentence}", after="  "
        )


def say_namesakes(name_or_path: str | None, home: Path) -> None:
    """On stderr: which manifest is meant, where the store has cells of several of one name."""
    from harness.datasets.registry import manifests_of

    if name_or_path is None:
        return
    places = manifests_of(name_or_path, home)
    if len(places) > 1:
        others = ", ".join(map(str, places[1:]))
        note_wrapped(
            f"'{name_or_path}' is {places[0]}, the one used last; {others} has the same name.",
            after="  ",
        )
