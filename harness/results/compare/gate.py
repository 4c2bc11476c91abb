"""Single people who are recognised in the candidate and were hidden in the baseline.

A mean over actors says little of one of them: two of 24 who are fully recognised move it less than
its margin can show. So every actor is looked at alone. What an actor must exceed is what noise
explains: ``explained`` bounds how far frames move from run to run without a change, at a level that
is shared by all actors (Bonferroni) and both routes.

* **Nearer.** The frames in which the actor is recognised are nearer to his or her own face than as
  many nearest frames of the baseline, by more than noise moves such frames. Distances move alike
  for all actors, recognised shares do not: an actor about the threshold may go from 0 to 100 % by
  nothing but a new seed, and that shift of the distance is what the noise explains.
* **Found.** A face is found in more frames, and the actor is recognised in more frames, than the
  sampling of frames explains (differences of arcsines of the shares). It catches actors who
  had no face before, and so no distance.

How often a comparison without a change names somebody: ``python -m benchmarks.simulations.gate``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from harness.model.compare import ActorCrossing, ActorGate, ActorRise, NoiseSource, Route
from harness.results.compare.runs import ActorRuns, Run, pooled
from harness.statistics.noise import RunNoise, run_noise
from harness.statistics.values import Array

ALPHA = 0.02
LEAST_DEGREES = 4
"""Of freedom, from which repeated seeds say how large the noise is."""
LEAST_ACTORS = 12
"""With fewer, the spread over actors says too little of the noise."""
STATED_SD = 0.06
"""Of an actor's mean distance from run to run, where nothing can be estimated: several times what
trained tools showed, and more than deterministic ones can have."""
STATED_FRAME_SD = 0.08
"""At least, of the distances within a video."""
LEAST_SD = 0.01
"""Under which no noise is believed in."""
CORRELATION = 0.98
"""Of neighbouring sampled frames (AR(1)): 400 of them carry as much as 5 independent ones."""
LEAST_FRAMES = 6.0
"""Independent frames that a video counts for at least when faces are counted: both sides show the
same frames, so most of what is lost by chance is lost on both."""
_LEAST_FOUND = 0.1
"""Share of frames with a face under which a video has too few distances to be compared by them."""
_CUT = 2.0
"""Robust standard deviations from the median, beyond which an actor's shift is no noise."""
_SD_OF_MAD = 1.4826
_SD_OF_KEPT = 1.137
"""Standard deviation of normal values over that of those within the cut."""
_EFFICIENCY = 0.35
"""Degrees of freedom of this spread over n - 1: of normal values the largest of 12 to 24 over their
spread has the quantiles of Student's t with 0.38 to 0.41 of n - 1 (by simulation); the nearest
frames of a video are not quite normal."""


@dataclass(frozen=True)
class _Bound:
    """The part of the shift of an actor's nearest frames that noise explains."""

    source: NoiseSource
    actors: Sequence[ActorRuns]
    level: float
    """One-sided, for one actor and one route."""

    def sd(self, actor: ActorRuns, share: float) -> float:
        """From run to run, of the mean distance of the nearest ``share`` of an actor's frames."""
        if self.source is NoiseSource.SEEDS:
            return max(self._others(actor, share).sd or 0.0, LEAST_SD)
        if self.source is NoiseSource.ACTORS:
            shifts = [s for other in self.actors if (s := _shift(other, share)) is not None]
            return max(_spread(np.array(shifts)) / float(np.sqrt(2)), LEAST_SD)
        # A short video shows less of its spread than there is.
        known = actor.before.known
        frame_sd = max(float(known.std()) if known.size else 0.0, STATED_FRAME_SD)
        return float(np.hypot(STATED_SD, frame_sd / np.sqrt(independent(actor.before.asked))))

    def explained(self, actor: ActorRuns, share: float) -> float:
        """Of actors' spread, and of what an actor's own seeds show beyond the others', never more
        than the stated bound: half of the actors who leak, or one seed of an actor's that leaks,
        would pass for noise."""
        if self.source is NoiseSource.SEEDS:
            return self._explained_by_seeds(actor, share)
        own = self.quantile * self.sd(actor, share) * float(np.sqrt(2))
        if self.source is NoiseSource.STATED:
            return own
        return min(own, self._stated.explained(actor, share))

    def _explained_by_seeds(self, actor: ActorRuns, share: float) -> float:
        from scipy import special

        others = self._others(actor, share)
        runs = min(len(donor) for donor in actor.baseline.values())
        widest = float(special.stdtrit(others.degrees, 1 - self.level) * np.sqrt(2 / runs))
        # An actor who is noisier than the others is held against his or her own noise.
        own = widest * (run_noise(_repeats([actor], share)).sd or 0.0)
        common = widest * max(others.sd or 0.0, LEAST_SD)
        return max(common, min(own, self._stated.explained(actor, share)))

    def _others(self, actor: ActorRuns, share: float) -> RunNoise:
        """Repeated seeds of the other actors, or of all where these are too few."""
        rest = run_noise(_repeats([one for one in self.actors if one is not actor], share))
        enough = rest.degrees >= LEAST_DEGREES
        return rest if enough else run_noise(_repeats(self.actors, share))

    @cached_property
    def _stated(self) -> _Bound:
        return replace(self, source=NoiseSource.STATED)

    @cached_property
    def quantile(self) -> float:
        """Of the noise without repeated seeds."""
        from scipy import special

        if self.source is NoiseSource.STATED:
            return float(special.ndtri(1 - self.level))
        degrees = _EFFICIENCY * (sum(map(_has_distances, self.actors)) - 1)
        return float(special.stdtrit(degrees, 1 - self.level))


