"""Checks of the register that hold what the text says against the tables, itself and arithmetic."""

from __future__ import annotations

import math
import statistics

from benchmarks.thesis.finding import Finding, by_value
from benchmarks.thesis.model import TOOLS, Published, Value
from harness.statistics.intervals import t_interval
from harness.statistics.multiple import holm
from harness.statistics.paired import paired_t_test
from harness.statistics.sign_flip import wilcoxon_test


def ranking_differs(study: Published, closest: tuple[str, str]) -> Finding:
    """The text's order of tools by SW-OR against the tables'; ``closest`` are two tools of it."""
    rows = {tool: study.distances(tool, "sw_or") for tool in TOOLS}
    means = {tool: statistics.fmean(values.values()) for tool, values in rows.items()}
    order = tuple(sorted(TOOLS, key=lambda tool: -means[tool]))
    said = study.statements("deid ranking")[0].value
    first, second = (rows[name] for name in closest)
    differences = [first[actor] - second[actor] for actor in first]
    return Finding(
        wrong=said != order,
        printed={"order": said},
        recomputed={
            "order": order,
            **means,
            "closest_difference": statistics.fmean(differences),
            "closest_wilcoxon_p": _wilcoxon_p(differences),
        },
    )


def most_consistent_differs(study: Published) -> Finding:
    """The tool with the smallest sd over actors, against the one the text names."""
    sds = {tool: statistics.stdev(study.distances(tool, "sw_or").values()) for tool in TOOLS}
    least = min(TOOLS, key=lambda tool: sds[tool])
    said = study.statements("most consistent tool")[0].value
    return Finding(
        wrong=said != (least,),
        printed={"tool": said, "sd": study.said("faceswap-gan").deid_sd},
        recomputed={"tool": (least,), **sds},
    )


def not_the_worst_units(study: Published, tool: str, fact: str) -> Finding:
    """Units that the text calls a tool's worst, against its lowest PCCs."""
    named = study.numbers_said(fact)
    pcc = study.unit_values(tool, "pcc")
    worst = by_value(pcc, 5)
    better = tuple(unit for unit in named if pcc[unit] > statistics.median(pcc.values()))
    return Finding(
        wrong=bool(better) and set(named) != set(by_value(pcc, len(named))),
        printed={"units": named},
        recomputed={
            "worst_units": worst,
            "worst_values": tuple(pcc[unit] for unit in worst),
            "named_values": tuple(pcc[unit] for unit in named),
            "named_above_the_median": better,
        },
    )


def good_where_called_unrelated(study: Published, tool: str, unit: int, best: int) -> Finding:
    """A unit said not to follow the original, with a PCC above other tools'; and the unit in which
    the tool that is placed last is the best of all."""
    pcc = {name: study.unit_values(name, "pcc") for name in TOOLS}
    below = tuple(name for name in TOOLS if pcc[name][unit] < pcc[tool][unit])
    leader = max(TOOLS, key=lambda name: pcc[name][best])
    return Finding(
        wrong=unit in study.numbers_said(f"{tool} unrelated units") and bool(below),
        printed={"unit": unit},
        recomputed={
            "pcc": pcc[tool][unit],
            "tools_below": below,
            "best_of_all_in_the_other": leader,
            "pcc_in_the_other": pcc[tool][best],
        },
    )


def de_identification_contradicted(study: Published, tool: str, fact: str) -> Finding:
    """Two verdicts of the text on one tool, and the actors it leaves below the threshold."""
    threshold = study.about.protocol.threshold_l2
    below = {
        name: tuple(a for a, value in study.distances(name, "sw_or").items() if value < threshold)
        for name in TOOLS
    }
    others = sum(len(actors) for name, actors in below.items() if name != tool)
    return Finding(
        wrong=_disagree(study, fact) and bool(below[tool]),
        printed=_as_said(study, (fact,)),
        recomputed={"below_the_threshold": below[tool], "below_with_other_tools": others},
    )


def statements_disagree(study: Published, facts: tuple[str, ...]) -> Finding:
    """Places of the text that give one fact different values."""
    differing = sum(_disagree(study, fact) for fact in facts)
    return Finding(
        wrong=differing == len(facts),
        printed=_as_said(study, facts),
        recomputed={"facts_with_several_values": differing},
    )


def batch_share_differs(study: Published, tool: str) -> Finding:
    """A batch size said to be under half of all others', against the settings."""
    own = study.settings(tool).batch_size
    others = {name: study.settings(name).batch_size for name in TOOLS if name != tool}
    least = min(others.values())
    return Finding(
        wrong=2 * own >= least,
        printed={"share": study.statements(f"{tool} batch as share of others")[0].value},
        recomputed={"batch": own, "smallest_other": least, "share_of_smallest_other": own / least},
    )


def more_clips_than_takes(study: Published) -> Finding:
    """Training clips per actor against the takes that RAVDESS has of each."""
    outside = study.about.outside
    takes = outside.ravdess_speech_trials + outside.ravdess_song_trials
    clips = study.about.dataset.training_clips
    return Finding(
        wrong=clips > takes,
        printed={"clips": clips},
        recomputed={
            "takes": takes,
            "clips_per_take": clips / takes,
            "clips_without_song": 2 * outside.ravdess_speech_trials,
            "actors_without_song": outside.ravdess_actors_without_song,
        },
    )


