"""Results of attackers on several actors' cells: one tool, one setting, many people."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import model_validator

from harness.core.base import SCHEMA_VERSION, Frozen
from harness.model.estimates import Null
from harness.model.numbers import Correlation, Count, Share, in_order
from harness.model.privacy import LeakProfile


class Attacker(StrEnum):
    """Attackers that look for the actor in the swapped video, and what with (docs/protocol.md)."""

    NAIVE = "naive"
    """A0: compares swapped faces with original ones."""
    PARROT = "parrot"
    """A1: passes the faces that are known through the same tool first."""
    INFORMED = "informed"
    """A2: as the parrot, with a recogniser that has learned from the gallery's swapped videos."""
    MOTION = "motion"
    """A4: looks at how the face moves, not at the face."""


class ProbeSource(StrEnum):
    """The detector of a face that an attacker embeds; the first of these in this order."""

    STUDY = "hog"
    """dlib's HOG detector, by which the study finds faces."""
    TRACKER = "tracker"
    """MediaPipe's face tracker."""
    SECOND_DETECTOR = "second-detector"
    """CenterFace."""


class Rate(Frozen):
    """A mean over actors, with a 95 % interval over actors; without a number, the reason."""

    rate: Share | None = None
    low: Share | None = None
    high: Share | None = None
    actors: Count = 0
    reason: str = ""
    """Reason for the lack of a number or an interval, as a sentence."""

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if not in_order(self.low, self.high):
            raise ValueError("an interval that ends before it begins")
        return self


class AtFar(Frozen):
    """The rate at which actors are found again (TAR) at a false accept rate.

    Each actor's threshold comes from the unmodified, non-mated pairs of all other actors.
    """

    far: Share
    tar: Rate
    threshold: float | None = None
    """Median over actors."""
    false_match_rate: Share | None = None
    """Share of these videos' own non-mated comparisons that match at these thresholds."""


class ActorRate(Frozen):
    """Share of one actor's probes that an attack gets right. A probe without a face counts as
    asked, and is never identified."""

    actor: int
    asked: Count
    probes: Count
    """Probes with a face that could be compared."""
    identified: Share
    """Share of the probes *asked* that are nearest to their own actor (0 to 1)."""
    advantage: Correlation
    """Mean over the probes asked of (right - chance) / (1 - chance): 0 at chance, 1 when always
    right. A probe without a face adds 0."""

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.probes > self.asked:
            raise ValueError("more probes are compared than were asked for")
        return self


ALPHA = 0.05
"""An attack works when a value like its own is at most so probable where nothing is left of the
actors."""


class Verification(Frozen):
    """One attacker on one kind of video: the swapped ones, or the originals alongside them."""

    actors: tuple[int, ...]
    """Actors with a probe and a place in the gallery."""
    probes: Count
    """Frames (or segments) that could be compared."""
    asked: Count
    tracker_probes: Count | None = None
    """Of ``probes``, those whose face the study's detector does not find and the tracker sees; None
    where probes do not differ by what sees them (motion, self-trained), or it is not known."""
    second_detector_probes: Count | None = None
    """Of ``probes``, those whose face only the second detector sees."""
    rank_1: Rate = Rate()
    """Closed-set identification: share of probes nearest to their own actor."""
    chance: Share | None = None
    """Rank-1 by chance: 1/N for a gallery of N (the mean, where galleries differ)."""
    rank_1_corrected: Correlation | None = None
    """(rank-1 - chance) / (1 - chance), of the probes that could be compared."""
    advantage: Correlation | None = None
    """Mean of ``by_actor``'s over *all* actors of the cohort; one who was not asked for adds 0."""
    cmc: tuple[Share, ...] = ()
    """Rates at rank 1, 2, ... of the whole gallery, at most ten."""
    identified: Count | None = None
    """Actors who are nearest to themselves by the mean distance of all their probes."""
    auc: Rate = Rate()
    eer: Share | None = None
    linkability: Share | None = None
    """D_sys (Gomez-Barrero et al. 2018). Above 0 by itself, the more so the fewer the actors: read
    it alongside ``Attack.linkability_null`` only."""
    linkability_low: Share | None = None
    linkability_high: Share | None = None
    """The ends of a 95 % interval over actors."""
    det: tuple[tuple[Share, Share], ...] = ()
    """FMR and FNMR, at most 60 points."""
    match_rate: Rate = Rate()
    """Share of mated comparisons at or under the fixed threshold, where there is one."""
    false_match_rate: Share | None = None
    """The same of non-mated comparisons."""
    at_far: tuple[AtFar, ...] = ()
    by_actor: tuple[ActorRate, ...] = ()
    """Every actor who was asked for, those without a usable probe too; actors ascending."""

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.probes > self.asked or not in_order(*self.cmc):
            raise ValueError(
                "more probes are compared than were asked for, or rates fall with the rank"
            )
        return self

    @property
    def fta(self) -> float:
        """Failure to acquire: share of the probes asked that could not be compared."""
        return 1.0 - self.probes / self.asked if self.asked else 1.0


