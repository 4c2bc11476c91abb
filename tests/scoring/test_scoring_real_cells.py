"""Whole cells on real video: the controls' right answers, and an independent computation."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import face_recognition
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from harness.canonical import file_sha256
from harness.media.frames import VideoWriter, read_frames, read_frames_at
from harness.media.probe import probe
from harness.model.cell import Artifact, CellSpec, Result
from harness.model.dataset import MediaRef, PreparedActor, PreparedDonor, Sex, Split
from harness.model.score import CellScore, Comparison
from harness.observe.attributes import observe_attributes
from harness.observe.identity import observe_identity
from harness.scoring import score as scoring
from harness.scoring.frames import sample_frames
from harness.scoring.protocol import Protocol
from harness.scoring.score import frames_path, load_score, score_cell, score_path
from harness.store.cells import CellStore
from harness.store.media import MediaStore

pytestmark = pytest.mark.clips

FRAMES = 30
PROTOCOL = Protocol(frames=5)
Frames = list[NDArray[np.uint8]]


class Bench:
    """A home with one short original, and swapped videos made from its frames."""

    def __init__(self, home: Path, clip: Path, photo: Path, patch: pytest.MonkeyPatch) -> None:
        self.home, self.patch = home, patch
        self.media = MediaStore(home)
        self.source = [f for f, _ in zip(read_frames(clip), range(FRAMES), strict=False)]
        self.original = self.store(self.source[:FRAMES], "original.mp4")
        self.actor_photo = self.photo(photo)

    def write(self, frames: Frames, name: str) -> Path:
        path = self.home / name
        height, width = frames[0].shape[:2]
        with VideoWriter(path, width, height, "24/1") as video:
            for frame in frames:
                video.write(frame)
        return path

    def store(self, frames: Frames, name: str) -> MediaRef:
        path = self.write(frames, name)
        return self.media.add(path, ".mp4", probe(path))

    def photo(self, path: Path) -> MediaRef:
        from PIL import Image

        png = self.home / "photo.png"
        with Image.open(path) as image:
            image.convert("RGB").save(png)
        return self.media.add(png, ".png", None)

    def spec(self, tool: str, donor: MediaRef | None = None) -> CellSpec:
        return CellSpec(
            tool=tool,
            version="1",
            config="default",
            settings={},
            dataset="sample",
            split=Split.HELD_OUT,
            actor=PreparedActor(
                number=1,
                sex=Sex.MALE,
                split=Split.HELD_OUT,
                training=None,
                test=self.original,
                reference=self.actor_photo,
                reference_note="a photo",
            ),
            donor=PreparedDonor(
                name="d", sex=Sex.MALE, training=None, reference=donor, reference_note=""
            )
            if donor
            else None,
        )

    def score(self, tool: str, swapped: Path, donor: MediaRef | None = None) -> CellScore:
        spec = self.spec(tool, donor)
        artifact = Artifact(
            path="swapped.mp4", sha256=file_sha256(swapped), size_bytes=swapped.stat().st_size
        )
        result = Result(cell_id=spec.id, attempt="1", swapped=artifact, steps=())
        self.patch.setattr(CellStore, "result", lambda *_: result)
        self.patch.setattr(CellStore, "swapped_path", lambda *_: swapped)
        return score_cell(spec, self.home, PROTOCOL)


@pytest.fixture
def bench(
    tmp_path: Path, sample_dir: Path, face_landmarker: Path, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    monkeypatch.setenv("BENCH_FACE_LANDMARKER", str(face_landmarker))
    clip = sample_dir / "WolfgangLanger_Pexels.mp4"
    return Bench(tmp_path, clip, sample_dir / "single_face.jpg", monkeypatch)


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
    assert score.identity.swapped_reading == "donor photo"
    dead = {u.unit: u for u in units.units}
    assert not dead["AU06"].measurable
    assert not dead["AU09"].measurable


def test_distances_agree_with_face_recognition_used_directly(
    bench: Bench, sample_dir: Path
) -> None:
    copy = bench.home / "copy.mp4"
    shutil.copyfile(bench.media.path(bench.original), copy)
    bench.score("noop", copy)
    table = pd.read_parquet(frames_path(bench.spec("noop"), bench.home, PROTOCOL))
    frames = sample_frames(FRAMES, PROTOCOL.frames, PROTOCOL.seed)
    assert tuple(table["frame"]) == frames
    photo = face_recognition.load_image_file(bench.media.path(bench.actor_photo))
    (reference,) = face_recognition.face_encodings(photo)
    for frame, picture in read_frames_at(copy, frames):
        encoding = face_recognition.face_encodings(np.ascontiguousarray(picture[:, :, ::-1]))[0]
        direct = face_recognition.face_distance([reference], encoding)[0]
        stored = table.loc[table["frame"] == frame, "sw_or"].item()
        assert stored == pytest.approx(direct, abs=1e-6)


def test_a_black_video_is_not_detected_rather_than_hidden(bench: Bench) -> None:
    black = bench.write([np.zeros_like(f) for f in bench.source[:FRAMES]], "black.mp4")
    score = bench.score("blackbox", black)
    leak = score.identity.comparisons[Comparison.SWAPPED_ORIGINAL]
    assert leak.fta == 1
    assert leak.used == 0
    assert leak.share_at_or_under_threshold is None
    assert score.identity.evidence == ()
    assert score.identity.swapped_reading == "swapped frame"
    assert score.attributes[0].mean_pcc is None


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
    assert 0 < swapped.asked < PROTOCOL.frames


def refuse(what: str) -> Callable[..., object]:
    def stop(*_: object, **__: object) -> object:
        raise AssertionError(f"{what} was measured again")

    return stop


def test_a_score_is_redone_only_when_its_inputs_change(bench: Bench) -> None:
    copy = bench.home / "copy.mp4"
    shutil.copyfile(bench.media.path(bench.original), copy)
    first = bench.score("noop", copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "_compute", refuse("an unchanged cell"))
        assert bench.score("noop", copy) == first
    score_path(bench.spec("noop"), bench.home, PROTOCOL.name).write_text("{")
    assert load_score(bench.spec("noop"), bench.home, PROTOCOL.name) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.observe.attributes._measure", refuse("an observed video"))
        patch.setattr("harness.observe.identity._detect_all", refuse("an observed video"))
        assert bench.score("noop", copy) == first


def test_new_frames_join_the_stored_ones(bench: Bench) -> None:
    path, sha256 = bench.media.path(bench.original), bench.original.sha256
    asked: list[int] = []
    first = observe_identity(path, sha256, [3, 1], bench.home, lambda d, t: asked.append(t))
    both = observe_identity(path, sha256, [1, 5], bench.home)
    assert first["frame"].tolist() == [1, 3]
    assert both["frame"].tolist() == [1, 5]
    (stored,) = (bench.home / "observations" / sha256).glob("face_recognition@*.parquet")
    assert pd.read_parquet(stored)["frame"].tolist() == [1, 3, 5]
    assert asked == [2, 2]


def test_a_video_without_a_face_has_all_columns_and_no_values(bench: Bench) -> None:
    blank = bench.store([np.zeros_like(bench.source[0])] * 3, "blank.mp4")
    table = observe_attributes(bench.media.path(blank), blank.sha256, bench.home)
    seen = observe_attributes(bench.media.path(bench.original), bench.original.sha256, bench.home)
    assert list(table.columns) == list(seen.columns)
    assert len(table.columns) == 3 + 4 + 52 + 1 + 3
    assert table["faces"].tolist() == [0, 0, 0]
    assert table["jawOpen"].isna().all()
    assert seen["jawOpen"].between(0, 1).all()
    assert seen["yaw_deg"].abs().max() < 90


def test_several_processes_measure_what_one_does(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, sha256 = bench.media.path(bench.original), bench.original.sha256
    alone = observe_identity(path, sha256, range(6), bench.home)
    monkeypatch.setattr("harness.observe.identity._POOL_FROM", 2)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    together = observe_identity(path, sha256, range(6), bench.home / "elsewhere")
    assert np.array_equal(np.stack(list(alone["embedding"])), np.stack(list(together["embedding"])))


def test_an_interruption_keeps_what_was_measured(bench: Bench) -> None:
    path, sha256 = bench.media.path(bench.original), bench.original.sha256

    def interrupt(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        observe_identity(path, sha256, range(6), bench.home, interrupt)
    (stored,) = (bench.home / "observations" / sha256).glob("face_recognition@*.parquet")
    assert pd.read_parquet(stored)["frame"].tolist() == [0, 1]


def test_the_main_of_several_faces_does_not_depend_on_the_frames_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two_faces(_: Path, frames: list[int]) -> list[tuple[int, object]]:
        large, small = (0, 200, 200, 0), (10, 350, 60, 300)
        found = ([large, small], [np.full(128, 1.0), np.full(128, 2.0)])
        return [(frame, found) for frame in frames]

    tracked = pd.DataFrame(
        {"frame": [0, 1, 2], "faces": [1, 1, 0]}
        | {f"box_{side}": value for side, value in zip(("x0", "y0", "x1", "y1"), BOX, strict=True)}
    )
    monkeypatch.setattr("harness.observe.identity._detect_all", two_faces)
    monkeypatch.setattr("harness.observe.identity.observe_attributes", lambda *_: tracked)
    path = bench.media.path(bench.original)
    whole = observe_identity(path, "a", [0, 1, 2], bench.home)
    single = observe_identity(path, "b", [1], bench.home)
    assert [row[0] for row in whole["embedding"]] == [2.0, 2.0, 1.0]
    assert single["embedding"].iloc[0][0] == 2.0
    assert whole["faces"].tolist() == [2, 2, 2]


BOX = (300.0, 10.0, 350.0, 60.0)
