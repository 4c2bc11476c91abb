"""The published study alongside synthetic cells that repeat it: the right answer is known."""

from __future__ import annotations

import hashlib
import re

import pytest

from benchmarks.thesis.load import load_published
from benchmarks.thesis.model import TOOLS
from benchmarks.thesis.rules import Outcome
from harness.model.cell import CellSpec
from harness.model.dataset import MediaRef, PreparedActor, PreparedDonor, Sex, Split
from harness.model.score import (
    Attributes,
    CellScore,
    Comparison,
    Distances,
    Identity,
    SwappedReading,
    UnitScore,
)
from reports.build import page, view
from reports.model import ReportCell, ReportData
from reports.study import StudyView, study_view
from reports.tables import Table
from tests.scores import aligned

STUDY = load_published()
SWITCHED = {(str(row.tool), row.actor): row for row in STUDY.switched}
UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)


def distances_of(mean: float | None) -> Distances:
    if mean is None:
        return Distances(asked=1000, used=0, several_faces=0)
    return Distances(
        asked=1000,
        used=990,
        several_faces=0,
        mean=mean,
        sd=0.05,
        median=mean,
        q1=max(0, mean - 0.03),
        q3=mean + 0.03,
        whisker_low=max(0, mean - 0.06),
        whisker_high=mean + 0.06,
        share_at_or_under_threshold=float(mean <= 0.6),
    )


def attributes_of(tool: str, shift: float, source: str) -> Attributes:
    """PCCs of Table 2, AU26 from its row 28, moved by ``shift``."""
    printed = STUDY.unit_values(tool, "pcc")
    units = tuple(
        UnitScore(
            unit=f"AU{unit:02d}",
            measurable=True,
            pcc=(pcc := printed[28 if unit == 26 else unit] + shift),
            rmse=1 - pcc,
            original_quartiles=(0, 0.1, 0.2, 0.3, 1),
            swapped_quartiles=(0, 0.1, 0.2, 0.3, 0.8),
        )
        for unit in UNITS
    )
    known = [unit.pcc for unit in units if unit.pcc is not None]
    mean = sum(known) / len(known)
    scale = "0 to 5" if source == "openface" else "0 to 1"
    return Attributes(
        source=source,
        scale=scale,
        frames=1200,
        paired=1180,
        units=units,
        mean_pcc=mean,
        mean_rmse=1 - mean,
        mean_ccc=mean,
    )


def make_cell(
    tool: str,
    actor: int,
    *,
    switched: bool = False,
    source: str = "openface",
    config: str = "thesis",
    hidden: bool = True,
    split: Split = Split.THESIS,
) -> ReportCell:
    """A cell with the study's own distances, SW-OR 0.01 above them."""
    sex = Sex.MALE if actor % 2 else Sex.FEMALE
    other = Sex.FEMALE if actor % 2 else Sex.MALE
    media = MediaRef(sha256=hashlib.sha256(b"x").hexdigest(), suffix=".mp4")
    spec = CellSpec(
        tool=tool,
        version="1",
        config=config,
        settings={},
        dataset="ravdess",
        split=split,
        actor=PreparedActor(
            number=actor,
            sex=sex,
            split=split,
            training=None,
            test=media,
            reference=media,
            reference_note="",
        ),
        donor=PreparedDonor(
            name="Giulia" if (switched == bool(actor % 2)) else "Giorgio",
            sex=other if switched else sex,
            training=None,
            reference=media,
            reference_note="",
        ),
    )
    row = {c.value: STUDY.distances(tool, c.value)[actor] for c in Comparison}
    if switched:
        row["sw_or"] = SWITCHED[tool, actor].other_sex
    row["sw_or"] += 0.01
    score = CellScore(
        cell_id=spec.id,
        protocol="thesis",
        inputs={},
        alignment=aligned(1200),
        identity=Identity(
            recogniser="face_recognition 1.3.0",
            threshold=0.6,
            comparisons={
                c: distances_of(row[c.value] if hidden or c.value.startswith("or") else None)
                for c in Comparison
            },
            swapped_reading=SwappedReading.DONOR_PHOTO,
            seed=2020,
            frames=1200,
        ),
        attributes=(attributes_of(tool, 0.001 * (actor % 5) + 0.02 * switched, source),)
        if hidden
        else (),
    )
    return ReportCell(spec=spec, variant=tool, status="ok", reason="", score=score)


