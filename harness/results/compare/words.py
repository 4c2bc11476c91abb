"""A comparison for people: sentences, a table for a terminal, Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.compare import ActorRise, CompareResult, Family, MetricResult, Side
from harness.model.verdict import Verdict
from harness.results.compare.reasons import hides_less, number, span, title

HEADER = ("metric", "baseline", "candidate", "shift", "95 % interval", "p (Holm)", "verdict")
_MARK = {
    Verdict.REGRESSED: "**regressed**",
    Verdict.IMPROVED: "**improved**",
}
_MOST_NAMES = 3


def headline(result: CompareResult) -> str:
    """One sentence: what was compared, and the verdict. What hides less comes first."""
    return f"{result.candidate.label} against {result.baseline.label}: {_said(result)}."


def _said(result: CompareResult) -> str:
    named = {
        verdict: ", ".join(title(metric) for metric in result.metrics if metric.verdict is verdict)
        for verdict in Verdict
    }
    less = "; ".join(hides_less(metric) for metric in result.metrics if metric.hides_less)
    traded = named[Verdict.TRADED]
    but = f"; better in {traded}, which is no improvement while less is hidden" if traded else ""
    if result.verdict is Verdict.REGRESSED:
        parts = [recognised(result)]
        regressed = [metric for metric in result.metrics if metric.verdict is Verdict.REGRESSED]
        loose = [
            metric for metric in result.metrics if metric.hides_less and metric not in regressed
        ]
        # A metric of privacy that regressed is named as such; METRICS has them first.
        parts += [f"regressed in {named[Verdict.REGRESSED]}"] if regressed else []
        parts += [f"hides less: {'; '.join(map(hides_less, loose))}"] if loose else []
        if loose and not any(metric.privacy for metric in regressed):
            parts[1:] = reversed(parts[1:])
        text = "; ".join(part for part in parts if part)
        return (text if text.startswith("regressed") else f"regressed: {text}") + but
    if result.verdict is Verdict.INCONCLUSIVE and less:
        return (
            f"inconclusive: hides less by its point estimate, beyond the margin ({less}), but "
            f"these actors do not show it beyond chance{but}"
        )
    viewer = (metric for metric in result.metrics if metric.family is Family.VIEWER)
    still = ", ".join(title(metric) for metric in viewer if metric.verdict is Verdict.INCONCLUSIVE)
    return {
        Verdict.IMPROVED: f"improved in {named[Verdict.IMPROVED]}",
        Verdict.UNCHANGED: "unchanged: equivalence is shown for all of privacy and expression that "
        "could be compared" + (f"; open: {still}" if still else ""),
        Verdict.INCONCLUSIVE: "inconclusive: neither a change nor equivalence is shown everywhere",
    }.get(result.verdict, "not comparable")


def recognised(result: CompareResult) -> str:
    """The actors who are recognised now and were hidden, as a clause; empty without any."""
    crossed = result.gate.crossed if result.gate else ()
    if not crossed:
        return ""
    if len(crossed) == 1:
        crossing = crossed[0]
        return (
            f"actor {crossing.actor} is recognised in {100 * crossing.candidate:.0f} % of the "
            f"frames, {100 * crossing.baseline:.0f} % before"
        )
    numbers = [str(crossing.actor) for crossing in crossed]
    means = [
        100 * sum(values) / len(crossed)
        for values in ([c.candidate for c in crossed], [c.baseline for c in crossed])
    ]
    return (
        f"actors {', '.join(numbers[:-1])} and {numbers[-1]} are recognised in "
        f"{means[0]:.0f} % of the frames on average, {means[1]:.0f} % before"
    )


def people(result: CompareResult) -> list[str]:
    """Every single person: who is recognised now, who is hidden now, and what shows it."""
    gate = result.gate
    if gate is None:
        return []
    lines = [f"Actor {each.actor}: regressed. {_sentence(each.sentence)}" for each in gate.crossed]
    if not gate.crossed:
        lines.append("Nobody is recognised in more frames than noise explains.")
    if gate.within_noise:
        lines.append(f"More than before, but not beyond noise: {_rises(gate.within_noise)}.")
    if gate.hidden:
        now = "; ".join(f"actor {each.actor} is {each.sentence}" for each in gate.hidden)
        lines.append(f"The other way round, beyond noise: {now}.")
    frames = (
        f"A frame is recognised at or under {gate.threshold}; a rise of {gate.margin:g} counts."
    )
    return [*lines, f"{frames} {gate.basis}"]


def _rises(rises: Sequence[ActorRise]) -> str:
    shown = [
        f"actor {each.actor} is recognised in {100 * each.candidate:.0f} % of the frames, "
        f"{100 * each.baseline:.0f} % before"
        for each in rises[:_MOST_NAMES]
    ]
    more = f"; and {len(rises) - _MOST_NAMES} more" if len(rises) > _MOST_NAMES else ""
    return f"{'; '.join(shown)}{more}"


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."


def basis(result: CompareResult) -> str:
    """On what the comparison rests."""
    actors, pairs = len(result.actors), result.pairs
    return (
        f"Protocol {result.protocol}, {actors} actor{'s' if actors != 1 else ''}, {pairs} "
        f"pair{'s' if pairs != 1 else ''} of cells; the actor is the unit, several donors of one "
        "actor are averaged first."
    )


def coverage(name: str, side: Side) -> str:
    """Sentence on what became of one side's cells."""
    parts = [f"{name} {side.label}: {side.scored} of {side.cells} cells scored"]
    for slugs, state in (
        (side.failed, "without a result"),
        (side.unprepared, "that could not be prepared"),
        (side.unscored, "not scored with this protocol (`bench score`)"),
        (side.damaged, "whose video or original is not the one that was published, so not used"),
        (side.replaced, "of an earlier manifest or image, so not used"),
    ):
        if slugs:
            more = f" and {len(slugs) - _MOST_NAMES} more" if len(slugs) > _MOST_NAMES else ""
            parts.append(f"{len(slugs)} {state}: {', '.join(slugs[:_MOST_NAMES])}{more}")
    return "; ".join(parts) + "."


