"""Checks of the register that hold printed numbers against the tables they should follow from."""

from __future__ import annotations

import statistics
from typing import Literal

from benchmarks.thesis.finding import Finding, by_value, differs, spread
from benchmarks.thesis.model import TOOLS, Published, Sex, Value
from harness.statistics.correlations import mean_correlation


def text_mean_off_its_rows(study: Published, tool: str) -> Finding:
    """Section 4.6's mean SW-OR against the 24 rows of the tool's table."""
    said, rows = study.said(tool), study.distances(tool, "sw_or")
    values = list(rows.values())
    recomputed = spread(values) | {
        "population_sd": statistics.pstdev(values),
        "lowest": min(values),
        "highest": max(values),
        "actors_at_or_above": sum(value >= said.deid_mean for value in values),
        "printed_minus_recomputed": said.deid_mean - statistics.fmean(values),
    }
    return Finding(
        wrong=differs(said.deid_mean, statistics.fmean(values)),
        printed={"mean": said.deid_mean, "sd": said.deid_sd},
        recomputed=recomputed,
    )


def text_mean_outside_its_rows(study: Published, tool: str) -> Finding:
    """The same, for a mean that lies outside of all its rows: no arithmetic gives it."""
    found = text_mean_off_its_rows(study, tool)
    values = study.distances(tool, "sw_or").values()
    mean = study.said(tool).deid_mean
    return found.model_copy(update={"wrong": not min(values) <= mean <= max(values)})


def table3_off_table2(study: Published, tool: str, without: int | None = None) -> Finding:
    """Table 3's means of one tool against Table 2; ``without`` one unit, too, where one is said."""
    said = study.printed_means(tool)
    pcc = list(study.unit_values(tool, "pcc").values())
    rmse = study.unit_values(tool, "rmse")
    recomputed = spread(pcc, ("pcc_mean", "pcc_sd"))
    recomputed |= spread(list(rmse.values()), ("rmse_mean", "rmse_sd"))
    if without is not None:
        rest = [value for unit, value in rmse.items() if unit != without]
        tenth = [*rest, rmse[without] / 10]
        recomputed |= spread(rest, ("rmse_mean_without", "rmse_sd_without"))
        recomputed |= spread(tenth, ("rmse_mean_with_a_tenth", "rmse_sd_with_a_tenth"))
    off = differs(said.pcc_mean, statistics.fmean(pcc))
    return Finding(
        wrong=off or differs(said.rmse_mean, statistics.fmean(rmse.values())),
        printed={name: value for name, value in said.model_dump().items() if name != "tool"},
        recomputed=recomputed,
    )


def pcc_means_off_table2(study: Published, tools: tuple[str, ...]) -> Finding:
    """Table 3's mean PCCs against both means of Table 2's: the plain one, and Fisher's."""
    printed: dict[str, Value] = {}
    recomputed: dict[str, Value] = {}
    wrong = True
    for tool in tools:
        said = study.printed_means(tool)
        pcc = list(study.unit_values(tool, "pcc").values())
        fisher = float(mean_correlation(pcc).fisher or 0)
        printed |= {f"{tool} mean": said.pcc_mean, f"{tool} sd": said.pcc_sd}
        recomputed |= spread(pcc, (f"{tool} mean", f"{tool} sd"))
        recomputed[f"{tool} Fisher mean"] = fisher
        wrong &= differs(said.pcc_mean, statistics.fmean(pcc)) and differs(said.pcc_mean, fisher)
    return Finding(wrong=wrong, printed=printed, recomputed=recomputed)


