"""``bench report`` and ``--collect`` of the study's suite, on a folder in RAVDESS's layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli.planning import make_plan
from harness.cli.selection import Choice, study_from_suite
from harness.execution.resolve import spec_of
from harness.model.cell import CellSpec, Status
from harness.model.dataset import MediaRef, PreparedActor, PreparedDonor
from harness.planning.plan import find_donor

from .conftest import Bench

VIDEO = MediaRef(sha256="0" * 64, suffix=".mp4")


@pytest.fixture
def ravdess(tmp_path: Path) -> Path:
    """All 24 actors; their files are empty, so that nobody can be prepared."""
    root = tmp_path / "ravdess"
    for actor in range(1, 25):
        folder = root / f"Actor_{actor:02d}"
        folder.mkdir(parents=True)
        for take in ("02-01-01-01-01-01", "02-01-03-01-02-02"):
            (folder / f"{take}-{actor:02d}.mp4").touch()
    (root / "m.mp4").touch()
    (root / "f.mp4").touch()
    (root / "donors.yaml").write_text(
        "donors:\n"
        "  - {name: Giorgio, sex: male, clips: [{path: m.mp4}]}\n"
        "  - {name: Giulia, sex: female, clips: [{path: f.mp4}]}\n"
    )
    return root


@pytest.fixture
def run(ravdess: Path, tmp_path: Path) -> Callable[..., Bench]:
    """``run(suite, tools, actors)``: a store in which these cells of the suite are done."""
    bench = Bench(tmp_path / "home")

    def make(suite: str, tools: set[str], actors: set[int]) -> Bench:
        study = study_from_suite(suite, bench.home, Choice(dataset=str(ravdess)))
        for cell in make_plan(study).cells:
            if cell.tool in tools and cell.actor in actors:
                (actor,) = [a for a in study.dataset.actors if a.number == cell.actor]
                donor = find_donor(study.dataset, str(cell.donor))
                prepared = PreparedActor(
                    number=actor.number,
                    sex=actor.sex,
                    split=study.suite.split,
                    training=VIDEO,
                    test=VIDEO,
                    reference=VIDEO,
                    reference_note="",
                )
                given = PreparedDonor(
                    name=donor.name,
                    sex=donor.sex,
                    training=VIDEO,
                    reference=VIDEO,
                    reference_note="",
                )
                store(bench, spec_of(study, cell, prepared, given))
        return bench

    return make


def store(bench: Bench, spec: CellSpec) -> None:
    if bench.store.result(spec) is None:
        bench.attempt(spec, Status.OK)
        bench.score(spec, "thesis")


def test_three_actors_are_reported_beside_the_study_and_nobody_is_prepared(
    run: Callable[..., Bench], ravdess: Path
) -> None:
    bench = run("thesis", {"dfaker", "faceswap"}, {1, 2, 3})
    said = bench("report", "--suite", "thesis", "--dataset", str(ravdess), "--json")
    # Of three actors all tools are in the page; 21 actors were never prepared.
    assert json.loads(said.stdout)["cells"] == 12
    assert json.loads(said.stdout)["scored"] == 6
    assert "84 cells that were never run are left out: 21 actors and 0 donors" in said.stderr
    assert "preparing" not in said.stderr
    html = Path(json.loads(said.stdout)["report"]).read_text(encoding="utf-8")
    assert "6 scored cells repeat the study" in html
    assert "2 of its 4 tools on 3 of its 24 actors" in html
    assert "Table 8, " not in html


def test_the_sex_switchs_cells_are_in_the_theses_section_only(
    run: Callable[..., Bench], ravdess: Path
) -> None:
    run("thesis", {"dfaker"}, {1, 2})
    bench = run("sex-switch", {"dfaker"}, {1, 2})
    said = bench("report", "--suite", "thesis", "--dataset", str(ravdess), "--json")
    assert json.loads(said.stdout)["scored"] == 2
    html = Path(json.loads(said.stdout)["report"]).read_text(encoding="utf-8")
    assert "4 scored cells repeat the study" in html
    assert "Table 8, DFaker" in html
    collected = bench("run", "--suite", "thesis", "--dataset", str(ravdess), "--collect")
    assert "thesis, 96 cells: 2 done, 0 running, 0 failed, 94 new; 2 scored." in collected.stdout
    page = bench.home / "reports" / "thesis-so-far.html"
    assert "Table 8, DFaker" in page.read_text(encoding="utf-8")


def test_people_who_cannot_be_prepared_do_not_cost_the_report(
    run: Callable[..., Bench], ravdess: Path
) -> None:
    bench = run("thesis", {"dfaker"}, set(range(1, 24)))
    said = bench("report", "--suite", "thesis", "--dataset", str(ravdess), "--json")
    assert json.loads(said.stdout)["scored"] == 23
    assert json.loads(said.stdout)["cells"] == 96, "what was asked for counts, prepared or not"
    assert "Could not be prepared: Actor 24 of 'ravdess'" in " ".join(said.stderr.split())
