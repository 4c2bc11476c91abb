"""Preparation, on the sample's real clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UnusableInputError, UsageError
from harness.core.hashing import file_sha256
from harness.datasets.prepare import prepare_actor, prepare_donor
from harness.datasets.registry import load_dataset
from harness.media.ffmpeg import run_ffmpeg
from harness.media.join import join_clips
from harness.media.probe import frame_checksums, probe
from harness.model.dataset import Actor, Clip, Dataset, Part, Sex, Span, Split
from harness.store.media import MediaStore


def clip(path: Path, *options: str, size: str = "64x48", rate: str = "25") -> Clip:
    source = f"testsrc2=size={size}:rate={rate}:duration=1"
    run_ffmpeg(["-f", "lavfi", "-i", source, *options, str(path)])
    return Clip(path=path)


def test_agreeing_clips_are_joined_without_loss(tmp_path: Path) -> None:
    clips = [clip(tmp_path / "a.mp4"), clip(tmp_path / "b.mp4", "-vf", "hflip")]
    clips = [c for c in clips if probe(c.path).pixel_format] * 2
    yuv = []
    for number, one in enumerate(clips):
        path = tmp_path / f"y{number}.mp4"
        run_ffmpeg(["-i", str(one.path), "-pix_fmt", "yuv420p", str(path)])
        yuv.append(Clip(path=path))
    join_clips(yuv, tmp_path / "out.mp4")
    expected = [checksum for one in yuv for checksum in frame_checksums(one.path)]
    assert frame_checksums(tmp_path / "out.mp4") == expected


def test_unlike_clips_become_one_even_constant_rate_video(tmp_path: Path) -> None:
    clips = [
        clip(tmp_path / "a.mp4", "-pix_fmt", "yuv444p", size="63x47"),
        clip(tmp_path / "b.mkv", size="120x40", rate="30"),
    ]
    info = join_clips(clips, tmp_path / "out.mp4")
    assert (info.width, info.height, info.fps, info.frames) == (62, 46, "25/1", 50)
    assert (info.pixel_format, info.variable_rate, info.has_audio) == ("yuv420p", False, False)
    again = tmp_path / "again.mp4"
    join_clips(clips, again)
    assert file_sha256(again) == file_sha256(tmp_path / "out.mp4")


def test_a_span_past_the_end_is_refused(tmp_path: Path) -> None:
    one = clip(tmp_path / "a.mp4").model_copy(update={"span": Span(start_s=5)})
    with pytest.raises(UnusableInputError, match="holds nothing"):
        join_clips([one], tmp_path / "out.mp4")


@pytest.mark.clips
def test_an_actor_is_prepared_once_and_the_reference_is_not_from_the_test(
    sample_home: Path,
) -> None:
    dataset = load_dataset("sample", sample_home)
    media = MediaStore(sample_home)
    first = prepare_actor(dataset, 3, Split.HELD_OUT, media)
    assert first.training is not None
    assert "training material" in first.reference_note
    assert first.test.info == probe(media.path(first.test))
    assert first.test.info is not None
    assert (first.test.info.variable_rate, first.test.info.has_audio) == (False, False)
    written = media.path(first.test).stat().st_mtime_ns
    assert prepare_actor(dataset, 3, Split.HELD_OUT, media) == first
    assert media.path(first.test).stat().st_mtime_ns == written


@pytest.mark.clips
def test_the_thesis_split_trains_on_the_test_takes_with_the_same_reference(
    sample_home: Path,
) -> None:
    dataset = load_dataset("sample", sample_home)
    media = MediaStore(sample_home)
    held_out = prepare_actor(dataset, 3, Split.HELD_OUT, media)
    thesis = prepare_actor(dataset, 3, Split.THESIS, media)
    assert thesis.test == held_out.test
    assert thesis.reference == held_out.reference
    assert thesis.training is not None
    assert thesis.training.info is not None
    assert held_out.training is not None
    assert held_out.training.info is not None
    assert thesis.test.info is not None
    added_s = thesis.training.info.duration_s - held_out.training.info.duration_s
    assert added_s == pytest.approx(thesis.test.info.duration_s, abs=0.1)


@pytest.mark.clips
def test_each_donor_photo_shows_one_face(sample_home: Path) -> None:
    import face_recognition

    dataset = load_dataset("sample", sample_home)
    media = MediaStore(sample_home)
    for donor in dataset.donors:
        prepared = prepare_donor(donor, media)
        picture = face_recognition.load_image_file(str(media.path(prepared.reference)))
        assert len(face_recognition.face_locations(picture)) == 1


@pytest.mark.clips
def test_without_training_material_a_photo_is_asked_for(
    sample_dir: Path, sample_home: Path
) -> None:
    test = Clip(path=sample_dir / "no_face.mp4", part=Part.TEST)
    dataset = Dataset(name="x", actors=(Actor(number=1, sex=Sex.MALE, clips=(test,)),))
    with pytest.raises(UnusableInputError, match="photo"):
        prepare_actor(dataset, 1, Split.HELD_OUT, MediaStore(sample_home))


@pytest.mark.clips
def test_a_test_clip_that_is_trained_on_is_refused(sample_dir: Path, sample_home: Path) -> None:
    path = sample_dir / "single_face.mp4"
    clips = (Clip(path=path), Clip(path=path, part=Part.TEST, span=Span(start_s=1)))
    dataset = Dataset(name="x", actors=(Actor(number=1, sex=Sex.MALE, clips=clips),))
    with pytest.raises(UnusableInputError, match="held out"):
        prepare_actor(dataset, 1, Split.HELD_OUT, MediaStore(sample_home))


def test_an_unknown_actor_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no actor"):
        prepare_actor(Dataset(name="x", actors=()), 9, Split.HELD_OUT, MediaStore(tmp_path))