def actor_gate(
    actors: Sequence[ActorRuns], *, margin: float, threshold: str, alpha: float = ALPHA
) -> ActorGate:
    """Every actor against what noise explains, in the order given. ``actors`` must not be empty."""
    bound = _Bound(noise_source(actors), actors, alpha / 2 / len(actors))
    flipped = [ActorRuns(actor.actor, actor.candidate, actor.baseline) for actor in actors]
    back = _Bound(bound.source, flipped, bound.level)
    # Of the spread over actors there is one for all.
    asked = actors[:1] if bound.source is NoiseSource.ACTORS else actors
    sd = max(bound.sd(actor, 1.0) for actor in asked)
    crossed = tuple(found for actor in actors if (found := _crossing(actor, bound, margin)))
    return ActorGate(
        alpha=alpha,
        margin=margin,
        threshold=threshold,
        noise=bound.source,
        noise_sd=sd,
        basis=_basis(bound, sd, alpha),
        crossed=crossed,
        within_noise=_within_noise(actors, {each.actor for each in crossed}, margin),
        hidden=tuple(crossing for actor in flipped if (crossing := _hidden(actor, back, margin))),
    )


def noise_source(actors: Sequence[ActorRuns]) -> NoiseSource:
    """Source of the noise; how many runs and actors there are decides, never their numbers."""
    if degrees_of(actors) >= LEAST_DEGREES:
        return NoiseSource.SEEDS
    known = sum(map(_has_distances, actors))
    return NoiseSource.ACTORS if known >= LEAST_ACTORS else NoiseSource.STATED


def degrees_of(actors: Sequence[ActorRuns]) -> int:
    """Degrees of freedom of repeated seeds."""
    return run_noise(_repeats(actors, 1.0)).degrees


def independent(frames: int) -> float:
    """The number of independent frames that carry as much as ``frames`` neighbouring ones: the
    variance of one over that of their mean, of an AR(1) series.
    """
    if frames < 1:
        return 1.0
    k = np.arange(1, frames)
    shared = 1 + 2 * float(((1 - k / frames) * CORRELATION**k).sum())
    return frames / shared


def _crossing(actor: ActorRuns, bound: _Bound, margin: float) -> ActorCrossing | None:
    before, after = actor.before.recognised, actor.after.recognised
    if after - before <= margin:
        return None
    for route, moved, explained in _routes(actor, bound):
        if moved > explained:
            return ActorCrossing(
                actor=actor.actor,
                baseline=before,
                candidate=after,
                route=route,
                moved=moved,
                explained=explained,
                sentence=_sentence(actor, route, moved, explained),
            )
    return None


def _within_noise(
    actors: Sequence[ActorRuns], crossed: Collection[int], margin: float
) -> tuple[ActorRise, ...]:
    rises = [
        ActorRise(
            actor=actor.actor,
            baseline=actor.before.recognised,
            candidate=actor.after.recognised,
        )
        for actor in actors
        if actor.actor not in crossed and actor.after.recognised - actor.before.recognised > margin
    ]
    return tuple(sorted(rises, key=lambda rise: rise.baseline - rise.candidate))


def _hidden(flipped: ActorRuns, bound: _Bound, margin: float) -> ActorCrossing | None:
    crossing = _crossing(flipped, bound, margin)
    if crossing is None:
        return None
    before, after = crossing.candidate, crossing.baseline
    sentence = f"recognised in {_percent(after)} of the frames, {_percent(before)} before"
    return crossing.model_copy(
        update={"baseline": before, "candidate": after, "sentence": sentence}
    )


