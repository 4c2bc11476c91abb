"""The share that the worst attacker identifies, night after night."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.execution.cohorts import cohorts_of
from harness.model.cell import CellSpec
from harness.model.cohort import Attacker
from harness.model.nightly import NightMetric, NightRecord
from harness.model.suite import Suite
from harness.results.compare.metrics import IDENTIFIED
from harness.results.estimates import share_of_actors
from harness.store.score_files import ScoreStore
from tests.results.nightly.test_nights import Lab
from tests.results.scored import attacked

SHARES = {"faceswap": 0.4, "blur": 0.1}


class AttackedLab(Lab):
    """A lab whose cells are attacked as they are run: half of the actors are identified in twice
    the tool's share, the others never."""

    def run(self, suite: Suite) -> Sequence[CellSpec]:
        specs = super().run(suite)
        for cohort in cohorts_of(self.home.home, specs, "thesis"):
            shares = [
                0.0 if spec.actor.number % 2 else 2 * SHARES[spec.tool] for spec in cohort.specs
            ]
            made = attacked({Attacker.NAIVE: shares}, gallery=25)
            ids = tuple(spec.id for spec in cohort.specs)
            update = {"key": cohort.key, "cells": ids, "protocol": "thesis"}
            ScoreStore(self.home.home).save_cohort(made.model_copy(update=update))
        return specs


@pytest.fixture
def lab(tmp_path: Path) -> AttackedLab:
    return AttackedLab(tmp_path / "store")


def identified(record: NightRecord) -> NightMetric:
    return next(one for one in record.metrics if one.key == IDENTIFIED.key)


def test_a_night_records_what_the_worst_attacker_identifies_as_reports_say_it(
    lab: AttackedLab,
) -> None:
    name, records = lab.night("2026-01-01")
    swap, _ = (identified(one) for one in records)
    said = share_of_actors({actor: 0.0 if actor % 2 else 0.8 for actor in range(1, 11)})
    shown = (swap.n, swap.mean, swap.low, swap.high)
    assert shown == pytest.approx((10, said.value, said.low, said.high))
    assert records[0].metrics[0] == swap, "privacy comes first"
    header, _, row, _ = lab.say(name, records).splitlines()[-4:]
    place = header.split(" | ").index("identified by the worst attacker")
    assert row.split(" | ")[place].startswith("40.0 % (")


def test_the_comparison_with_the_last_good_night_is_in_the_history(lab: AttackedLab) -> None:
    lab.night("2026-01-01")
    lab.versions["faceswap"].append("2")
    _, (swap, _) = lab.night("2026-01-02")
    assert identified(swap).shift == 0.0
    assert identified(swap).verdict is not None


def test_the_history_follows_it_within_the_width_of_the_terminal(lab: AttackedLab) -> None:
    from harness.cli.main import app

    lab.night("2026-01-01")
    env = {"BENCH_HOME": str(lab.home.home), "COLUMNS": "80"}
    done = CliRunner().invoke(app, ["history"], env=env, catch_exceptions=False)
    assert max(map(len, done.stdout.splitlines())) <= 80
    words = " ".join(done.stdout.split())
    assert "Identified by the worst" in words


def test_cells_that_nobody_attacked_have_a_dash_there(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "store")
    name, records = lab.night("2026-01-01")
    assert all(metric.key != IDENTIFIED.key for metric in records[0].metrics)
    assert lab.say(name, records).splitlines()[-1].split(" | ")[4] == "-"
