"""A comparison for people: sentences, a table for a terminal, Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.compare import CompareResult, Family, MetricResult, Side
from harness.model.verdict import Verdict

HEADER = ("metric", "baseline", "candidate", "shift", "95 % interval", "p (Holm)", "verdict")
_MARK = {
    Verdict.REGRESSED: "**regressed**",
    Verdict.IMPROVED: "**improved**",
}
_MOST_NAMES = 3


def headline(result: CompareResult) -> str:
    """One sentence: what was compared, and the verdict."""
    worst = [one for one in result.metrics if one.verdict is result.verdict]
    names = ", ".join(title(one) for one in worst)
    viewer = (one for one in result.metrics if one.family is Family.VIEWER)
    still = ", ".join(title(one) for one in viewer if one.verdict is Verdict.INCONCLUSIVE)
    said = {
        Verdict.REGRESSED: f"regressed in {names}",
        Verdict.IMPROVED: f"improved in {names}",
        Verdict.UNCHANGED: "unchanged: equivalence is shown for all of privacy and expression that "
        "could be compared" + (f"; open: {still}" if still else ""),
        Verdict.INCONCLUSIVE: "inconclusive: neither a change nor equivalence is shown everywhere",
        Verdict.NOT_COMPARABLE: "not comparable",
    }[result.verdict]
    return f"{result.candidate.label} against {result.baseline.label}: {said}."


def basis(result: CompareResult) -> str:
    """On what the comparison rests."""
    actors, pairs = len(result.actors), result.pairs
    return (
        f"Protocol {result.protocol}, {actors} actor{'s' if actors != 1 else ''}, {pairs} "
        f"pair{'s' if pairs != 1 else ''} of cells; the actor is the unit, several donors of one "
        "actor are averaged first."
    )


def coverage(name: str, side: Side) -> str:
    """What became of one side's cells."""
    parts = [f"{name} {side.label}: {side.scored} of {side.cells} cells scored"]
    for slugs, what in (
        (side.failed, "without a result"),
        (side.unscored, "not scored with this protocol (`bench score`)"),
        (side.damaged, "whose video or original is not the one that was published, so not used"),
        (side.replaced, "of an earlier manifest or image, so not used"),
    ):
        if slugs:
            more = f" and {len(slugs) - _MOST_NAMES} more" if len(slugs) > _MOST_NAMES else ""
            parts.append(f"{len(slugs)} {what}: {', '.join(slugs[:_MOST_NAMES])}{more}")
    return "; ".join(parts) + "."


def title(one: MetricResult) -> str:
    """The metric's title, with the source of action units."""
    return f"{one.title} ({one.source})" if one.source else one.title


def row(one: MetricResult) -> tuple[str, ...]:
    """A metric's numbers as text, in the order of ``HEADER``."""
    c = one.comparison
    interval = c.interval if c else None
    return (
        title(one),
        number(one.baseline, one.digits),
        number(one.candidate, one.digits),
        number(c.mean_difference if c else None, one.digits, signed=True),
        span(interval.low, interval.high, one.digits) if interval else "-",
        probability(one),
        one.verdict.value,
    )


def effect(one: MetricResult) -> str:
    """Size of the effect: dz, rank-biserial correlation, actors in each direction."""
    c = one.comparison
    if c is None or c.n < 2 or c.ties == c.n:
        return ""
    parts = []
    if c.dz is not None:
        parts.append(f"dz {c.dz:+.2f}")
    if c.rank_biserial is not None:
        parts.append(f"rank-biserial {c.rank_biserial:+.2f}")
    parts.append(f"larger for {c.wins} of {c.n} actors, smaller for {c.losses}")
    if c.wilcoxon.p is not None:
        parts.append(f"Wilcoxon p {c.wilcoxon.p:.3g}")
    return ", ".join(parts)


def probability(one: MetricResult) -> str:
    """p after Holm; or that the actors are too few for one."""
    if one.p_adjusted is None:
        return "-"
    text = "<0.001" if one.p_adjusted < 0.001 else f"{one.p_adjusted:.3f}"
    return f"{text} (t)" if one.test == "t" else text


def number(value: float | None, digits: int, *, signed: bool = False) -> str:
    if value is None:
        return "-"
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return text.lstrip("+-") if float(text) == 0 else text


def span(low: float | None, high: float | None, digits: int) -> str:
    if low is None or high is None:
        return "-"
    return f"{low:+.{digits}f} to {high:+.{digits}f}"


def markdown(result: CompareResult) -> str:
    """The comparison for a pull request or a chat; ends with a newline."""
    lines = [f"### bench compare: {result.verdict.value}", "", headline(result), ""]
    lines += [_cells(HEADER), _cells(["---"] * len(HEADER))]
    for one in result.metrics:
        *texts, verdict = row(one)
        lines.append(_cells([*texts, _MARK.get(one.verdict, verdict)]))
    lines.append("")
    for one in result.metrics:
        size = effect(one)
        lines.append(f"- **{title(one)}**: {one.reason}{f' {size}.' if size else ''}")
    lines += ["", basis(result), ""]
    lines += [f"- {line}" for line in remarks(result)]
    return "\n".join(lines) + "\n"


def remarks(result: CompareResult) -> list[str]:
    """Coverage of both sides, accepted differences and notes."""
    accepted = [
        f"Accepted difference in {one.aspect.value}: {one.sentence}"
        for one in result.differences
        if one.accepted
    ]
    return [
        coverage("Baseline", result.baseline),
        coverage("Candidate", result.candidate),
        *accepted,
        *result.notes,
    ]


def _cells(texts: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"
