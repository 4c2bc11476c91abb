"""Anybody's runs of the study's tools, as the claims are decided on: one value per actor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from benchmarks.thesis.model import Published, Sex
from harness.core.base import Frozen
from harness.statistics.values import actor_means

Measure = Literal["or_or", "or_sw", "sw_or", "sw_sw", "pcc", "rmse"]

HIGHER_IS_BETTER: Mapping[Measure, bool] = {
    "or_or": False,
    "or_sw": True,
    "sw_or": True,
    "sw_sw": False,
    "pcc": True,
    "rmse": False,
}
MARGINS: Mapping[Measure, float] = {"sw_or": 0.02, "or_or": 0.02, "or_sw": 0.02, "sw_sw": 0.02,
                                    "pcc": 0.05}  # fmt: skip
"""Margins of what is too small to matter: of dlib's L2 distance and PCC. RMSE has no own scale."""
WORDS: Mapping[Measure, str] = {
    "or_or": "OR-OR",
    "or_sw": "OR-SW",
    "sw_or": "SW-OR",
    "sw_sw": "SW-SW",
    "pcc": "mean PCC",
    "rmse": "mean RMSE",
}


class UnitValue(Frozen):
    """One action unit of one cell; None where it could not be measured."""

    pcc: float | None = None
    rmse: float | None = None
    reach_original: float | None = None
    """Maximum minus minimum of the original's intensity."""
    reach_swapped: float | None = None


class CellValues(Frozen):
    """Values of one cell for the claims. Distances are means over its sampled frames."""

    tool: str
    actor: int
    sex: Sex
    donor: str
    donor_sex: Sex
    values: dict[Measure, float] = {}
    units: dict[int, UnitValue] = {}


class Runs(Frozen):
    """Cells of the study's four tools; seeds and donors of one actor are averaged."""

    cells: tuple[CellValues, ...]
    threshold_l2: float = 0.6

    def of(self, tool: str, measure: Measure, *, switched: bool = False) -> dict[int, float]:
        """Actor to value, with donors of the actor's sex, or of the other."""
        found = (
            (cell.actor, cell.values.get(measure))
            for cell in self.cells
            if cell.tool == tool and (cell.donor_sex != cell.sex) == switched
        )
        return actor_means(found)

    def units(self, tool: str, name: Literal["pcc", "rmse"]) -> dict[int, float]:
        """Unit to its mean over actors, same-sex donors."""
        found: dict[int, list[tuple[int, float | None]]] = {}
        for cell in self._same_sex(tool):
            for unit, value in cell.units.items():
                found.setdefault(unit, []).append((cell.actor, getattr(value, name)))
        means = {unit: actor_means(pairs) for unit, pairs in found.items()}
        return {u: sum(m.values()) / len(m) for u, m in sorted(means.items()) if m}

    def unit_changes(self, tool: str, name: Literal["pcc", "rmse"]) -> dict[int, float]:
        """Unit to its change with a donor of the other sex, minus the same one's, over actors who
        have both."""
        sides: tuple[dict[int, dict[int, float]], ...] = ({}, {})
        for switched, by_unit in enumerate(sides):
            pairs: dict[int, list[tuple[int, float | None]]] = {}
            for cell in self.cells:
                if cell.tool == tool and (cell.donor_sex != cell.sex) == bool(switched):
                    for unit, value in cell.units.items():
                        pairs.setdefault(unit, []).append((cell.actor, getattr(value, name)))
            by_unit.update({unit: actor_means(found) for unit, found in pairs.items()})
        same, other = sides
        out = {}
        for unit in sorted(same.keys() & other):
            both = same[unit].keys() & other[unit]
            if both:
                out[unit] = sum(other[unit][a] - same[unit][a] for a in both) / len(both)
        return out

    def reach_change(self, tool: str, units: tuple[int, ...]) -> dict[int, float]:
        """Actor to the mean over ``units`` of the swapped reach minus the original's."""
        pairs: list[tuple[int, float | None]] = []
        for cell in self._same_sex(tool):
            for unit in units:
                one = cell.units.get(unit, UnitValue())
                if one.reach_original is not None and one.reach_swapped is not None:
                    pairs.append((cell.actor, one.reach_swapped - one.reach_original))
        return actor_means(pairs)

    def donors_per_sex(self) -> int:
        """Donors of the sex that has fewer of them."""
        met = {(cell.donor_sex, cell.donor) for cell in self.cells}
        return min(sum(sex == wanted for sex, _ in met) for wanted in ("M", "F"))

    def _same_sex(self, tool: str) -> tuple[CellValues, ...]:
        return tuple(c for c in self.cells if c.tool == tool and c.donor_sex == c.sex)


def published_runs(study: Published) -> Runs:
    """The study's own tables as runs. Per actor it prints distances only, no action units."""
    cells = [
        CellValues(
            tool=row.tool,
            actor=row.actor,
            sex=(sex := _sex(row.actor)),
            donor=f"donor {sex}",
            donor_sex=sex,
            values={
                "or_or": row.or_or,
                "or_sw": row.or_sw,
                "sw_or": row.sw_or,
                "sw_sw": row.sw_sw,
            },
        )
        for row in study.deid
    ]
    for switched in study.switched:
        other: Sex = "F" if switched.sex == "M" else "M"
        cells.append(
            CellValues(
                tool=switched.tool,
                actor=switched.actor,
                sex=switched.sex,
                donor=f"donor {other}",
                donor_sex=other,
                values={"sw_or": switched.other_sex},
            )
        )
    return Runs(cells=tuple(cells), threshold_l2=study.about.protocol.threshold_l2)


def _sex(actor: int) -> Sex:
    """RAVDESS numbers men odd and women even."""
    return "M" if actor % 2 else "F"
