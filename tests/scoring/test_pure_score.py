"""A score is a function of observations: no file stands behind these."""

from __future__ import annotations

import ast
import builtins
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import harness.scoring
from harness.model.observed import (
    BLENDSHAPES,
    FACE_BOX,
    FACS_INTENSITY,
    HEAD_POSE,
    POINTS,
    THUMBNAIL_HEIGHT,
    THUMBNAIL_WIDTH,
    FrameTables,
)
from harness.model.protocol import Protocol
from harness.model.score import Comparison, SwappedReading
from harness.model.video import ByVideo, VideoInfo
from harness.scoring.alignment import align_videos
from harness.scoring.observations import (
    DonorPhoto,
    Observations,
    OutsideUnits,
    RecogniserRows,
    VideoObservations,
)
from harness.scoring.quality import why_not_side_by_side
from harness.scoring.score import ScoredCell, score
from harness.vision.recognisers.builtin import DLIB

FRAMES = 60
ACTOR, DONOR = np.zeros(128), np.full(128, 0.1)
PIXELS = (
    *("luminance_original", "luminance_swapped", "sharpness_original", "sharpness_swapped"),
    *("warp_original", "warp_swapped", "background_ssim", "background_mse"),
)
INFO = VideoInfo(
    frames=FRAMES,
    width=640,
    height=360,
    fps="25/1",
    duration_s=FRAMES / 25,
    codec="h264",
    pixel_format="yuv420p",
    has_audio=False,
)


def tables(seed: int) -> FrameTables:
    """A face that moves in front of a moving background; the same for the same seed."""
    random = np.random.default_rng(seed)
    moving = {name: random.uniform(0, 1, FRAMES) for name in (*BLENDSHAPES, "inner_lip_gap")}
    turning = {name: random.uniform(-9, 9, FRAMES) for name in HEAD_POSE}
    box = dict(zip(FACE_BOX, (300.0, 100.0, 360.0, 180.0), strict=True))
    frames = {"frame": range(FRAMES), "time_s": np.arange(FRAMES) / 25, "faces": 1}
    size = FRAMES, THUMBNAIL_HEIGHT, THUMBNAIL_WIDTH
    return FrameTables(
        expressions=pd.DataFrame({**frames, **box, **moving, **turning}),
        pictures=random.uniform(0, 255, size).astype(np.float32),
        landmarks=random.uniform(100, 200, (FRAMES, len(POINTS), 2)).astype(np.float32),
    )


def video(face: np.ndarray | None, seed: int = 1) -> VideoObservations:
    """A video that shows one face in all frames, or none that is recognised."""
    faces = pd.DataFrame({"frame": range(FRAMES), "faces": 0 if face is None else 1})
    faces["embedding"] = pd.Series([face] * FRAMES, dtype=object)
    return VideoObservations(INFO, tables(seed), faces)


def observations(swapped: VideoObservations) -> Observations:
    original = video(ACTOR)
    alignment = align_videos(original, swapped)
    pixels = None
    if not why_not_side_by_side(original, swapped, alignment):
        pixels = pd.DataFrame({"frame": range(FRAMES)} | dict.fromkeys(PIXELS, 1.0))
    return Observations(
        cell_id="c",
        protocol=Protocol(frames=10),
        inputs={"original": "a"},
        original=original,
        swapped=swapped,
        reencoded=original.frames,
        sampled=tuple(range(0, FRAMES, 6)),
        reference=tuple(ACTOR),
        donor=DonorPhoto("d", DONOR),
        alignment=alignment,
        pixels=pixels,
    )


