"""In what two cells of a pair differ besides what is compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.model.compare import Difference
from harness.model.verdict import Aspect
from harness.results.compare.gather import Cell

_OF_THE_VIDEOS = {"original", "swapped", "reference", "donor"}
"""Inputs of a score that are no part of the scorer."""
_OF_BROUGHT_FILES = ("_original", "_swapped", "_floor")
"""Nor are the files that outside observers wrote of its videos: ``<source>_original``, ..."""


def differences(
    pairs: Sequence[tuple[Cell, Cell]], accepted: Collection[Aspect]
) -> tuple[list[Difference], list[str]]:
    """(what differs, aspect by aspect; notes on what differs without harm)."""
    differing: list[Difference] = []
    for aspect, compare in _COMPARED_BY.items():
        sentences = [sentence for pair in pairs if (sentence := compare(*pair))]
        if sentences:
            more = f" (and {len(sentences) - 1} more pairs)" if len(sentences) > 1 else ""
            differing.append(
                Difference(
                    aspect=aspect,
                    sentence=f"{sentences[0]}{more}.",
                    pairs=len(sentences),
                    accepted=aspect in accepted,
                )
            )
    notes = []
    if not any(difference.aspect is Aspect.HARDWARE for difference in differing):
        hosts = [sorted({pair[side].host for pair in pairs} - {""}) for side in (0, 1)]
        if hosts[0] != hosts[1] and all(hosts):
            notes.append(
                f"The sides ran on different machines ({', '.join(hosts[0])}; "
                f"{', '.join(hosts[1])}). No tool trained against the clock, so this is no reason "
                "for other scores."
            )
    return differing, notes


def _who(cell: Cell) -> str:
    donor = f" with donor {cell.spec.donor.name}" if cell.spec.donor else ""
    return f"actor {cell.spec.actor.number}{donor}"


def _dataset(a: Cell, b: Cell) -> str:
    if a.spec.dataset != b.spec.dataset:
        return f"The baseline is of the dataset {a.spec.dataset}, the candidate of {b.spec.dataset}"
    for name, first, second in (
        ("test video", a.spec.actor.test, b.spec.actor.test),
        ("reference face", a.spec.actor.reference, b.spec.actor.reference),
        ("training video", a.spec.actor.training, b.spec.actor.training),
    ):
        # Tools that train on nothing have no training video.
        if first and second and first.sha256 != second.sha256:
            return f"The {name} of {_who(a)} is not the same file on both sides"
    first_donor, second_donor = a.spec.donor, b.spec.donor
    if first_donor and second_donor and first_donor.reference != second_donor.reference:
        return f"The donor's face of {_who(a)} is not the same file on both sides"
    return ""


def _scorer(a: Cell, b: Cell) -> str:
    ours, theirs = (
        {
            k: v
            for k, v in cell.score.inputs.items()
            if k not in _OF_THE_VIDEOS and not k.endswith(_OF_BROUGHT_FILES)
        }
        for cell in (a, b)
    )
    if a.score.identity.recogniser != b.score.identity.recogniser:
        return (
            f"The recogniser is {a.score.identity.recogniser} in the baseline and "
            f"{b.score.identity.recogniser} in the candidate"
        )
    if a.score.identity.threshold != b.score.identity.threshold:
        return (
            f"The threshold is {a.score.identity.threshold:g} in the baseline and "
            f"{b.score.identity.threshold:g} in the candidate"
        )
    for name in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(name, "missing"), theirs.get(name, "missing")
        if mine != other:
            return (
                f"The scorer's part '{name}' is {mine[:24]} in the baseline and {other[:24]} in "
                "the candidate; `bench score` scores both sides alike"
            )
    return ""


def _limits(a: Cell, b: Cell) -> str:
    ours, theirs = a.spec.limits.model_dump(), b.spec.limits.model_dump()
    for name, value in ours.items():
        # How much of a log is kept changes no video.
        if name != "log_bytes" and value != theirs[name]:
            return (
                f"The limit {name} is {_spell(value)} in the baseline and {_spell(theirs[name])} "
                "in the candidate"
            )
    return ""


def _hardware(a: Cell, b: Cell) -> str:
    """Only where speed can change the result: a training that the clock ends."""
    if not (a.clocked or b.clocked):
        return ""
    if not a.host or not b.host or a.host == b.host:
        return ""
    return (
        f"{_who(a).capitalize()} was trained on {a.host} in the baseline and on {b.host} in the "
        "candidate, without a set number of iterations: the faster machine trains more"
    )


def _spell(value: float | int | None) -> str:
    return "none" if value is None else f"{value:g}"


_COMPARED_BY = {
    Aspect.DATASET: _dataset,
    Aspect.SCORER: _scorer,
    Aspect.LIMITS: _limits,
    Aspect.HARDWARE: _hardware,
}
