"""The definitions of the published evaluation code of the thesis's laboratory (sathya-ml/fsmetric,
commit 080948f), worked out here from their formulas alone, on real observations.

Where ours differ the test shows by what; docs/protocol.md says why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.model.observed import FACS_INTENSITY as OPENFACE_SCALE
from harness.model.score import UnitScore
from harness.observe.identity import observe_identity
from harness.observe.openface import import_openface, openface_path, read_openface
from harness.scoring.attributes import Length, score_attributes
from harness.scoring.identity import distance_l2, distances, embeddings_of

if TYPE_CHECKING:
    from tests.scoring.conftest import Bench

pytestmark = pytest.mark.clips

Numbers = Sequence[float]
AGREE = 1e-9


def mean(values: Numbers) -> float:
    return math.fsum(values) / len(values)


def variance(values: Numbers) -> float:
    """Over n, as numpy's var and std do unless asked otherwise."""
    middle = mean(values)
    return math.fsum((value - middle) ** 2 for value in values) / len(values)


def correlation(x: Numbers, y: Numbers) -> float:
    """Pearson's; whether moments are over n or n - 1 cancels out."""
    mx, my = mean(x), mean(y)
    shared = math.fsum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    spread_x = math.fsum((a - mx) ** 2 for a in x)
    spread_y = math.fsum((b - my) ** 2 for b in y)
    return shared / math.sqrt(spread_x * spread_y)


def root_mean_squared_error(x: Numbers, y: Numbers) -> float:
    return math.sqrt(mean([(a - b) ** 2 for a, b in zip(x, y, strict=True)]))


def concordance_coefficient(x: Numbers, y: Numbers) -> float:
    """2 r sd_x sd_y over var_x + var_y + squared difference of means, all over n."""
    top = 2 * correlation(x, y) * math.sqrt(variance(x)) * math.sqrt(variance(y))
    return top / (variance(x) + variance(y) + (mean(x) - mean(y)) ** 2)


@pytest.fixture
def units(sample_dir: Path, tmp_path: Path) -> tuple[UnitScore, ...]:
    """A real file of OpenFace against the same person a fifth of a second later."""
    csv = sample_dir / "OpenFace_Test.csv"
    import_openface(csv, "a", 100, tmp_path)
    table = read_openface(openface_path(tmp_path, "a"))
    later = table.iloc[5:].assign(frame=table["frame"].iloc[:-5].to_numpy())
    length = Length(frames=100, fps=25.0)
    return score_attributes("openface", OPENFACE_SCALE, length, table, later).units


def columns_of(csv: Path) -> dict[str, list[float]]:
    header, *rows = (line.split(",") for line in csv.read_text().splitlines())
    names = [name.strip() for name in header]
    return {name: [float(row[at]) for row in rows] for at, name in enumerate(names)}


def test_pcc_rmse_and_ccc_of_a_real_openface_file_are_the_published_ones(
    units: tuple[UnitScore, ...], sample_dir: Path
) -> None:
    published = columns_of(sample_dir / "OpenFace_Test.csv")
    moving = [unit for unit in units if unit.measurable and not unit.frozen]
    assert len(moving) > 3
    for unit in moving:
        whole = published[f"{unit.unit}_r"]
        x, y = whole[:-5], whole[5:]
        assert unit.pcc == pytest.approx(correlation(x, y), abs=AGREE)
        assert unit.rmse == pytest.approx(root_mean_squared_error(x, y), abs=AGREE)
        assert unit.ccc == pytest.approx(concordance_coefficient(x, y), abs=AGREE)


def test_the_17_units_are_the_published_ones(units: tuple[UnitScore, ...]) -> None:
    numbers = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
    assert [unit.unit for unit in units] == [f"AU{number:02d}" for number in numbers]


def test_the_mean_distance_to_a_photo_is_the_published_one_and_the_sd_is_over_n_minus_1(
    bench: Bench,
) -> None:
    rows = observe_identity(bench.video, range(4), bench.observations)
    first, *others = embeddings_of(rows).values()
    ours = distances(
        np.array([distance_l2(first, other) for other in others]),
        asked=3,
        several_faces=0,
        threshold=0.6,
    )
    plain = [
        math.sqrt(math.fsum((a - b) ** 2 for a, b in zip(first, other, strict=True)))
        for other in others
    ]
    assert ours.mean == pytest.approx(mean(plain), abs=AGREE)
    assert ours.sd == pytest.approx(math.sqrt(variance(plain) * 3 / 2), abs=AGREE)
