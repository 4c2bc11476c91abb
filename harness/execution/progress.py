"""Reports of what has been done, of how much, and of how long the rest will take."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

_LEAST = 2
"""Fewer things than this say nothing about the others."""

Say = Callable[[str], None]


class WorkKind(StrEnum):
    """Work that takes time in a study."""

    RUN = "run"
    MEASURE = "measured"
    SCORE = "scored"
    COHORT = "compared"


@dataclass
class _Share:
    expected: int = 0
    done: int = 0
    timed: int = 0
    """Of those done, the ones that took their time here; what was stored already took none."""
    seconds: float = 0.0

    @property
    def left(self) -> int:
        return self.expected - self.done

    def mean_s(self, enough: float) -> float | None:
        """Seconds for one, once ``enough`` of them were seen to speak for the others."""
        if not self.left:
            return 0.0
        return self.seconds / self.timed if self.timed >= enough else None


class TimeEstimate:
    """Estimates how long the rest will take, from how long work of the same kind took.

    Nothing is said before each kind of long work was seen a few times: the first cell of a study,
    which copies a video, says nothing about the last, which trains a model.
    """

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        self._shares = {kind: _Share() for kind in WorkKind}

    def expect(self, kind: WorkKind, count: int = 1) -> None:
        """``count`` more of ``kind`` are to be done; a negative one takes them back."""
        self._shares[kind].expected += count

    def took(self, kind: WorkKind, seconds: float | None) -> None:
        """One of ``kind`` is done; None when it was stored already."""
        share = self._shares[kind]
        share.done += 1
        if seconds is not None:
            share.timed += 1
            share.seconds += seconds

    def count(self, kind: WorkKind) -> str:
        """``3/20``."""
        return f"{self._shares[kind].done}/{self._shares[kind].expected}"

    def left_s(self) -> float | None:
        """Seconds until all is done, or None while that is not known."""
        total = 0.0
        for kind, share in self._shares.items():
            # Tools differ from one another far more than videos do.
            enough = (share.left + share.timed) / 4 if kind is WorkKind.RUN else 0
            mean_s = share.mean_s(max(_LEAST, enough))
            if mean_s is None and kind in (WorkKind.SCORE, WorkKind.COHORT):
                # These take seconds when everything is measured; they wait for no estimate.
                mean_s = 0.0
            if mean_s is None:
                return None
            total += share.left * mean_s
        at_once = max(1, min(self._lanes, sum(share.left for share in self._shares.values())))
        return total / at_once


def spell_time(seconds: float) -> str:
    """A rough time for people: to 5 s under a minute, to half a minute under ten, to a minute."""
    if seconds < 57.5:
        return f"{max(5, 5 * round(seconds / 5))} s"
    halves = math.floor(seconds / 30 + 0.5)
    if halves < 20:
        return f"{halves // 2}{'.5' if halves % 2 else ''} min"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"


@dataclass(frozen=True)
class ProgressReport:
    """A study's progress, one line for each thing done; any thread may call it."""

    estimate: TimeEstimate
    say: Say
    tick: Say
    """Reports what moves within a thing; shown on a terminal only."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, kind: WorkKind, count: int = 1) -> None:
        with self._lock:
            self.estimate.expect(kind, count)

    def done(self, kind: WorkKind, text: str, seconds: float | None) -> None:
        """Say that one of ``kind`` is done."""
        with self._lock:
            self.estimate.took(kind, seconds)
            left_s = self.estimate.left_s()
            rest = f" (about {spell_time(left_s)} left)" if left_s else ""
            self.say(f"{kind} {self.estimate.count(kind)} {text}{rest}")

    def moved(self, text: str) -> None:
        with self._lock:
            self.tick(text)

    def frames_done(self, label: str, done: int, total: int) -> None:
        """A video is measured up to frame ``done``."""
        self.moved(f"{label}: frame {done} of {total}")
