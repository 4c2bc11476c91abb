"""The study's tables with a column of one's own runs beside each printed one."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from benchmarks.thesis.model import TOOLS, Comparison, Published
from benchmarks.thesis.runs import Runs
from reports.aggregate import fmt
from reports.tables import Table, TableCell, number, text

Metric = Literal["pcc", "rmse"]

_COMPARISONS: tuple[Comparison, ...] = ("or_or", "or_sw", "sw_or", "sw_sw")
_SHORT: Mapping[Comparison, str] = {
    "or_or": "OR-OR",
    "or_sw": "OR-SW",
    "sw_or": "SW-OR",
    "sw_sw": "SW-SW",
}
_NOT_SCORED = "this cell has no score, or no face was found in it"
_NO_UNIT = "not measurable in these cells"
_MISLABELLED = {28: 26}
"""The study's row 28 is almost surely AU26, of which alone OpenFace gives an intensity."""
_SLIP = " The study's same-sex value of actor 13 is actor 11's; its Table 4 has 0.740."
STUDY = "study"


def deid_table(runs: Runs, study: Published, tool: str) -> Table:
    """Tables 4-7: the four distances of each actor who was run, beside the study's."""
    place = TOOLS.index(tool)
    mine = {name: runs.of(tool, name) for name in _COMPARISONS}
    printed = {name: study.distances(tool, name) for name in _COMPARISONS}
    actors = sorted({actor for values in mine.values() for actor in values})
    columns = ["Actor"]
    for name in _COMPARISONS:
        columns += [_SHORT[name], f"{_SHORT[name]}, {STUDY}"]
        columns += ["SW-OR minus study"] if name == "sw_or" else []
    rows = []
    for actor in actors:
        cells = [text(actor, sort=float(actor))]
        for name in _COMPARISONS:
            own, theirs = mine[name].get(actor), printed[name].get(actor)
            cells += [number(own, _NOT_SCORED), _theirs(theirs, "the study has no such actor")]
            if name == "sw_or":
                cells.append(_signed(_minus(own, theirs), _NOT_SCORED))
        rows.append(tuple(cells))
    return Table(
        title=f"Table {4 + place}, {_name(study, tool)}: {len(actors)} of "
        f"{study.about.dataset.actors} actors",
        columns=tuple(columns),
        rows=tuple(rows),
        footer=_deid_footer(mine, printed, actors, study, tool),
        note="Mean L2 distances. The study's rows hold all of its actors; means are given over the "
        "actors in common and over all. Its text prints a mean SW-OR that its rows do not give.",
    )


def _deid_footer(
    mine: Mapping[Comparison, dict[int, float]],
    printed: Mapping[Comparison, dict[int, float]],
    actors: Sequence[int],
    study: Published,
    tool: str,
) -> tuple[tuple[TableCell, ...], ...]:
    common: list[TableCell] = [text("Mean, actors in common")]
    spread: list[TableCell] = [text("SD, actors in common")]
    whole: list[TableCell] = [text("Mean, all of the study")]
    said: list[TableCell] = [text("Printed in section 4.6")]
    for name in _COMPARISONS:
        both = [a for a in actors if a in mine[name] and a in printed[name]]
        own, theirs = [mine[name][a] for a in both], [printed[name][a] for a in both]
        common += [number(_mean(own), _NOT_SCORED), _theirs(_mean(theirs), _NOT_SCORED)]
        spread += [number(_sd(own), "needs two actors"), _theirs(_sd(theirs), "needs two actors")]
        whole += [text(""), _theirs(_mean(printed[name].values()))]
        said += [text(""), text("")]
        if name == "sw_or":
            row = study.said(tool)
            said[-1] = text(_pair(row.deid_mean, row.deid_sd), "number", row.deid_mean)
            common.append(_signed(_minus(_mean(own), _mean(theirs)), _NOT_SCORED))
            spread.append(text(""))
            whole.append(text(""))
            said.append(text(""))
    return tuple(common), tuple(spread), tuple(whole), tuple(said)


