"""Errors that reach a user. Each says what happened, and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """An error that the user can act on.

    ``message`` says what, where and why likely, in sentences; ``hint`` names the next step.
    ``exit_code`` is the code the command line ends with (see docs/architecture.md).
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field: tuple[int | str, ...] = ()
        """The field of a suite that is to blame, for who knows the file and its lines."""

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class BenchWarning(RuntimeWarning):
    """A fact that the user should know, though the work goes on; shown as a sentence."""


class UsageError(BenchError):
    """A wrong name, option or configuration."""


class UnusableInputError(BenchError):
    """A video, photo or dataset that cannot be used."""


class StoreError(BenchError):
    """A store that cannot be read or written, or that a newer version wrote."""

    exit_code = 4


class UnfitMachineError(BenchError):
    """The machine lacks something the work needs."""

    exit_code = 4


class FetchError(BenchError):
    """A download that failed or whose content is not what was recorded."""

    exit_code = 4


def unknown_name(kind: str, name: str, known: Iterable[str], *, see: str) -> UsageError:
    """The error for a name that does not exist, with the nearest ones that do."""
    candidates = sorted(known)
    near = difflib.get_close_matches(name, candidates, n=1)
    guess = f" Did you mean '{near[0]}'?" if near else f" Known: {', '.join(candidates)}."
    return UsageError(f"There is no {kind} '{name}'.{guess}", hint=f"See `{see}`.")