def _routes(actor: ActorRuns, bound: _Bound) -> Iterator[tuple[Route, float, float]]:
    share = actor.after.recognised
    shift = _shift(actor, share)
    if shift is not None:
        yield Route.NEARER, shift, bound.explained(actor, share)
    reach = _sampled(actor, bound.level)
    # Faces that are found and not recognised are no leak, however many there are.
    if actor.after.recognised > _most(actor.before.recognised, reach):
        before, after = actor.before.found, actor.after.found
        yield Route.FOUND, after - before, _most(before, reach) - before


def _sampled(actor: ActorRuns, level: float) -> float:
    """The part of a difference of arcsines of shares of frames that sampling explains."""
    from scipy import special

    frames = max(LEAST_FRAMES, independent(min(actor.before.asked, actor.after.asked)))
    return float(special.ndtri(1 - level)) * float(np.sqrt(2 / frames))


def _most(share: float, reach: float) -> float:
    """The largest share that is no more than ``reach`` above another one."""
    angle = 2 * np.arcsin(np.sqrt(min(1.0, share))) + reach
    return float(np.sin(min(angle, np.pi) / 2) ** 2)


def _spread(shifts: Array) -> float:
    """Standard deviation of the shifts without those of a minority that leaks: what lies within
    the cut by the median absolute deviation counts (Rousseeuw & Leroy 1987, one step)."""
    off = np.abs(shifts - np.median(shifts))
    kept = shifts[off <= _CUT * _SD_OF_MAD * np.median(off)]
    return _SD_OF_KEPT * float(kept.std(ddof=1)) if kept.size > 1 else 0.0


def _has_distances(actor: ActorRuns) -> bool:
    sides = actor.before, actor.after
    return all(side.found >= _LEAST_FOUND and side.known.size > 0 for side in sides)


def _shift(actor: ActorRuns, share: float) -> float | None:
    """Shift by which the candidate's nearest ``share`` of frames is nearer; None without faces."""
    if not _has_distances(actor):
        return None
    before, after = actor.before.nearest(share), actor.after.nearest(share)
    return None if before is None or after is None else before - after


def _repeats(actors: Sequence[ActorRuns], share: float) -> Iterator[list[float]]:
    """The nearest frames of runs that are alike but for their seed, group by group."""
    for actor in actors:
        for side in (actor.baseline, actor.candidate):
            for runs in side.values():
                yield _known(runs, share)


def _known(runs: Sequence[Run], share: float) -> list[float]:
    return [
        mean
        for run in runs
        if run.found >= _LEAST_FOUND and (mean := pooled([run]).nearest(share)) is not None
    ]


def _sentence(actor: ActorRuns, route: Route, moved: float, explained: float) -> str:
    seen = (
        f"recognised in {_percent(actor.after.recognised)} of the frames, "
        f"{_percent(actor.before.recognised)} before; "
    )
    if route is Route.NEARER:
        return (
            f"{seen}these frames are {moved:z.3f} nearer to the actor's face than as many were, "
            f"and noise explains {explained:.3f}"
        )
    return (
        f"{seen}a face is found in {_percent(actor.after.found)} of the frames instead of "
        f"{_percent(actor.before.found)}, and noise explains "
        f"{_percent(actor.before.found + explained)}"
    )


def _basis(bound: _Bound, sd: float, alpha: float) -> str:
    n = len(bound.actors)
    shared = f"{100 * alpha:g} % shared by {n} actor{'s' if n != 1 else ''} and two routes"
    if bound.source is NoiseSource.SEEDS:
        how = (
            f"repeated seeds ({degrees_of(bound.actors)} degrees of freedom): a run moves an "
            f"actor's mean distance by a standard deviation of {sd:.3f}"
        )
    elif bound.source is NoiseSource.ACTORS:
        how = (
            "the spread over actors (outliers left out), as there are too few repeated "
            f"seeds: a run moves an actor's mean distance by a standard deviation of {sd:.3f}; at "
            f"most by a stated one of {STATED_SD:g} and the sampling of neighbouring frames"
        )
    else:
        how = (
            f"a stated bound, as there are too few repeated seeds and fewer than {LEAST_ACTORS} "
            f"actors: a standard deviation of {STATED_SD:g} from run to run and the sampling of "
            f"neighbouring frames, together up to {sd:.3f}; a noisier tool needs repeated seeds"
        )
    return f"Noise is taken from {how}. False alarms: {shared}."


def _percent(share: float) -> str:
    return f"{100 * min(1.0, share):.0f} %"


def runs_by_donor(runs: Sequence[tuple[str, Run]]) -> Mapping[str, Sequence[Run]]:
    """Runs in the order given, by the name of their donor."""
    by_donor: dict[str, list[Run]] = {}
    for donor, run in runs:
        by_donor.setdefault(donor, []).append(run)
    return by_donor