def units_table(runs: Runs, study: Published, metric: Metric, source: str) -> Table:
    """Table 2, one of its two numbers: units by tools, beside the study's."""
    printed = {tool: study.unit_values(tool, metric) for tool in TOOLS}
    mine = {tool: runs.units(tool, metric) for tool in TOOLS}
    rows = []
    for unit in printed[TOOLS[0]]:
        cells = [_unit_name(unit)]
        for tool in TOOLS:
            own = mine[tool].get(_MISLABELLED.get(unit, unit))
            cells += [number(own, _NO_UNIT), _theirs(printed[tool][unit])]
        rows.append(tuple(cells))
    footer = [text("Mean of units")]
    for tool in TOOLS:
        listed = [mine[tool].get(_MISLABELLED.get(u, u)) for u in printed[tool]]
        own_mean = _mean(value for value in listed if value is not None)
        footer += [number(own_mean, _NO_UNIT), _theirs(_mean(printed[tool].values()))]
    scale = "" if source == "openface" or metric == "pcc" else f" Yours is on {source}'s scale."
    return Table(
        title=f"Table 2, {metric.upper()}",
        columns=("Unit", *_tool_columns(study)),
        rows=tuple(rows),
        footer=(tuple(footer),),
        note="Yours: mean over actors of each actor's number. What the study's rows are a mean of, "
        f"it does not say.{scale} Its row 28 is held against your AU26.",
    )


def means_table(runs: Runs, study: Published, source: str) -> Table:
    """Table 3: mean and standard deviation over units, in all of the study's versions."""
    columns = ["Tool"]
    for metric in ("PCC", "RMSE"):
        columns += [f"{metric}, yours", f"{metric}, Table 3", f"{metric}, from Table 2"]
        columns += [f"{metric}, section 4.6"]
    rows = []
    for tool in TOOLS:
        cells = [text(_name(study, tool))]
        table3, said = study.printed_means(tool), study.said(tool)
        metrics: tuple[Metric, ...] = ("pcc", "rmse")
        for metric in metrics:
            printed = study.unit_values(tool, metric)
            found = runs.units(tool, metric)
            kept = [_MISLABELLED.get(u, u) for u in printed]
            cells.append(_spread_cell([found[u] for u in kept if u in found]))
            mean, sd = f"{metric}_mean", f"{metric}_sd"
            cells.append(_printed_cell(getattr(table3, mean), getattr(table3, sd)))
            cells.append(_spread_cell(list(printed.values())))
            cells.append(_printed_cell(getattr(said, mean), getattr(said, sd)))
        rows.append(tuple(cells))
    scale = "" if source == "openface" else f" Your RMSE is on {source}'s scale."
    return Table(
        title="Table 3, means over units",
        columns=tuple(columns),
        rows=tuple(rows),
        note="Mean ± standard deviation over the units of Table 2 that could be measured. The "
        f"study prints two versions; neither follows from its Table 2.{scale}",
    )