def rmse_in_three_versions(study: Published, tools: tuple[str, ...]) -> Finding:
    """Mean RMSE by Table 3, by section 4.6 and from Table 2: three places, three values."""
    printed: dict[str, Value] = {}
    recomputed: dict[str, Value] = {}
    wrong = True
    for tool in tools:
        table, text = study.printed_means(tool), study.said(tool)
        values = list(study.unit_values(tool, "rmse").values())
        mean = statistics.fmean(values)
        printed |= {f"{tool} table 3": table.rmse_mean, f"{tool} text": text.rmse_mean}
        recomputed |= spread(values, (f"{tool} mean", f"{tool} sd"))
        recomputed[f"{tool} mean of table 3 is an sd"] = not (
            differs(table.rmse_mean, text.rmse_sd)
            and differs(table.rmse_mean, statistics.stdev(values))
        )
        wrong &= differs(table.rmse_mean, text.rmse_mean) and differs(table.rmse_mean, mean)
        wrong &= differs(text.rmse_mean, mean)
    return Finding(wrong=wrong, printed=printed, recomputed=recomputed)


def one_digit_slip_of_a_mean(study: Published, tool: str) -> Finding:
    """Table 3's mean PCC differs from Table 2's in one digit, and its sd does not differ."""
    said = study.printed_means(tool)
    pcc = list(study.unit_values(tool, "pcc").values())
    mean, population_sd = statistics.fmean(pcc), statistics.pstdev(pcc)
    pairs = zip(f"{said.pcc_mean:.3f}", f"{mean:.3f}", strict=True)
    digits = sum(printed != computed for printed, computed in pairs)
    return Finding(
        wrong=digits == 1 and not differs(said.pcc_sd, population_sd),
        printed={"pcc_mean": said.pcc_mean, "pcc_sd": said.pcc_sd},
        recomputed={"mean": mean, "population_sd": population_sd, "digits_that_differ": digits},
    )


def outside_its_scale(study: Published, tool: str, unit: int) -> Finding:
    """An RMSE above the width of the scale that both of its series lie in."""
    value = study.unit_values(tool, "rmse")[unit]
    notes = study.about.protocol
    bound = notes.highest_intensity - notes.lowest_intensity
    others = [row.rmse for row in study.units if (row.tool, row.au) != (tool, unit)]
    return Finding(
        wrong=value > bound,
        printed={"rmse": value},
        recomputed={"largest_possible": bound, "largest_other": max(others)},
    )


def units_without_intensity(study: Published) -> Finding:
    """Units of Tables 2 and 12 that OpenFace gives no intensity for, and those that are missing."""
    openface = set(study.about.outside.openface_intensities)
    used = {row.au for row in study.units}
    listed = set(study.numbers_said("units listed"))
    return Finding(
        wrong=bool(used - openface) and used == {row.au for row in study.switched_units},
        printed={"units": tuple(sorted(used))},
        recomputed={
            "without_intensity": tuple(sorted(used - openface)),
            "intensities_missing": tuple(sorted(openface - used)),
            "listed_but_not_used": tuple(sorted(listed - used)),
        },
    )


def far_from_the_other_actors(study: Published, actor: int, among: tuple[int, ...]) -> Finding:
    """An OR-OR that lies far outside of the others', and within them when multiplied by ten."""
    rows = study.distances(TOOLS[0], "or_or")
    others = [value for number, value in rows.items() if number in among and number != actor]
    mean, sd = statistics.fmean(others), statistics.stdev(others)
    away = (rows[actor] - mean) / sd
    recomputed = spread(others, ("others_mean", "others_sd"))
    recomputed |= {"sds_away": away, "lowest_other": min(others), "highest_other": max(others)}
    return Finding(
        wrong=abs(away) > 5 and min(others) <= 10 * rows[actor] <= max(others),
        printed={"or_or": rows[actor]},
        recomputed=recomputed,
    )


def reference_moves_with_the_tool(study: Published) -> Finding:
    """OR-SW needs no swapped video, so with one face for "ID swapped" it would be one number."""
    by_tool = {name: [study.distances(t, name) for t in TOOLS] for name in ("or_or", "or_sw")}
    actors = list(by_tool["or_or"][0])
    spans = {
        name: [max(rows[a] for rows in tables) - min(rows[a] for rows in tables) for a in actors]
        for name, tables in by_tool.items()
    }
    return Finding(
        wrong=all(span > 0 for span in spans["or_sw"]) and not any(spans["or_or"]),
        printed={"actors": len(actors)},
        recomputed={
            "or_or_alike": sum(span == 0 for span in spans["or_or"]),
            "or_sw_differs": sum(span > 0 for span in spans["or_sw"]),
            "or_sw_mean_range": statistics.fmean(spans["or_sw"]),
        },
    )