class Attack(Frozen):
    """One attacker. ``swapped`` is None where nothing could be computed; ``reason`` says why."""

    attacker: Attacker
    source: str
    """Basis of the comparison: a recogniser, or a source of action units."""
    method: str
    """Gallery and probes, as a sentence."""
    swapped: Verification | None = None
    control: Verification | None = None
    """The same attack on the original videos."""
    threshold: float | None = None
    """The fixed one of ``match_rate``."""
    reason: str = ""
    notes: tuple[str, ...] = ()
    null: Null | None = None
    """Of ``advantage``, had this attack alone been tried; None where no two actors can change
    places."""
    best_null: Null | None = None
    """Of the largest advantage among all attacks of the cohort; its p is this attack's, adjusted
    for all that were tried."""
    linkability_null: Null | None = None
    """Of D_sys on swapped videos."""

    @property
    def advantage(self) -> float | None:
        """Share identified beyond chance of all probes asked in swapped videos, mean over actors;
        attackers are compared by it. Scores of an earlier version have that of the probes that
        could be compared."""
        verification = self.swapped
        if verification is None:
            return None
        return (
            verification.rank_1_corrected
            if verification.advantage is None
            else verification.advantage
        )

    @property
    def works(self) -> bool:
        """True when it identifies more than the best of all attacks would where nothing is left of
        the actors."""
        return self.best_null is not None and self.best_null.p <= ALPHA


class DetectionSplit(Frozen):
    """Fates of the frames, as mean shares over actors that add up to 1.

    Not detected is not hidden: the recogniser saw no face to compare.
    """

    actors: Count
    matched: Share
    hidden: Share
    """A face is found, and is not matched."""
    not_detected: Share
    detector: str | None = None
    """The second, independent detector, where it has looked."""
    still_a_face: Share | None = None
    """Of the frames that both looked at, the share where the recogniser finds no face and the
    second detector does."""


class CellLeaks(Frozen):
    """A cell's leaks at the threshold that was calibrated without its actor."""

    cell_id: str
    actor: int
    far: Share
    leaks: LeakProfile


class CohortScore(Frozen):
    """``scores/cohorts/<key>/<protocol>.json``: all cells of a selection that are alike in
    everything but actor and donor."""

    schema_version: int = SCHEMA_VERSION
    key: str
    """Hash of the cells, of what their scores were computed from, and of the method's version."""
    protocol: str
    label: str
    """``blur-1-default``, for people."""
    tool: str
    version: str
    config: str
    dataset: str
    cells: tuple[str, ...]
    """Ids, by actor and donor."""
    observations: dict[str, str] = {}
    """As a cell's score has them; empty in those of earlier versions."""
    actors: tuple[int, ...]
    impostor_pairs: Count
    """Pairs of different actors."""
    fmr_floor: Share | None = None
    """No lower FMR can be measured with these actors, one of them left out (rule of three)."""
    attacks: tuple[Attack, ...] = ()
    worst: int | None = None
    """Place in ``attacks`` of the one with the largest advantage; None where none has one. By its
    null it need not work at all."""
    worst_null: Null | None = None
    """Of the worst attack's advantage, as the largest of all attacks; None where no two actors can
    change places."""
    swapped_split: DetectionSplit | None = None
    original_split: DetectionSplit | None = None
    leaks: tuple[CellLeaks, ...] = ()
    notes: tuple[str, ...] = ()
    """Notes on what could not be computed and why, as sentences."""

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.worst is not None and not 0 <= self.worst < len(self.attacks):
            raise ValueError("the worst attack is not among the attacks")
        return self

    @property
    def worst_attack(self) -> Attack | None:
        """The attack for the headline."""
        return None if self.worst is None else self.attacks[self.worst]
