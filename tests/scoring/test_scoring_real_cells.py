"""Whole cells on real video: the controls' right answers, and what becomes of odd videos."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from harness.core.errors import BenchWarning
from harness.execution import score_cells
from harness.model.score import Comparison, SwappedReading
from harness.observe.identity import observe_identity
from harness.observe.video import observe_attributes
from harness.store.observations import ObservationStore
from harness.store.score_files import ScoreStore

if TYPE_CHECKING:
    from tests.scoring.conftest import Bench

pytestmark = pytest.mark.clips

FRAMES = 30


def test_an_untouched_copy_scores_exactly_like_the_original(bench: Bench) -> None:
    copy = bench.home / "copy with 'quotes' é.mp4"
    shutil.copyfile(bench.media.path(bench.original), copy)
    score = bench.score("noop", copy, bench.actor_photo)
    (units,) = score.attributes
    assert score.alignment.aligned
    assert units.mean_pcc == pytest.approx(1.0, abs=1e-12)
    assert units.mean_rmse == 0
    assert units.paired == FRAMES
    found = score.identity.comparisons
    assert found[Comparison.SWAPPED_ORIGINAL] == found[Comparison.ORIGINAL_ORIGINAL]
    assert score.identity.swapped_reading is SwappedReading.DONOR_PHOTO
    dead = {u.unit: u for u in units.units}
    assert not dead["AU06"].measurable
    assert not dead["AU09"].measurable


def test_a_black_video_is_not_detected_rather_than_hidden(bench: Bench) -> None:
    black = bench.write([np.zeros_like(f) for f in bench.source[:FRAMES]], "black.mp4")
    score = bench.score("blackbox", black)
    leak = score.identity.comparisons[Comparison.SWAPPED_ORIGINAL]
    assert leak.fta == 1
    assert leak.used == 0
    assert leak.share_at_or_under_threshold is None
    assert score.identity.evidence == ()
    assert score.identity.swapped_reading is SwappedReading.NONE
    assert "finds no face in any sampled frame" in score.identity.swapped_note
    assert score.attributes[0].mean_pcc is None


def test_a_donor_photo_without_a_face_is_told_and_a_swapped_frame_takes_its_place(
    bench: Bench, sample_dir: Path
) -> None:
    copy = bench.home / "copy.mp4"
    shutil.copyfile(bench.original_path, copy)
    wall = bench.photo(sample_dir / "multi_face.jpg", (0, 0, 60, 60))
    identity = bench.score("swap", copy, wall).identity
    assert identity.swapped_reading is SwappedReading.SWAPPED_FRAME
    assert "finds no face in the photo of donor d" in identity.swapped_note
    donor, frame = identity.swapped_identities
    assert (donor.or_sw, donor.sw_sw) == (None, None)
    assert frame.sw_sw == identity.comparisons[Comparison.SWAPPED_SWAPPED]
    assert frame.sw_sw is not None
    assert frame.sw_sw.asked == bench.protocol.frames - 1


def test_a_late_video_is_found_out_and_its_frames_are_not_paired(bench: Bench) -> None:
    late = bench.write([bench.source[0]] * 4 + bench.source[: FRAMES - 4], "late.mp4")
    score = bench.score("late", late)
    assert score.alignment.lag_frames == 4
    assert not score.alignment.aligned
    assert all(not unit.measurable for unit in score.attributes[0].units)
    assert score.identity.comparisons[Comparison.SWAPPED_ORIGINAL].used > 0


def test_a_short_video_keeps_its_identity_score_but_pairs_nothing(bench: Bench) -> None:
    short = bench.write(bench.source[: FRAMES - 15], "short.mp4")
    score = bench.score("short", short)
    assert not score.alignment.aligned
    assert score.alignment.frames_swapped == FRAMES - 15
    assert score.attributes[0].paired == 0
    swapped = score.identity.comparisons[Comparison.SWAPPED_ORIGINAL]
    assert 0 < swapped.asked < bench.protocol.frames


def refuse(what: str) -> Callable[..., object]:
    def stop(*_: object, **__: object) -> object:
        raise AssertionError(f"{what} was measured again")

    return stop


def test_a_score_is_redone_only_when_its_inputs_change(bench: Bench) -> None:
    copy = bench.home / "copy.mp4"
    shutil.copyfile(bench.media.path(bench.original), copy)
    first = bench.score("noop", copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score_cells, "score", refuse("an unchanged cell"))
        assert bench.score("noop", copy) == first
    store, spec = ScoreStore(bench.home), bench.spec("noop")
    store.path(spec, bench.protocol.name).write_text("{")
    with pytest.warns(BenchWarning, match="is no JSON"):
        assert store.load(spec, bench.protocol.name) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.observe.video.track", refuse("an observed video"))
        patch.setattr("harness.observe.identity._detect_all", refuse("an observed video"))
        assert bench.score("noop", copy) == first


@pytest.mark.own_observations
def test_new_frames_join_the_stored_ones(bench: Bench) -> None:
    sha256 = bench.original.sha256
    asked: list[int] = []
    first = observe_identity(bench.video, [3, 1], bench.observations, lambda d, t: asked.append(t))
    both = observe_identity(bench.video, [1, 5], bench.observations)
    assert first["frame"].tolist() == [1, 3]
    assert both["frame"].tolist() == [1, 5]
    (stored,) = (bench.home / "observations" / sha256).glob("face_recognition@*.parquet")
    assert pd.read_parquet(stored)["frame"].tolist() == [1, 3, 5]
    assert asked == [2, 2]


def test_a_video_without_a_face_has_all_columns_and_no_values(bench: Bench) -> None:
    blank = bench.store([np.zeros_like(bench.source[0])] * 3, "blank.mp4")
    table = observe_attributes(bench.media.video(blank), bench.observations)
    seen = observe_attributes(bench.video, bench.observations)
    assert list(table.columns) == list(seen.columns)
    assert len(table.columns) == 3 + 4 + 52 + 1 + 3
    assert table["faces"].tolist() == [0, 0, 0]
    assert table["jawOpen"].isna().all()
    assert seen["jawOpen"].between(0, 1).all()
    assert seen["yaw_deg"].abs().max() < 90


def test_several_processes_measure_what_one_does(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = observe_identity(bench.video, range(6), bench.observations)
    monkeypatch.setattr("harness.observe.identity._POOL_FROM", 2)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    together = observe_identity(bench.video, range(6), ObservationStore(bench.home / "elsewhere"))
    assert np.array_equal(np.stack(list(alone["embedding"])), np.stack(list(together["embedding"])))


@pytest.mark.own_observations
def test_an_interruption_keeps_what_was_measured(bench: Bench) -> None:
    sha256 = bench.original.sha256

    def interrupt(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        observe_identity(bench.video, range(6), bench.observations, interrupt)
    (stored,) = (bench.home / "observations" / sha256).glob("face_recognition@*.parquet")
    assert pd.read_parquet(stored)["frame"].tolist() == [0, 1]
