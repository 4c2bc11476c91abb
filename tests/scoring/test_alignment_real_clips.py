"""The timing check on real, encoded clips, where the right answer is known (docs/protocol.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.media.frames import Encoding
from harness.media.probe import probe
from harness.model.score import Alignment
from harness.observe.video import observe_video
from harness.scoring.alignment import Thumbnails, align, outside_faces

if TYPE_CHECKING:
    from tests.scoring.conftest import Bench, Frame, Frames

pytestmark = pytest.mark.clips

Hide = Callable[["Frame", tuple[slice, slice]], Any]


class Clip:
    """A still studio background, so that only the face and the hair move: the hard case."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.info = probe(bench.original_path)
        seen = observe_video(bench.video, bench.observations)
        self.pictures = seen.pictures
        self.outside: NDArray[np.bool_] = outside_faces(seen.expressions, self.info)
        row = seen.expressions.iloc[0]
        self.face = (
            slice(int(row["box_y0"]) - 40, int(row["box_y1"]) + 20),
            slice(int(row["box_x0"]) - 20, int(row["box_x1"]) + 20),
        )

    def against(self, frames: Frames, crf: int = 23) -> Alignment:
        path = self.bench.write(frames, "changed.mp4", encoding=Encoding(crf, "veryfast"))
        return align(self.info, probe(path), (self.pictures, pictures_of(path)), self.outside)

    def hidden(self, hide: Hide) -> Frames:
        frames = [frame.copy() for frame in self.bench.source]
        for frame in frames:
            frame[self.face] = hide(frame, self.face)
        return frames


def pictures_of(path: Path) -> Thumbnails:
    from harness.media.frames import read_frames
    from harness.observe.pictures import thumbnail

    return np.stack([thumbnail(frame) / 256.0 for frame in read_frames(path)]).astype(np.float32)


def shifted(frames: Frames, lag: int) -> Frames:
    """Late by ``lag`` frames (early when negative), with the count kept."""
    if lag >= 0:
        return [frames[0]] * lag + frames[: len(frames) - lag]
    return frames[-lag:] + [frames[-1]] * -lag


@pytest.fixture(scope="module")
def clip(
    tmp_path_factory: pytest.TempPathFactory,
    sample_dir: Path,
    face_landmarker: Path,
    encoded: Path,
) -> Iterator[Clip]:
    from tests.scoring.conftest import Bench, first_frames

    # She smiles and turns from here on.
    frames = first_frames(sample_dir / "WolfgangLanger_Pexels.mp4", 410)[350:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_FACE_LANDMARKER", str(face_landmarker))
        home = tmp_path_factory.mktemp("alignment")
        yield Clip(Bench(home, frames, sample_dir / "single_face.jpg", patch, encoded))


def blurred(frame: Frame, face: tuple[slice, slice]) -> Any:
    return cv2.blur(frame[face], (61, 61))


def masked(frame: Frame, face: tuple[slice, slice]) -> Any:
    return (90, 120, 60)


@pytest.mark.parametrize("lag", [0, 1, 3, -2, 10])
def test_a_known_lag_is_found_in_an_encoded_clip(clip: Clip, lag: int) -> None:
    found = clip.against(shifted(clip.bench.source, lag))
    assert found.lag_frames == lag
    assert found.aligned is (lag == 0)


@pytest.mark.parametrize("hide", [blurred, masked])
@pytest.mark.parametrize("lag", [0, 3])
def test_a_hidden_face_is_never_given_a_wrong_lag(clip: Clip, hide: Hide, lag: int) -> None:
    found = clip.against(shifted(clip.hidden(hide), lag))
    assert found.lag_frames in (lag, None)
    if lag == 0:
        assert found.aligned


def test_a_black_box_before_a_still_background_is_not_called_misaligned(clip: Clip) -> None:
    found = clip.against(clip.hidden(lambda *_: 0))
    assert found.aligned
    assert found.lag_frames in (0, None)


def test_a_frozen_video_is_undecided_and_told_so(clip: Clip) -> None:
    found = clip.against([clip.bench.source[0]] * len(clip.bench.source))
    assert found.lag_frames is None
    assert "stands still while the original moves" in found.reason


def test_a_frame_lost_in_the_middle_is_found_out(clip: Clip) -> None:
    frames = clip.bench.source
    half = len(frames) // 2
    found = clip.against([*frames[:half], *frames[half + 1 :], frames[-1]])
    assert not found.aligned
    assert "cannot be paired" in found.reason


def test_another_clip_has_no_lag(clip: Clip, sample_dir: Path) -> None:
    from tests.scoring.conftest import first_frames

    height, width = clip.bench.source[0].shape[:2]
    others = first_frames(sample_dir / "single_face.mp4", len(clip.bench.source))
    other = [cv2.resize(frame, (width, height)) for frame in others]
    other += [other[-1]] * (len(clip.bench.source) - len(other))
    found = clip.against(other)  # type: ignore[arg-type]
    assert found.lag_frames is None
    assert found.lag_correlation is None or found.lag_correlation < 0.4
