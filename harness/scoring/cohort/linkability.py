"""D_sys of a trial: its value, its interval over actors, and what it is when names are permuted.

D_sys (Gomez-Barrero et al., IEEE TIFS 13(6), 2018) compares histograms of mated and non-mated
distances. Where nothing is shared they differ by accident, and D_sys counts every difference in
one direction: it is above 0 by itself, the more so the fewer actors there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.scoring.biometrics import bins_of, linked
from harness.scoring.cohort.trials import Array, Probe, Trial
from harness.statistics.jackknife import jackknife_limits
from harness.statistics.permutations import Places


class Linkability(NamedTuple):
    """D_sys with a 95 % interval over actors; without limits where the actors cannot show any."""

    value: float
    low: float | None
    high: float | None


class _Block(NamedTuple):
    """Probes of one actor that are compared with the same faces, two or more."""

    actor: int
    faces: NDArray[np.intp]
    """Columns of the gallery."""
    counts: Array
    """Of the distances to each face, how many are in each bin (faces x bins)."""
    probes: int


def linkability_of(trial: Trial, edges: Array) -> Linkability:
    """D_sys of the actors who have a probe that is compared with their own face and another.

    Every actor weighs the same, and so does every probe of an actor; a probe's comparison with its
    own face weighs as much as all its others together. The interval leaves out each actor in turn,
    as probe and in the gallery. Raises ValueError without any such actor.
    """
    blocks, own = _blocks(trial, edges), _own_columns(trial)
    if not own:
        raise ValueError("nobody has a probe that is compared with the own face and another")
    value = _value(blocks, own)
    rest = [
        _value([left for b in blocks if (left := _without(b, actor, own[actor]))], own)
        for actor in own
    ]
    return Linkability(value, *jackknife_limits(value, np.array(rest)))


def permuted_linkability(trial: Trial, edges: Array, actors: Sequence[int], ways: Places) -> Array:
    """D_sys for each way to permute names among actors who are compared alike; row r of ``ways``
    says whose name, as a place in ``actors``, each of these has.
    """
    own = _own_columns(trial)
    columns = np.array([own.get(actor, 0) for actor in actors])
    blocks = _blocks(trial, edges)
    same, other = np.zeros((2, len(ways), len(edges) - 1))
    for actor in own:
        mated, rest = _any_own([b for b in blocks if b.actor == actor], len(trial.gallery))
        faces = columns[ways[:, actors.index(actor)]]
        same += mated[faces]
        other += rest[faces]
    return linked(same / len(own), other / len(own))


def _own_columns(trial: Trial) -> dict[int, int]:
    """The actors who can be linked, and the column of each one's own face."""
    return {
        probe.actor: trial.gallery.index(probe.actor)
        for probe in trial.scored()
        if (np.isfinite(probe.distances).sum(axis=1) > 1).any()
    }


def _blocks(trial: Trial, edges: Array) -> list[_Block]:
    return [block for probe in trial.scored() for block in _blocks_of(probe, edges)]


def _blocks_of(probe: Probe, edges: Array) -> list[_Block]:
    kinds, kind_of = np.unique(np.isfinite(probe.distances), axis=0, return_inverse=True)
    bins, blocks = len(edges) - 1, []
    for number, kind in enumerate(kinds):
        faces = np.flatnonzero(kind)
        if len(faces) < 2:
            continue
        rows = probe.distances[kind_of.ravel() == number][:, faces]
        places = bins_of(rows, edges) + bins * np.arange(len(faces))
        counts = np.bincount(places.ravel(), minlength=bins * len(faces)).astype(np.float64)
        blocks.append(_Block(probe.actor, faces, counts.reshape(-1, bins), len(rows)))
    return blocks


def _without(block: _Block, actor: int, face: int) -> _Block | None:
    """The block as if the actor had not taken part; None where nothing is left of it."""
    kept = block.faces != face
    if block.actor == actor or kept.sum() < 2:
        return None
    return block._replace(faces=block.faces[kept], counts=block.counts[kept])


def _value(blocks: Sequence[_Block], own: Mapping[int, int]) -> float:
    """D_sys, everybody by the own name; NaN without blocks."""
    people: dict[int, list[_Block]] = {}
    for block in blocks:
        people.setdefault(block.actor, []).append(block)
    if not people:
        return float("nan")
    shares = [_shares(parts, own[actor]) for actor, parts in people.items()]
    same, other = np.mean(shares, axis=0)
    return float(linked(same, other))


def _shares(blocks: Sequence[_Block], face: int) -> Array:
    """(2, bins): of one actor's probes, the shares of distances to ``face`` and to the others."""
    total = np.zeros((2, blocks[0].counts.shape[1]))
    for block in blocks:
        mated = block.counts[block.faces == face][0]
        total += mated, (block.counts.sum(axis=0) - mated) / (len(block.faces) - 1)
    shares: Array = total / sum(block.probes for block in blocks)
    return shares


def _any_own(blocks: Sequence[_Block], width: int) -> Array:
    """(2, width, bins): ``_shares`` for each face of the gallery; 0 for one that some of the blocks
    are not compared with."""
    shares = np.zeros((2, width, blocks[0].counts.shape[1]))
    for face in range(width):
        if all(face in block.faces for block in blocks):
            shares[:, face] = _shares(blocks, face)
    return shares
