"""Findings of a comparison of two tools, versions or configs."""

from __future__ import annotations

from enum import StrEnum

from harness.core.base import SCHEMA_VERSION, Frozen
from harness.model.estimates import Equivalence, PairedComparison
from harness.model.verdict import Aspect, Verdict


class Family(StrEnum):
    """Metrics whose p-values are adjusted together."""

    STUDY = "privacy and expression"
    """Metrics that the study measures: they decide whether versions are alike."""
    VIEWER = "behaviour and video quality"
    """Metrics of what else a viewer sees: they can raise an alarm, and are described otherwise."""


class Difference(Frozen):
    """An aspect in which the two sides differ."""

    aspect: Aspect
    sentence: str
    pairs: int
    """In how many pairs of cells."""
    accepted: bool = False
    """True when the user said to compare all the same."""


class Side(Frozen):
    """One side: which cells were meant, and what became of them."""

    selector: str
    label: str
    """Tool, version, config and settings, as far as they distinguish the two sides."""
    cells: int
    scored: int
    """Cells whose score is used, where the other side has its partner."""
    failed: tuple[str, ...] = ()
    """Slugs of cells without a result."""
    unscored: tuple[str, ...] = ()
    """Slugs of cells with a result but no score of the protocol."""
    damaged: tuple[str, ...] = ()
    """Slugs of cells whose video is not the one that was published: reported and not used."""
    replaced: tuple[str, ...] = ()
    """Slugs of cells of an earlier manifest or image: reported and not used."""
    unprepared: tuple[str, ...] = ()
    """Names of cells that were asked for and could not be prepared."""
    hosts: tuple[str, ...] = ()


class ActorDifference(Frozen):
    """One actor: both values are means over donors (and seeds)."""

    actor: int
    pairs: int
    baseline: float
    candidate: float


class NoiseSource(StrEnum):
    """Source of how far an actor's frames move from run to run without a change."""

    SEEDS = "repeated seeds"
    ACTORS = "the spread over actors"
    STATED = "a stated bound"


class Route(StrEnum):
    """The way in which an actor who was hidden is recognised."""

    NEARER = "nearer"
    """The face has come nearer to the actor's own."""
    FOUND = "found"
    """A face is found where there was none."""


class ActorCrossing(Frozen):
    """One actor who is recognised in more frames than noise explains."""

    actor: int
    baseline: float
    """Share of all sampled frames in which the actor is recognised (0 to 1)."""
    candidate: float
    route: Route
    moved: float
    """``nearer``: how much nearer (L2) the recognised frames are than as many nearest frames of the
    baseline. ``found``: by how much the share of frames with a face has grown."""
    explained: float
    """The part of ``moved`` that noise explains."""
    sentence: str


class ActorRise(Frozen):
    """One actor who is recognised in more frames than before, but no more than noise explains."""

    actor: int
    baseline: float
    """Share of all sampled frames in which the actor is recognised (0 to 1)."""
    candidate: float


class ActorGate(Frozen):
    """Every single actor, alongside the tests of means."""

    alpha: float
    """The chance that a comparison without a change names anybody."""
    margin: float
    """The least rise of the recognised share that matters."""
    threshold: str
    """Under which a frame counts as recognised, as a phrase."""
    noise: NoiseSource
    noise_sd: float
    """From run to run, of one actor's mean distance (L2); of ``a stated bound`` the largest over
    the actors."""
    basis: str
    """The noise that was assumed, as a sentence."""
    crossed: tuple[ActorCrossing, ...] = ()
    """Actors who are recognised now and were hidden: a regression by itself."""
    within_noise: tuple[ActorRise, ...] = ()
    """Actors whose recognised share has risen by more than the margin, but not beyond noise; the
    largest rise first. Information, no verdict."""
    hidden: tuple[ActorCrossing, ...] = ()
    """The same with the sides exchanged: who is hidden now. Information, no verdict."""


class MetricResult(Frozen):
    """One metric on both sides. ``comparison`` is candidate minus baseline, over actors."""

    key: str
    title: str
    source: str = ""
    """Of action units: which observer they come from."""
    higher_is_better: bool
    family: Family = Family.STUDY
    margin: float
    """The least shift that matters in practice, in the metric's own unit."""
    digits: int = 3
    baseline: float | None = None
    candidate: float | None = None
    actors: tuple[ActorDifference, ...] = ()
    comparison: PairedComparison | None = None
    equivalence: Equivalence | None = None
    test: str = ""
    """The test that p is from: sign-flip, or t where so few actors cannot reach alpha."""
    p: float | None = None
    p_adjusted: float | None = None
    """After Holm over the metrics of the family that were compared, and for its share of alpha."""
    level: float | None = None
    """The p at which the first step of Holm calls it significant: the family's share of alpha over
    its metrics."""
    detectable: float | None = None
    """Least true shift that these actors find with 80 % power by ``test`` at ``level``."""
    privacy: bool = False
    """True when it says how well people are hidden."""
    hides_less: bool = False
    """True when a metric of privacy is worse beyond its margin by its point estimate."""
    largest: float | None = None
    """The largest shift there can be; None without a limit."""
    whole: float | None = None
    """The largest shift there can be, where one that is alike for every actor needs no test."""
    verdict: Verdict
    reason: str
    """A sentence."""


class CompareResult(Frozen):
    """Results that ``bench compare`` reports."""

    schema_version: int = SCHEMA_VERSION
    protocol: str
    baseline: Side
    candidate: Side
    actors: tuple[int, ...]
    pairs: int
    """Pairs of cells: the same actor, donor and seed on both sides."""
    alpha: float
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    """Notes that a reader must know and that change no verdict."""
    metrics: tuple[MetricResult, ...]
    gate: ActorGate | None = None
    """None where nothing may be compared."""
    verdict: Verdict
    """One regressed metric or one actor who is recognised makes the whole regressed; else the worst
    of the study's family. Never improved while a metric of privacy ``hides_less``."""
