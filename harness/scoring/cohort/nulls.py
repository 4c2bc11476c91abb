"""Nulls of attacks, by permuted names: their results where nothing is left of the actors; pure.

A name says whose face an enrolled one is. Names change places among actors whom all attacks compare
alike, and in all attacks at once: what these have in common stays, and the best of several attacks
has a null of its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness.model.estimates import Null
from harness.scoring.cohort.linkability import permuted_linkability
from harness.scoring.cohort.rates import LEAST_FOR_LINKABILITY, credits_of
from harness.scoring.cohort.trials import Array, Member, Trial, by_actor
from harness.statistics.permutations import Places, arrangements, null_of, permuted_means


class Nulls(NamedTuple):
    """Of one attack; None where no two actors can change places."""

    own: Null | None
    """Of its advantage."""
    best: Null | None
    """Of the largest advantage among all attacks; its p is that of this attack's advantage."""
    linkability: Null | None
    """Of D_sys; None with too few actors for it as well."""


def nulls_of(trials: Sequence[tuple[Trial, Array]], members: Sequence[Member]) -> tuple[Nulls, ...]:
    """Of attacks on swapped videos, each with the bins of its D_sys."""
    actors = tuple(by_actor(members))
    ways = arrangements(_kinds([trial for trial, _ in trials], members))
    if not trials or not len(ways):
        return tuple(Nulls(None, None, None) for _ in trials)
    tables = [_advantages(trial, actors) for trial, _ in trials]
    draws = [permuted_means(table, ways) for table in tables]
    best = np.max(draws, axis=0)
    return tuple(
        Nulls(
            own=null_of(observed := float(np.diag(table).mean()), values),
            best=null_of(observed, best),
            linkability=_linkability(trial, edges, actors, ways),
        )
        for (trial, edges), table, values in zip(trials, tables, draws, strict=True)
    )


def _linkability(trial: Trial, edges: Array, actors: Sequence[int], ways: Places) -> Null | None:
    if len(trial.scored()) < LEAST_FOR_LINKABILITY:
        return None
    identity = np.arange(len(actors))[None]
    (observed,) = permuted_linkability(trial, edges, actors, identity)
    return null_of(float(observed), permuted_linkability(trial, edges, actors, ways))


def _advantages(trial: Trial, actors: Sequence[int]) -> Array:
    """(actors, actors): the advantage over an actor's probes, were another's face the own one."""
    table = np.zeros((len(actors), len(actors)))
    columns = {actor: place for place, actor in enumerate(trial.gallery)}
    scored = {probe.actor for probe in trial.scored()}
    faces = [place for place, actor in enumerate(actors) if actor in columns]
    for probe in trial.probes:
        if probe.actor in scored:
            advantage = credits_of(probe).advantage
            table[actors.index(probe.actor), faces] = advantage[[columns[actors[f]] for f in faces]]
    return table


def _kinds(trials: Sequence[Trial], members: Sequence[Member]) -> list[Hashable]:
    """Of each actor, what must be the same in two who change places: their donors, whether each
    attack has probes of them, and with whose probes their face is compared.
    """
    donors = _donors(members)
    seen = [_comparisons(trial) for trial in trials]
    return [(donors[actor], *(kinds.get(actor) for kinds in seen)) for actor in donors]


def _comparisons(trial: Trial) -> dict[int, Hashable]:
    """Scored actors only."""
    rows = np.concatenate([np.isfinite(probe.distances) for probe in trial.probes])
    return {p.actor: rows[:, trial.gallery.index(p.actor)].tobytes() for p in trial.scored()}


def _donors(members: Sequence[Member]) -> Mapping[int, frozenset[str | None] | None]:
    """Each actor's donors; None for all where no two actors have the same, and so no attack can
    compare those behind one donor."""
    donors = {
        actor: frozenset(member.donor for member in own) for actor, own in by_actor(members).items()
    }
    if len(set(donors.values())) == len(donors):
        return dict.fromkeys(donors)
    return donors