def last_actors_on_another_scale(
    study: Published, last: tuple[int, ...], leaving_out: tuple[int, ...]
) -> Finding:
    """OR-OR and OR-SW of the last actors against all others."""

    def parted(tool: str, name: Literal["or_or", "or_sw"]) -> tuple[list[float], list[float]]:
        rows = study.distances(tool, name)
        first = [value for a, value in rows.items() if a not in (*last, *leaving_out)]
        return first, [rows[a] for a in last]

    first, later = parted(TOOLS[0], "or_or")
    recomputed: dict[str, Value] = {
        "or_or_others": (min(first), max(first)),
        "or_or_last": (min(later), max(later)),
    }
    for tool in ("dfaker", "deepfacelab"):
        rows = study.distances(tool, "or_sw")
        recomputed[f"{tool} or_sw others"] = statistics.fmean(
            value for a, value in rows.items() if a not in last
        )
        recomputed[f"{tool} or_sw last"] = statistics.fmean(rows[a] for a in last)
    inside = sum(min(first) <= value <= max(first) for value in later)
    recomputed["last_within_the_others"] = inside
    return Finding(wrong=inside == 0, printed={"last": last}, recomputed=recomputed)


def copied_from_another_row(study: Published, tool: str, actor: int) -> Finding:
    """A same-sex cell of Tables 8-11 that is another actor's in Tables 4-7."""
    off = tuple(
        (row.tool, row.actor)
        for row in study.switched
        if row.same_sex != study.distances(row.tool, "sw_or")[row.actor]
    )
    rows = study.distances(tool, "sw_or")
    cells = {row.actor: row for row in study.switches(tool)}
    cell = cells[actor]
    sex: Sex = cell.sex
    as_printed = {a: row.same_sex for a, row in cells.items() if row.sex == sex}
    corrected = as_printed | {actor: rows[actor]}
    twins = tuple(a for a, value in rows.items() if value == cell.same_sex and a != actor)
    return Finding(
        wrong=off == ((tool, actor),) and bool(twins),
        printed={"same_sex": cell.same_sex},
        recomputed={
            "in_its_own_table": rows[actor],
            "is_the_value_of": twins,
            "cells_that_match": len(study.switched) - len(off),
            "mean_as_printed": statistics.fmean(as_printed.values()),
            "mean_corrected": statistics.fmean(corrected.values()),
        },
    )


def swapped_further_from_their_reference(study: Published) -> Finding:
    """SW-SW against OR-OR: a swapped video lies further from its own reference, for every tool."""
    own = statistics.fmean(study.distances(TOOLS[0], "or_or").values())
    means = {tool: statistics.fmean(study.distances(tool, "sw_sw").values()) for tool in TOOLS}
    return Finding(
        wrong=min(means.values()) > own,
        printed={},
        recomputed={
            "or_or": own,
            **{f"{tool} sw_sw": mean for tool, mean in means.items()},
            "smallest_ratio": min(means.values()) / own,
        },
    )


def not_the_lowest_actors(study: Published, tool: str, fact: str) -> Finding:
    """Actors named as a tool's bad outliers, against its lowest SW-OR."""
    named = study.numbers_said(fact)
    rows = study.distances(tool, "sw_or")
    mean = statistics.fmean(rows.values())
    lowest = by_value(rows, len(named))
    return Finding(
        wrong=set(named) != set(lowest),
        printed={"actors": named},
        recomputed={
            "mean": mean,
            "lowest_actors": lowest,
            "named_at_or_above_the_mean": tuple(a for a in named if rows[a] >= mean),
        },
    )
