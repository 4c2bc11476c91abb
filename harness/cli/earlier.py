"""Messages about the cells that are not those of today's manifest, image or suite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.cli.output import note, note_wrapped

if TYPE_CHECKING:
    from harness.model.suite import UnpreparedCell
    from harness.planning.selection import Chosen

MOST_NAMED = 6


def say_earlier(chosen: Chosen, flag: str = "--earlier shows them") -> None:
    """On stderr: which manifest is meant where several share its name; how many cells are left out
    and why, their names, and how to see them."""
    say_namesakes(chosen)
    for sentence in chosen.counted:
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


def say_namesakes(chosen: Chosen) -> None:
    """On stderr: which manifest is meant where several share its name, and how to choose others;
    which cannot be read, and why."""
    for one in chosen.namesakes:
        note_wrapped(f"{one.sentence} {one.choice}", after="  ")
    for broken in chosen.unreadable:
        note_wrapped(f"{broken.sentence} {broken.reason}", after="  ")