def make_data(*cells: ReportCell, beside: tuple[ReportCell, ...] = ()) -> ReportData:
    return ReportData(
        title="t",
        protocol="thesis",
        generated_at="now",
        bench_version="0",
        cells=cells,
        beside=beside,
    )


def all_cells(actors: range = range(1, 25), **fields: str) -> list[ReportCell]:
    return [make_cell(tool, actor, source=fields.get("source", "openface"))
            for tool in TOOLS for actor in actors]  # fmt: skip


def switched_cells() -> tuple[ReportCell, ...]:
    return tuple(make_cell(tool, actor, switched=True) for tool, actor in SWITCHED)


def section(data: ReportData) -> StudyView:
    found = study_view(data)
    assert found is not None
    return found


def column(table: Table, name: str) -> list[str]:
    place = table.columns.index(name)
    return [row[place].text for row in table.rows]


@pytest.fixture(scope="module")
def whole() -> StudyView:
    """The whole study repeated, with the switched cells alongside."""
    return section(make_data(*all_cells(), beside=switched_cells()))


def test_every_cell_stands_beside_the_published_one(whole: StudyView) -> None:
    for number, (tool, table) in enumerate(zip(TOOLS, whole.deid, strict=True), 4):
        assert table.title.startswith(f"Table {number}, ")
        printed = list(STUDY.distances(tool, "sw_or").values())
        assert column(table, "SW-OR, study") == [f"{value:.3f}" for value in printed]
        assert column(table, "SW-OR") == [f"{value + 0.01:.3f}" for value in printed]
        assert set(column(table, "SW-OR minus study")) == {"+0.010"}
        assert column(table, "OR-SW") == column(table, "OR-SW, study")


def test_means_over_actors_stand_beside_what_the_rows_give_and_what_is_printed(
    whole: StudyView,
) -> None:
    (faceswap,) = [table for table in whole.deid if "Table 6" in table.title]
    place = faceswap.columns.index("SW-OR")
    common, spread, everybody, said = [
        [cell.text for cell in row[place : place + 2]] for row in faceswap.footer
    ]
    assert common == ["0.731", "0.721"]
    assert spread == ["0.026", "0.026"]
    assert everybody == ["", "0.721"]
    assert said == ["", "0.796 ± 0.197"]


def test_table_3_has_all_versions_of_the_study(whole: StudyView) -> None:
    assert whole.means is not None
    row = next(row for row in whole.means.rows if row[0].text == "Faceswap")
    assert [cell.text for cell in row[6:]] == [
        "0.196 ± 0.172",
        "0.324 ± 0.076",
        "0.396 ± 0.172",
    ]


def test_row_28_is_held_against_au26(whole: StudyView) -> None:
    pcc = whole.units[0]
    row = next(row for row in pcc.rows if row[0].text == "AU28 (AU26?)")
    own, printed = row[1].text, row[2].text
    assert printed == "0.213"
    assert float(own) == pytest.approx(0.213 + 0.002, abs=0.001)


def test_the_sex_switch_is_shown_with_its_sign(whole: StudyView) -> None:
    table = whole.switch[1]
    assert table.title.startswith("Table 9, DeepFaceLab")
    assert column(table, "Change")[:3] == ["+0.012", "-0.008", "+0.027"]
    assert column(table, "Change, study")[:3] == ["+0.012", "-0.008", "+0.027"]
    assert [cell.text for cell in table.footer[0]][-2:] == ["+0.035", "+0.035"]
    assert "other-sex minus same-sex donor" in table.note
    dfaker = whole.switch[0]
    # Of actor 13, the study copied another actor's cell; ours is its own.
    assert column(dfaker, "Change")[6] == "-0.025"
    assert column(dfaker, "Change, study")[6] == "+0.118"
    pcc, rmse = whole.switch_units
    assert set(column(pcc, "Faceswap")) == {"+0.020"}
    assert set(column(rmse, "Faceswap")) == {"-0.020"}
    assert column(pcc, "Faceswap, study")[:2] == ["+0.008", "+0.078"]
    assert "does not say which way" in pcc.note