def row(metric: MetricResult) -> tuple[str, ...]:
    """A metric's numbers as text, in the order of ``HEADER``."""
    c = metric.comparison
    interval = c.interval if c else None
    return (
        title(metric),
        number(metric.baseline, metric.digits),
        number(metric.candidate, metric.digits),
        number(c.mean_difference if c else None, metric.digits, signed=True),
        span(interval, metric.digits) if interval else "-",
        probability(metric),
        metric.verdict.value,
    )


def effect(metric: MetricResult) -> str:
    """Size of the effect: dz, rank-biserial correlation, actors in each direction."""
    c = metric.comparison
    if c is None or c.n < 2 or c.ties == c.n:
        return ""
    parts = []
    if c.dz is not None:
        parts.append(f"dz {number(c.dz, 2, signed=True)}")
    if c.rank_biserial is not None:
        parts.append(f"rank-biserial {number(c.rank_biserial, 2, signed=True)}")
    parts.append(f"larger for {c.wins} of {c.n} actors, smaller for {c.losses}")
    if c.wilcoxon.p is not None:
        parts.append(f"Wilcoxon p {c.wilcoxon.p:.3g}")
    return ", ".join(parts)


def probability(metric: MetricResult) -> str:
    """p after Holm; or that the actors are too few for one."""
    if metric.p_adjusted is None:
        return "-"
    text = "<0.001" if metric.p_adjusted < 0.001 else f"{metric.p_adjusted:.3f}"
    return f"{text} (t)" if metric.test == "t" else text


def markdown(result: CompareResult) -> str:
    """The comparison for a pull request or a chat; ends with a newline."""
    lines = [f"### bench compare: {result.verdict.value}", "", headline(result), ""]
    lines += [_cells(HEADER), _cells(["---"] * len(HEADER))]
    for metric in result.metrics:
        *texts, verdict = row(metric)
        lines.append(_cells([*texts, _MARK.get(metric.verdict, verdict)]))
    lines.append("")
    for metric in result.metrics:
        size = effect(metric)
        lines.append(f"- **{title(metric)}**: {metric.reason}{f' {size}.' if size else ''}")
    if result.gate:
        lines += ["", "**Single people**", "", *(f"- {line}" for line in people(result))]
    lines += ["", basis(result), ""]
    lines += [f"- {line}" for line in remarks(result)]
    return "\n".join(lines) + "\n"


def remarks(result: CompareResult) -> list[str]:
    """Coverage of both sides, accepted differences and notes."""
    accepted = [
        f"Accepted difference in {difference.aspect.value}: {difference.sentence}"
        for difference in result.differences
        if difference.accepted
    ]
    return [
        coverage("Baseline", result.baseline),
        coverage("Candidate", result.candidate),
        *accepted,
        *result.notes,
    ]


def _cells(texts: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"