def scored(seen: Observations) -> ScoredCell:
    """``score`` while nothing may be opened or started."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file or a process was wanted")

    # Libraries that are imported by their first use are files too.
    score(seen)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("open", "exists", "stat", "read_bytes", "is_file"):
            patch.setattr(Path, name, refuse)
        patch.setattr(builtins, "open", refuse)
        patch.setattr("subprocess.Popen", refuse)
        return score(seen)


def test_an_untouched_video_is_the_actor_and_keeps_everything() -> None:
    found, frames = scored(observations(video(ACTOR)))
    assert (found.cell_id, found.protocol, found.inputs) == ("c", "thesis", {"original": "a"})
    own, swapped = (
        found.identity.comparisons[one]
        for one in (Comparison.ORIGINAL_ORIGINAL, Comparison.SWAPPED_ORIGINAL)
    )
    assert own == swapped
    assert (swapped.asked, swapped.used, swapped.mean) == (10, 10, 0.0)
    assert frames["frame"].tolist() == list(range(0, FRAMES, 6))
    assert found.leaks is not None
    assert (found.leaks.every_frame, found.leaks.share_of_asked) == (True, 1.0)
    (units,) = found.attributes
    assert units.mean_pcc == pytest.approx(1)
    assert found.utility is not None
    assert found.utility.kept.detection_rate == 1
    assert found.quality is not None
    assert found.quality.reason == ""


def test_the_donors_face_is_far_from_the_actor_and_at_no_distance_from_the_donor() -> None:
    found = scored(observations(video(DONOR))).score.identity
    assert found.swapped_reading is SwappedReading.DONOR_PHOTO
    apart = float(np.linalg.norm(DONOR - ACTOR))
    assert found.comparisons[Comparison.SWAPPED_ORIGINAL].mean == pytest.approx(apart)
    assert found.comparisons[Comparison.SWAPPED_SWAPPED].mean == 0


def test_a_video_without_a_face_and_another_video_are_scores_that_say_why() -> None:
    found = scored(observations(video(None))).score
    leak = found.identity.comparisons[Comparison.SWAPPED_ORIGINAL]
    assert (leak.asked, leak.used, leak.fta) == (10, 0, 1.0)
    shorter = video(ACTOR, seed=2)
    shorter = replace(shorter, info=replace(INFO, frames=FRAMES - 1))
    found = scored(observations(shorter)).score
    assert not found.alignment.aligned
    assert (found.identity.frames, found.attributes[0].frames) == (FRAMES, FRAMES)
    assert found.quality is not None
    assert "59 frames" in found.quality.reason
    assert all(not unit.measurable for unit in found.attributes[0].units)


def test_other_sources_and_recognisers_are_scored_beside_and_change_no_other_number() -> None:
    bare = observations(video(ACTOR))
    wave = pd.DataFrame({"frame": range(FRAMES), "AU12": np.sin(np.arange(FRAMES)) + 1})
    faces = bare.original.faces[["frame", "embedding"]]
    outside = OutsideUnits("other", "Other", FACS_INTENSITY, ("AU12",), ByVideo(wave, wave, None))
    alone = replace(outside, source="alone", title="Alone", rows=ByVideo(wave, None, None))
    nobody = replace(outside, source="nobody", rows=ByVideo[pd.DataFrame | None](None, None, None))
    rows = RecogniserRows(DLIB, faces, faces, ACTOR.astype(np.float32))
    before = scored(bare).score
    found = scored(replace(bare, outside=(outside, alone, nobody), recognisers=(rows,))).score
    own, other, missing = found.attributes
    assert (own,) == before.attributes
    assert (other.source, other.scale, other.mean_pcc) == ("other", FACS_INTENSITY.name, 1.0)
    assert missing.units[0].reason == "there is no Alone file of the swapped video"
    assert found.recognisers[0].sw_or.mean == 0
    changed = {"attributes": found.attributes, "recognisers": found.recognisers}
    assert before.model_copy(update=changed) == found


FORBIDDEN = ("harness.observe", "harness.media", "harness.tools", "harness.store", "subprocess")
SEEING = ("harness.vision",)
PLAIN = ("harness.vision.boxes", "harness.vision.recognisers.base")
"""Geometry of boxes, and what a recogniser says of itself: nothing in these looks at a picture."""
SOURCES = {path.name: path.read_text() for path in Path(harness.scoring.__path__[0]).rglob("*.py")}


def imported(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{one.name}" for one in node.names)}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    return found


def test_no_module_of_scoring_can_look_at_a_video() -> None:
    for name, source in SOURCES.items():
        for module in imported(source):
            assert not module.startswith(FORBIDDEN), f"{name} imports {module}"
            assert module not in ("pathlib", "os", "cv2"), f"{name} imports {module}"
            if module.startswith(SEEING):
                assert module.startswith(PLAIN), f"{name} imports {module}"