def switch_table(runs: Runs, study: Published, tool: str) -> Table:
    """Tables 8-11: SW-OR with a donor of the actor's sex and of the other."""
    same, other = runs.of(tool, "sw_or"), runs.of(tool, "sw_or", switched=True)
    printed = {row.actor: row for row in study.switches(tool)}
    sexes = {cell.actor: cell.sex for cell in runs.cells}
    rows = []
    for actor in sorted(other):
        theirs = printed.get(actor)
        no_row = "the study did not switch this actor's donor"
        rows.append(
            (
                text(actor, sort=float(actor)),
                text(sexes[actor]),
                number(same.get(actor), _NOT_SCORED),
                _theirs(theirs.same_sex if theirs else None, no_row),
                number(other[actor]),
                _theirs(theirs.other_sex if theirs else None, no_row),
                _signed(_minus(other[actor], same.get(actor)), _NOT_SCORED),
                _signed(theirs.other_sex - theirs.same_sex if theirs else None, no_row),
            )
        )
    both = [actor for actor in other if actor in same]
    changes = [other[actor] - same[actor] for actor in both]
    all_changes = [row.other_sex - row.same_sex for row in printed.values()]
    footer = (
        text("Mean"),
        text(""),
        number(_mean(same[a] for a in both), _NOT_SCORED),
        _theirs(_mean(row.same_sex for row in printed.values())),
        number(_mean(other[a] for a in both), _NOT_SCORED),
        _theirs(_mean(row.other_sex for row in printed.values())),
        _signed(_mean(changes), _NOT_SCORED),
        _signed(_mean(all_changes)),
    )
    columns = ("Actor", "Sex", "Same-sex donor", "Same-sex, study", "Other-sex donor")
    return Table(
        title=f"Table {8 + TOOLS.index(tool)}, {_name(study, tool)}: SW-OR by the donor's sex",
        columns=(*columns, "Other-sex, study", "Change", "Change, study"),
        rows=tuple(rows),
        footer=(footer,),
        note="Change: other-sex minus same-sex donor; above 0 the donor of the other sex hides "
        "better. Means: yours over actors with both, the study's over its ten."
        f"{_SLIP if tool == 'dfaker' else ''}",
    )


def switch_units_table(runs: Runs, study: Published, metric: Metric, source: str) -> Table:
    """Table 12, one of its two numbers: what a donor of the other sex changes."""
    printed = {
        tool: {r.au: getattr(r, f"delta_{metric}") for r in study.switched_units if r.tool == tool}
        for tool in TOOLS
    }
    mine = {tool: runs.unit_changes(tool, metric) for tool in TOOLS}
    rows = []
    for unit in printed[TOOLS[0]]:
        cells = [_unit_name(unit)]
        for tool in TOOLS:
            own = mine[tool].get(_MISLABELLED.get(unit, unit))
            cells += [_signed(own, _NO_UNIT), _signed(printed[tool][unit])]
        rows.append(tuple(cells))
    scale = "" if source == "openface" or metric == "pcc" else f" Yours is on {source}'s scale."
    better = "above" if metric == "pcc" else "below"
    return Table(
        title=f"Table 12, change of {metric.upper()}",
        columns=("Unit", *_tool_columns(study)),
        rows=tuple(rows),
        note=f"Yours: other-sex minus same-sex donor, so {better} 0 the other sex keeps the "
        f"expression better. The study does not say which way its differences go.{scale}",
    )


def _tool_columns(study: Published) -> list[str]:
    return [
        part for tool in TOOLS for part in (_name(study, tool), f"{_name(study, tool)}, {STUDY}")
    ]


def _name(study: Published, tool: str) -> str:
    return study.settings(tool).printed


def _unit_name(unit: int) -> TableCell:
    name = f"AU{unit:02d}"
    if unit in _MISLABELLED:
        name = f"{name} (AU{_MISLABELLED[unit]:02d}?)"
    return text(name, sort=float(unit))


def _spread_cell(values: Sequence[float]) -> TableCell:
    mean, sd = _mean(values), _sd(values)
    if mean is None:
        return number(None, _NO_UNIT)
    shown = fmt(mean) if sd is None else _pair(mean, sd)
    return text(shown, "number", mean)


def _printed_cell(mean: float, sd: float) -> TableCell:
    return text(_pair(mean, sd), "number", mean)


def _pair(mean: float, sd: float) -> str:
    return f"{fmt(mean)} ± {fmt(sd)}"


def _theirs(value: float | None, reason: str = "") -> TableCell:
    """A number of the study: paler than one's own."""
    found = number(value, reason)
    return found if value is None else found.model_copy(update={"look": "number soft"})


def _signed(value: float | None, reason: str = "") -> TableCell:
    """A difference, with its sign."""
    found = number(value, reason)
    if value is None or found.text.startswith("-") or float(found.text) == 0:
        return found
    return found.model_copy(update={"text": f"+{found.text}"})


def _minus(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return statistics.fmean(listed) if listed else None


def _sd(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None
