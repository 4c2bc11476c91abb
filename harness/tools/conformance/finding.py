"""A check's finding, and the signature of a check."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.core.base import Frozen
from harness.model.tool import Tool


class State(StrEnum):
    OK = "ok"
    FAULT = "fault"
    SKIPPED = "skipped"
    """The check could not be made here; the text says why."""


class Finding(Frozen):
    """One sentence about one check of one tool."""

    check: str
    state: State
    text: str


@dataclass(frozen=True)
class Check:
    """A check that needs the description alone.

    ``faults`` yields a sentence for each fault; ``sound`` is what is true when there is none.
    """

    name: str
    sound: str
    faults: Callable[[Tool], Iterable[str]]

    def __call__(self, tool: Tool) -> tuple[Finding, ...]:
        """One finding for each fault, or the one that there is none."""
        found = tuple(
            Finding(check=self.name, state=State.FAULT, text=text) for text in self.faults(tool)
        )
        return found or (Finding(check=self.name, state=State.OK, text=self.sound),)