def test_every_claim_gets_a_verdict_with_its_reason(whole: StudyView) -> None:
    outcomes = {claim.id: claim.outcome for claim in whole.claims}
    assert len(outcomes) == 25
    assert outcomes["K01"] is Outcome.REPRODUCED
    assert outcomes["K11"] is Outcome.REPRODUCED
    assert outcomes["K13"] is Outcome.REPRODUCED
    assert outcomes["K07"] is Outcome.CONTRADICTED
    assert outcomes["K18"] is Outcome.CONTRADICTED
    assert outcomes["K20"] is Outcome.NOT_DECIDABLE
    assert all(claim.why for claim in whole.claims)


def test_three_actors_of_two_tools_are_enough_for_a_section() -> None:
    cells = [make_cell(t, a) for t in ("dfaker", "faceswap") for a in (1, 3, 4)]
    found = section(make_data(*cells))
    assert [table.title[:7] for table in found.deid] == ["Table 4", "Table 6"]
    assert all(len(table.rows) == 3 for table in found.deid)
    assert found.switch == found.switch_units == ()
    assert "2 of its 4 tools on 3 of its 24 actors (1, 3, 4)" in found.sentences[0]
    by_id = {claim.id: claim for claim in found.claims}
    assert by_id["K01"].outcome is Outcome.NOT_DECIDABLE
    html = page(make_data(*cells))
    assert html.count('id="study"') == 1
    assert "bench run --suite sex-switch" in html


def test_a_video_without_a_face_is_no_hidden_one() -> None:
    cells = [make_cell("dfaker", 1), make_cell("dfaker", 2, hidden=False)]
    (table,) = section(make_data(*cells)).deid
    assert column(table, "SW-OR")[1] == "\N{EN DASH}"
    assert column(table, "OR-OR")[1] != "\N{EN DASH}"


def test_blendshapes_are_told_to_be_on_another_scale() -> None:
    cells = all_cells(range(1, 4), source="mediapipe-blendshapes")
    found = section(make_data(*cells))
    assert "RMSEs are on another scale" in " ".join(found.sentences)
    assert "mediapipe-blendshapes's scale" in found.units[1].note
    assert "another scale" not in " ".join(section(make_data(*all_cells(range(1, 4)))).sentences)


@pytest.mark.parametrize("other", ["config", "unscored", "beside"])
def test_a_selection_that_repeats_nothing_has_no_section(other: str) -> None:
    cell = make_cell("dfaker", 1, config="smoke" if other == "config" else "thesis")
    if other == "unscored":
        cell = cell.model_copy(update={"score": None, "status": "not_scored", "reason": "Not yet."})
    data = make_data() if other == "beside" else make_data(cell)
    beside = (make_cell("dfaker", 1),) if other == "beside" else ()
    data = data.model_copy(update={"beside": beside})
    assert study_view(data) is None
    if data.cells:
        assert 'href="#study"' not in page(data)


def test_of_two_splits_the_studys_own_is_compared() -> None:
    held_out = make_cell("dfaker", 1, split=Split.HELD_OUT)
    both = section(make_data(make_cell("dfaker", 2), held_out))
    assert column(both.deid[0], "Actor") == ["2"]
    alone = section(make_data(held_out))
    assert "do not train on the test takes" in " ".join(alone.sentences)


def test_cells_beside_are_in_the_section_and_nowhere_else() -> None:
    data = make_data(*all_cells(range(1, 3)), beside=switched_cells())
    assert len(view(data)["data"].cells) == 8
    assert "Giulia" not in {cell.spec.donor.name for cell in data.cells if cell.spec.donor and
                            cell.spec.actor.number % 2}  # fmt: skip
    html = page(data)
    assert len(re.findall("Table 8, DFaker", html)) >= 1
    assert "8 of 8 cells scored" in html


def test_figures_have_both_sides_and_words(whole: StudyView) -> None:
    assert [figure.title for figure in whole.boxes] == [
        "Figure 29, DFaker",
        "Figure 30, DeepFaceLab",
        "Figure 31, Faceswap",
        "Figure 32, Faceswap-GAN",
    ]
    for figure in whole.boxes:
        mine, theirs = figure.traces
        assert len(mine["y"]) == len(theirs["y"]) == 4 * 24
        assert "Medians: OR-OR 0.18" in figure.alt


def test_the_usual_report_has_no_section_of_the_study(full_data: ReportData) -> None:
    assert view(full_data)["study"] is None
