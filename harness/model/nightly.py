"""Findings of a night about one tool: the history's records."""

from __future__ import annotations

from enum import StrEnum

from harness.core.base import SCHEMA_VERSION, Frozen
from harness.core.hashing import content_hash
from harness.model.verdict import Verdict


class Alarm(StrEnum):
    NONE = "none"
    UNCONFIRMED = "unconfirmed"
    """The first run regressed, the second did not: said, but no alarm."""
    UNREPEATED = "unrepeated"
    """The first run regressed, the second could not be compared: no alarm, but no good night."""
    CONFIRMED = "confirmed"


class NightMetric(Frozen):
    """One metric of the night's version, over actors, and against the last good version."""

    key: str
    title: str
    source: str = ""
    higher_is_better: bool
    margin: float
    n: int
    """Actors."""
    mean: float
    low: float | None = None
    high: float | None = None
    """Student's 95 % interval over actors."""
    run_sd: float | None = None
    """Run-to-run standard deviation of the repeated reference cells; None without repetition."""
    shift: float | None = None
    p_adjusted: float | None = None
    verdict: Verdict | None = None
    """None where there is no other version to compare with."""


class NightRecord(Frozen):
    """One tool and config in one night. Written once, never changed."""

    schema_version: int = SCHEMA_VERSION
    night: str
    """``2026-01-31``: the day (UTC) on which the night began."""
    suite: str
    dataset: str
    protocol: str
    tool: str
    config: str
    version: str
    image_digest: str | None = None
    cells: tuple[str, ...]
    """Ids of the night's cells of this version."""
    unprepared: tuple[str, ...] = ()
    """Names of cells that were asked for and could not be prepared."""
    scored: int
    good_version: str | None = None
    """Version it was compared with: that of the last good night, or one that a user named."""
    good_cells: tuple[str, ...] = ()
    verdict: Verdict | None = None
    alarm: Alarm = Alarm.NONE
    alarmed: tuple[str, ...] = ()
    """Keys of the metrics that regressed in both runs; ``match_rate`` also for single people who
    are recognised."""
    alarmed_actors: tuple[int, ...] = ()
    """Actors who are recognised and were hidden, in the first of two runs that both name some."""
    reason: str = ""
    """A sentence: what the comparison said, or why there is none."""
    metrics: tuple[NightMetric, ...] = ()

    @property
    def id(self) -> str:
        """16 hex digits: one tool and config of one night of a suite has one record."""
        named = [self.night, self.suite, self.dataset, self.tool, self.config]
        return content_hash(named)[:16]

    @property
    def alarm_id(self) -> str:
        """16 hex digits that stay the same for as many nights as the same alarm stands."""
        cells = [sorted(self.good_cells), sorted(self.cells)]
        return content_hash([self.suite, self.dataset, self.tool, self.config, *cells])[:16]

    @property
    def asked(self) -> int:
        """Number of cells, with those that could not be prepared."""
        return len(self.cells) + len(self.unprepared)

    @property
    def complete(self) -> bool:
        """True when every cell of the night has its score."""
        return 0 < self.scored == self.asked

    @property
    def good(self) -> bool:
        """True when the next night may be compared with this one: all is scored, nothing suspected
        that a second run has not cleared."""
        return self.complete and self.alarm in (Alarm.NONE, Alarm.UNCONFIRMED)

    @property
    def what(self) -> str:
        """``faceswap@v3.0.0:smoke``."""
        return f"{self.tool}@{self.version}:{self.config}"
