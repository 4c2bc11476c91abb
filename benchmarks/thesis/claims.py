"""The study's claims, decided on runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.thesis import rules
from benchmarks.thesis.load import shipped
from benchmarks.thesis.model import Value
from benchmarks.thesis.rules import Outcome, Rule
from benchmarks.thesis.runs import Runs
from harness.core.base import Frozen
from harness.core.errors import UsageError, unknown_name
from harness.core.yaml_files import read_yaml

RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        rules.in_order,
        rules.better_than_all,
        rules.worse_than_all,
        rules.least_spread,
        rules.lowest_actors,
        rules.lowest_units,
        rules.on_one_side,
        rules.only_these_hide_everybody,
        rules.no_effect_of_the_donors_sex,
        rules.reach_moves,
        rules.tools_differ,
    )
}
"""By the names that ``claims.yaml`` uses."""


class Claim(Frozen):
    id: str
    section: str
    says: str
    rule: str
    about: dict[str, Value] = {}


class ClaimsFile(Frozen):
    """``claims.yaml``."""

    claims: tuple[Claim, ...]


class DecidedClaim(Frozen):
    id: str
    section: str
    says: str
    outcome: Outcome
    why: str


def load_claims(folder: Path | None = None) -> tuple[Claim, ...]:
    """All claims. Raises UsageError with line and field."""
    return read_yaml((folder or shipped()) / "claims.yaml", ClaimsFile, "list of claims").claims


def decide(claims: tuple[Claim, ...], runs: Runs) -> tuple[DecidedClaim, ...]:
    """A verdict for each claim. Raises UsageError for a rule that is unknown or does not fit."""
    return tuple(_decide(claim, runs) for claim in claims)


def _decide(claim: Claim, runs: Runs) -> DecidedClaim:
    if claim.rule not in RULES:
        raise unknown_name("rule", claim.rule, RULES, see="benchmarks/thesis/README.md")
    try:
        decided = RULES[claim.rule](runs, **claim.about)
    except (TypeError, KeyError) as error:
        raise UsageError(
            f"The rule '{claim.rule}' does not fit the claim {claim.id}: {error!r}.",
            hint="Correct the claim's `about` in claims.yaml.",
        ) from error
    fields = claim.model_dump(include={"id", "section", "says"})
    return DecidedClaim(**fields, outcome=decided.outcome, why=decided.why)
