"""Both splits of RAVDESS, on a small folder of real clips under RAVDESS names."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.datasets.prepare import prepare_actor
from harness.datasets.ravdess import load_ravdess
from harness.media.ffmpeg import run_ffmpeg
from harness.media.probe import probe
from harness.model.dataset import MediaRef, Part, Split
from harness.store.media import MediaStore

FRAMES = {
    "02-01-01-01-01-01-04": 9,  # neutral, statement 1, trial 1: trained on
    "02-01-03-02-02-01-04": 8,  # happy, strong, statement 2, trial 1: trained on
    "02-01-03-01-02-02-04": 7,  # happy, statement 2, trial 2: the test clip
    "02-01-03-02-02-02-04": 6,  # happy, strong, statement 2, trial 2: the thesis split only
    "01-01-03-02-02-02-04": 5,  # the same with sound: never used
}


@pytest.fixture
def folder(sample_dir: Path, tmp_path: Path) -> Path:
    """Stretches of the sample woman's clip; each has a length of its own, to be recognised by."""
    root = tmp_path / "ravdess" / "Actor_04"
    root.mkdir(parents=True)
    for number, (name, frames) in enumerate(FRAMES.items()):
        source = ["-ss", str(10 + number / 2), "-i", str(sample_dir / "WolfgangLanger_Pexels.mp4")]
        shape = ["-vf", "scale=320:180", "-an", "-frames:v", str(frames), "-pix_fmt", "yuv420p"]
        run_ffmpeg([*source, *shape, str(root / f"{name}.mp4")])
    return root.parent


def frames(ref: MediaRef | None) -> int:
    assert ref is not None
    assert ref.info is not None
    return ref.info.frames


@pytest.mark.clips
def test_the_thesis_split_trains_on_every_clip_and_the_held_out_one_on_no_take_of_the_trial(
    folder: Path, sample_home: Path
) -> None:
    dataset, media = load_ravdess(folder), MediaStore(sample_home)
    held_out = prepare_actor(dataset, 4, Split.HELD_OUT, media)
    thesis = prepare_actor(dataset, 4, Split.THESIS, media)
    assert (frames(held_out.training), frames(held_out.test)) == (9 + 8, 7)
    assert (frames(thesis.training), frames(thesis.test)) == (9 + 8 + 7 + 6, 7)
    assert (held_out.split, thesis.split) == (Split.HELD_OUT, Split.THESIS)
    assert thesis.test == held_out.test
    assert thesis.reference == held_out.reference
    for prepared in (held_out, thesis):
        assert prepared.training is not None
        assert probe(media.path(prepared.training)) == prepared.training.info


@pytest.mark.clips
def test_a_clip_for_the_thesis_split_only_is_not_opened_for_the_other(
    folder: Path, sample_home: Path
) -> None:
    dataset, media = load_ravdess(folder), MediaStore(sample_home)
    (extra,) = [c.path for c in dataset.actors[0].clips if c.part is Part.THESIS_ONLY]
    extra.unlink()
    assert frames(prepare_actor(dataset, 4, Split.HELD_OUT, media).training) == 17