def clips_last_longer_than_their_video(study: Published) -> Finding:
    """Length of the training clips one after the other, against that of the video made of them.

    Both are approximate: what the clips last at least, by half a second less each, still has to be
    longer than the video at most, by half a minute more.
    """
    notes = study.about.dataset
    clips, seconds = notes.training_clips, notes.training_clip_seconds
    least = clips * (seconds - 0.5) / 60
    return Finding(
        wrong=least > notes.training_minutes + 0.5,
        printed={"clips": clips, "seconds": seconds, "minutes": notes.training_minutes},
        recomputed={
            "minutes": clips * seconds / 60,
            "minutes_at_least": least,
            "seconds_for_the_printed_minutes": 60 * notes.training_minutes / clips,
        },
    )


def sum_has_a_term_too_many(study: Published) -> Finding:
    """The printed distance sums over more indices than an embedding has numbers."""
    first, last = study.about.protocol.distance_sum
    numbers = study.about.protocol.embedding_numbers
    terms = len(range(first, last + 1))
    return Finding(
        wrong=terms != numbers,
        printed={"first": first, "last": last},
        recomputed={"terms": terms, "numbers": numbers},
    )


def means_have_a_term_too_many(study: Published) -> Finding:
    """Sums from 0 to N, divided by N: what that does to the mean of a constant 1."""
    count = study.about.protocol.frames
    terms = len(range(count + 1))
    return Finding(
        wrong=terms != count,
        printed={"frames": count},
        recomputed={"terms": terms, "mean_of_ones": terms / count},
    )


def perfect_correlation_with_an_error(study: Published, slope: float, offset: float) -> Finding:
    """A counterexample to "PCC 1 means RMSE 0", by the printed formulas: y = offset + slope x."""
    x = [0.0, 1.0, 2.0, 3.0, 4.0]
    y = [offset + slope * value for value in x]
    rmse = math.sqrt(statistics.fmean((a - b) ** 2 for a, b in zip(x, y, strict=True)))
    pcc = statistics.correlation(x, y)
    said = study.statements("RMSE where PCC is 1")[0].value
    return Finding(
        wrong=math.isclose(pcc, 1) and rmse != said,
        printed={"rmse": said},
        recomputed={"pcc": pcc, "rmse": rmse},
    )


def heading_does_not_fit_the_rows(study: Published) -> Finding:
    """Table 2's first column is headed as actors; its rows are as many as there are units."""
    rows = {tool: len(study.unit_values(tool, "pcc")) for tool in TOOLS}
    notes = study.about
    said = study.statements("heading of the rows of Table 2")[0].value
    return Finding(
        wrong=said == "actors" and set(rows.values()) == {notes.protocol.units},
        printed={"heading": said},
        recomputed={
            "rows": rows[TOOLS[0]],
            "units": notes.protocol.units,
            "actors": notes.dataset.actors,
        },
    )


def sex_matters_after_all(study: Published, tool: str) -> Finding:
    """Switched minus same-sex SW-OR per actor: a tool whose change is no chance, after Holm."""
    changes = {
        name: [row.other_sex - row.same_sex for row in study.switches(name)] for name in TOOLS
    }
    p = [_wilcoxon_p(values) for values in changes.values()]
    adjusted = dict(zip(TOOLS, holm(p), strict=True))
    recomputed: dict[str, Value] = {}
    for (name, values), one in zip(changes.items(), p, strict=True):
        found = t_interval(values)
        recomputed |= {
            f"{name} change": statistics.fmean(values),
            f"{name} interval": (float(found.low or 0), float(found.high or 0)),
            f"{name} up": sum(value > 0 for value in values),
            f"{name} wilcoxon p": one,
            f"{name} p after Holm": adjusted[name],
        }
    return Finding(
        wrong=adjusted[tool] < 0.05,
        printed={"donors_per_sex": study.about.dataset.donors / 2},
        recomputed=recomputed,
    )


def gains_are_noise(study: Published) -> Finding:
    """Table 12's means per tool, their tests, and whether a gain in PCC goes with one in RMSE."""
    recomputed: dict[str, Value] = {}
    p = []
    for tool in TOOLS:
        rows = [row for row in study.switched_units if row.tool == tool]
        pcc, rmse = [row.delta_pcc for row in rows], [row.delta_rmse for row in rows]
        recomputed[f"{tool} pcc"] = statistics.fmean(pcc)
        recomputed[f"{tool} rmse"] = statistics.fmean(rmse)
        recomputed[f"{tool} correlation"] = statistics.correlation(pcc, rmse)
        p += [float(paired_t_test(values).p or 0) for values in (pcc, rmse)]
    after = min(holm(p))
    recomputed |= {"smallest_p": min(p), "smallest_p_after_holm": after}
    recomputed["largest_change"] = _largest_change(study)
    return Finding(wrong=after >= 0.05, printed={}, recomputed=recomputed)


def _largest_change(study: Published) -> float:
    rows = study.switched_units
    return max(abs(value) for row in rows for value in (row.delta_pcc, row.delta_rmse))


def _wilcoxon_p(differences: list[float]) -> float:
    """Of differences of numbers with three digits: binary noise would part what is tied.

    Raises ValueError without any difference.
    """
    p = wilcoxon_test([round(difference, 6) for difference in differences]).p
    if p is None:
        raise ValueError("there is no difference to test")
    return p


def _disagree(study: Published, fact: str) -> bool:
    return len({one.value for one in study.statements(fact)}) > 1


def _as_said(study: Published, facts: tuple[str, ...]) -> dict[str, Value]:
    return {
        f"{fact}, section {one.section}": one.value
        for fact in facts
        for one in study.statements(fact)
    }
