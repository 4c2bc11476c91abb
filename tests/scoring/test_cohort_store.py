"""Cells of a cohort, how its score is kept and loaded, and what a query finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.core.base import SCHEMA_VERSION
from harness.core.errors import BenchWarning, StoreError
from harness.execution import cohorts as cohort_store
from harness.execution.cohorts import cohorts_of, load_cohorts, score_cohort
from harness.model.cell import Artifact, CellSpec, Result
from harness.model.cohort import CohortScore
from harness.model.dataset import MediaRef, PreparedActor, PreparedDonor, Sex, Split
from harness.model.protocol import Protocol
from harness.model.score import CellScore, Comparison, Distances, Identity
from harness.model.score import SwappedReading as Reading
from harness.model.video import VideoInfo
from harness.scoring.cohort.compute import alike, compute
from harness.scoring.cohort.members import crop_vectors
from harness.scoring.cohort.trials import Member
from harness.store.atomic import write_json
from harness.store.cells import CellStore
from harness.store.query import query
from harness.store.score_files import ScoreStore
from tests.scores import aligned
from tests.scoring.cohorts import People

MEDIA = MediaRef(sha256="0" * 64, suffix=".mp4")
PROTOCOL = Protocol()
RESULT = Result(
    cell_id="0" * 64,
    attempt="1",
    swapped=Artifact(path="swapped.mp4", sha256="5" * 64, size_bytes=1),
    steps=(),
)


def spec(actor: int, tool: str = "blur", donor: str | None = None, **settings: int) -> CellSpec:
    prepared = PreparedDonor(
        name=donor or "", sex=Sex.MALE, training=None, reference=MEDIA, reference_note=""
    )
    return CellSpec(
        tool=tool,
        version="1",
        config="default",
        settings=dict(settings),
        dataset="sample",
        split=Split.HELD_OUT,
        actor=PreparedActor(
            number=actor,
            sex=Sex.MALE,
            split=Split.HELD_OUT,
            training=None,
            test=MEDIA,
            reference=MEDIA,
            reference_note="",
        ),
        donor=prepared if donor else None,
    )


def score(cell: CellSpec, **inputs: str) -> CellScore:
    return CellScore(
        cell_id=cell.id,
        protocol=PROTOCOL.name,
        inputs=inputs,
        alignment=aligned(4),
        identity=Identity(
            recogniser="r",
            threshold=0.6,
            comparisons={Comparison.SWAPPED_ORIGINAL: Distances(asked=4, used=4, several_faces=0)},
            swapped_reading=Reading.SWAPPED_FRAME,
            seed=1,
            frames=4,
        ),
        attributes=(),
    )


def keep(home: Path, cell: CellSpec, **inputs: str) -> None:
    write_json(home / "scores" / cell.id / f"{PROTOCOL.name}.json", score(cell, **inputs))


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> People:
    """Cells of synthetic people, whose videos need not be there."""
    made = People(4)
    members = {m.actor: m for m in made.members(lambda n: made.original[n])}

    def member(cell: CellSpec, *_: object) -> Member:
        return members[cell.actor.number]

    monkeypatch.setattr(cohort_store, "load_member", member)
    monkeypatch.setattr(CellStore, "result", lambda *_: RESULT)
    return made


def test_cells_that_differ_in_actor_and_donor_only_are_a_cohort() -> None:
    cells = [
        spec(2, donor="b"),
        spec(1, donor="b"),
        spec(1, donor="a"),
        spec(1, strength=3),
        spec(1, "mask"),
        spec(2, "mask"),
    ]
    groups = [[(c.actor.number, c.donor and c.donor.name) for c in group] for group in alike(cells)]
    assert groups == [[(1, "a"), (1, "b"), (2, "b")], [(1, None)], [(1, None), (2, None)]]


def test_a_cohorts_score_is_stored_once_and_loaded_for_the_same_selection_only(
    tmp_path: Path, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [spec(n) for n in people.numbers]
    for cell in cells:
        keep(tmp_path, cell)
    assert load_cohorts(tmp_path, cells, PROTOCOL.name) == ()
    (cohort,) = cohorts_of(tmp_path, cells, PROTOCOL.name)
    made = score_cohort(cohort, tmp_path, PROTOCOL)
    assert made.actors == people.numbers
    assert made.impostor_pairs == 6
    assert load_cohorts(tmp_path, list(reversed(cells)), PROTOCOL.name) == (made,)
    assert load_cohorts(tmp_path, cells[:3], PROTOCOL.name) == ()
    monkeypatch.setattr(cohort_store, "compute", lambda *_: pytest.fail("computed again"))
    assert score_cohort(cohort, tmp_path, PROTOCOL) == made


def test_a_cell_that_was_scored_anew_makes_another_cohort(tmp_path: Path, people: People) -> None:
    cells = [spec(n) for n in people.numbers]
    for cell in cells:
        keep(tmp_path, cell)
    (before,) = cohorts_of(tmp_path, cells, PROTOCOL.name)
    score_cohort(before, tmp_path, PROTOCOL)
    keep(tmp_path, cells[0], reference="other")
    assert load_cohorts(tmp_path, cells, PROTOCOL.name) == ()


def test_a_cell_whose_score_is_of_an_earlier_result_is_not_attacked(
    tmp_path: Path, people: People
) -> None:
    cells = [spec(n) for n in (1, 2, 3)]
    for cell, sha256 in zip(cells, ("5" * 64, "5" * 64, "6" * 64), strict=True):
        keep(tmp_path, cell, swapped=sha256)
    (cohort,) = cohorts_of(tmp_path, cells, PROTOCOL.name)
    assert [one.actor.number for one in cohort.specs] == [1, 2]


def test_cells_without_a_score_or_a_result_are_not_attacked(
    tmp_path: Path, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [spec(n) for n in (1, 2, 3)]
    keep(tmp_path, cells[0])
    keep(tmp_path, cells[1])

    def result(self: CellStore, cell: CellSpec) -> Result | object | None:
        return None if cell.actor.number == 2 else RESULT

    monkeypatch.setattr(CellStore, "result", result)
    (cohort,) = cohorts_of(tmp_path, cells, PROTOCOL.name)
    assert [cell.actor.number for cell in cohort.specs] == [1]
    assert cohorts_of(tmp_path, cells[1:], PROTOCOL.name) == ()


def test_a_damaged_cohort_is_set_aside_and_computed_again(tmp_path: Path, people: People) -> None:
    cell = spec(1)
    keep(tmp_path, cell)
    (cohort,) = cohorts_of(tmp_path, [cell], PROTOCOL.name)
    made = score_cohort(cohort, tmp_path, PROTOCOL)
    path = ScoreStore(tmp_path).cohort_path(cohort.key, PROTOCOL.name)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.warns(BenchWarning, match=r"is no JSON\. It was renamed to .*\.corrupt-1"):
        assert load_cohorts(tmp_path, [cell], PROTOCOL.name) == ()
    assert path.with_name(f"{path.name}.corrupt-1").exists()
    assert score_cohort(cohort, tmp_path, PROTOCOL) == made
    newer = made.model_copy(update={"schema_version": SCHEMA_VERSION + 1})
    write_json(path, newer)
    with pytest.raises(StoreError, match="newer version"):
        load_cohorts(tmp_path, [cell], PROTOCOL.name)


def cohort_score(people: People, home: Path, count: int) -> CohortScore:
    cells = [spec(n) for n in people.numbers[:count]]
    for cell in cells:
        keep(home, cell)
    (cohort,) = cohorts_of(home, cells, PROTOCOL.name)
    members = people.members(lambda n: people.original[n])[:count]
    return compute(cohort, members, PROTOCOL)


def test_a_cohort_of_one_says_what_cannot_be_computed(tmp_path: Path, people: People) -> None:
    found = cohort_score(people, tmp_path, 1)
    assert found.worst_attack is None
    assert found.fmr_floor is None
    assert found.swapped_split is not None
    assert found.swapped_split.matched == 1
    assert found.notes[0].startswith("One actor")


def test_a_query_finds_every_attacker_with_its_control(tmp_path: Path, people: People) -> None:
    made = cohort_score(people, tmp_path, 4)
    write_json(ScoreStore(tmp_path).cohort_path(made.key, PROTOCOL.name), made)
    columns = "attacker, worst, actors, label, rank_1, chance, control_rank_1, reason"
    rows = query(tmp_path, f"SELECT {columns} FROM cohorts ORDER BY place")
    assert [row["attacker"] for row in rows] == ["naive", "parrot", "informed", "motion"]
    first = {"worst": True, "actors": 4, "label": "blur-1-default", "rank_1": 1.0}
    assert first.items() <= rows[0].items()
    assert (rows[0]["chance"], rows[0]["control_rank_1"]) == (0.25, 1.0)
    assert [row["worst"] for row in rows[1:]] == [False] * 3
    assert rows[3]["rank_1"] is None
    assert rows[3]["reason"]


def test_crops_are_vectors_without_the_light_of_the_scene() -> None:
    info = VideoInfo(
        frames=90,
        width=1,
        height=1,
        fps="0/1",
        duration_s=1,
        codec="",
        pixel_format="",
        has_audio=False,
    )
    pictures = np.random.default_rng(1).integers(0, 120, (80, 4, 4)).astype(np.uint8)
    dark = crop_vectors(np.arange(80), pictures, info)
    bright = crop_vectors(np.arange(80), 2 * pictures + 15, info)
    assert dark.vectors == pytest.approx(bright.vectors)
    assert (dark.vectors.shape, dark.total, dark.fps) == ((60, 16), 90, 25.0)
    nothing = crop_vectors(np.arange(0), pictures[:0], info)
    assert nothing.vectors.shape == (0, 16)
