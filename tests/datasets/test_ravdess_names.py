"""RAVDESS: names, the held-out trial, and what counts as complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UnusableInputError
from harness.datasets.ravdess import expected_takes, load_ravdess, parse_name
from harness.datasets.verify import verify
from harness.model.dataset import Actor, Part, Sex
from tests.media.odd_files import pattern


def fill(root: Path, actor: int, modality: int = 2) -> None:
    folder = root / f"Actor_{actor:02d}"
    folder.mkdir(parents=True, exist_ok=True)
    for channel, emotion, intensity, statement, repetition in expected_takes(actor):
        name = f"{modality:02d}-{channel:02d}-{emotion:02d}-{intensity:02d}-{statement:02d}"
        (folder / f"{name}-{repetition:02d}-{actor:02d}.mp4").write_bytes(b"x")


def test_a_name_tells_the_take() -> None:
    take = parse_name("02-01-06-01-02-01-12.mp4")
    assert take is not None
    assert (take.actor, take.expression) == (12, "speech-fearful")


@pytest.mark.parametrize(
    "name",
    ["02-01-06-01-02-01-25.mp4", "02-01-09-01-02-01-12.mp4", "02-01-06.mp4", "a-b-c-d-e-f-g.mp4"],
)
def test_a_name_outside_the_scheme_is_no_take(name: str) -> None:
    assert parse_name(name) is None


@pytest.mark.parametrize(("actor", "count"), [(1, 104), (2, 104), (18, 60)])
def test_an_actor_has_60_spoken_and_44_sung_takes_and_actor_18_does_not_sing(
    actor: int, count: int
) -> None:
    assert len(expected_takes(actor)) == count


def test_no_take_of_a_test_trial_is_trained_on(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    fill(tmp_path, 3, modality=1)
    (actor,) = load_ravdess(tmp_path).actors
    test = [clip for clip in actor.clips if clip.part is Part.TEST]
    training = [parse_name(c.path.name) for c in actor.clips if c.part is Part.TRAINING]
    assert len(test) == len({clip.expression for clip in test}) == 14
    assert all(take and not take.is_test_trial for take in training)
    # 8 + 7 spoken and 6 + 5 sung takes belong to the trial: 26 of 104, 14 of them shown.
    assert len(training) == 104 - 26
    strong = [parse_name(c.path.name) for c in actor.clips if c.part is Part.THESIS_ONLY]
    assert len(strong) == 12
    assert all(take and take.is_test_trial and take.intensity == 2 for take in strong)
    assert len(actor.clips) == 104
    assert actor.remark == ""


def test_missing_clips_are_remarked(tmp_path: Path) -> None:
    fill(tmp_path, 18)
    (tmp_path / "Actor_18" / "02-01-01-01-02-02-18.mp4").unlink()
    (actor,) = load_ravdess(tmp_path).actors
    assert actor.remark.startswith("1 of 60 clips are missing")
    assert all(clip.path.name.startswith("02-") for clip in actor.clips)


def test_odd_actors_are_men_and_even_ones_women(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    fill(tmp_path, 18)
    sexes = {actor.number: actor.sex for actor in load_ravdess(tmp_path).actors}
    assert sexes == {3: Sex.MALE, 18: Sex.FEMALE}


def test_an_empty_folder_is_not_a_dataset(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="no RAVDESS video"):
        load_ravdess(tmp_path)


def only(root: Path) -> Actor:
    (actor,) = load_ravdess(root).actors
    return actor


def names(actor: Actor) -> list[str]:
    return [clip.path.name for clip in actor.clips]


def test_copies_with_sound_are_used_where_there_is_no_other(tmp_path: Path) -> None:
    fill(tmp_path / "both", 3)
    fill(tmp_path / "sound", 3, modality=1)
    silent, sound = only(tmp_path / "both"), only(tmp_path / "sound")
    assert [(c.expression, c.part) for c in sound.clips] == [
        (c.expression, c.part) for c in silent.clips
    ]
    assert sound.remark == (
        "104 of 104 clips are the copies with sound, which show the same pictures"
    )
    (tmp_path / "sound" / "Actor_03" / "01-01-01-01-01-01-03.mp4").rename(
        tmp_path / "sound" / "02-01-01-01-01-01-03.mp4"
    )
    mixed = only(tmp_path / "sound")
    assert mixed.remark.startswith("103 of 104")
    assert names(mixed)[0] == "02-01-01-01-01-01-03.mp4"


@pytest.mark.parametrize(
    "name",
    [
        "{}.MP4",
        "{} (1).mp4",
        "{}(2).mp4",
        "{} - Copy.mp4",
        "{} - Copy (3).MP4",
        "{} copy.mp4",
        "{} copy 2.mp4",
    ],
)
def test_names_that_browsers_and_file_managers_change_are_read(tmp_path: Path, name: str) -> None:
    fill(tmp_path, 18)
    take = tmp_path / "Actor_18" / "02-01-01-01-02-02-18.mp4"
    take.rename(take.with_name(name.format(take.stem)))
    actor = only(tmp_path)
    assert (len(actor.clips), actor.remark) == (60, "")


def test_of_several_files_of_a_take_the_whole_one_without_sound_is_used(tmp_path: Path) -> None:
    fill(tmp_path, 18)
    folder = tmp_path / "Actor_18"
    first = folder / "02-01-01-01-02-02-18.mp4"
    first.with_name(f"{first.stem} (1).mp4").write_bytes(b"x")
    first.with_name(f"01{first.stem[2:]}.mp4").write_bytes(b"much longer")
    assert first.name in names(only(tmp_path))
    # The first download ended early, and so did another one before it began.
    first.with_name(f"{first.stem} (1).mp4").write_bytes(b"whole")
    second = folder / "02-01-01-01-01-01-18.mp4"
    second.write_bytes(b"")
    second.with_name(f"01{second.stem[2:]}.mp4").write_bytes(b"x")
    used = names(only(tmp_path))
    assert f"{first.stem} (1).mp4" in used
    assert f"01{second.stem[2:]}.mp4" in used
    assert len(used) == 60


def test_a_folder_is_found_behind_a_link_and_read_once(tmp_path: Path) -> None:
    fill(tmp_path / "disk", 18)
    root = tmp_path / "ravdess"
    root.mkdir()
    (root / "Actor_18").symlink_to(tmp_path / "disk" / "Actor_18")
    (tmp_path / "disk" / "Actor_18" / "again").symlink_to(root)
    assert len(only(root).clips) == 60


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("Video_Speech_Actor_03.zip", "Video_Speech_Actor_03.zip is there, and was not unpacked"),
        ("03-01-01-01-01-01-03.wav", "the 1 file with a RAVDESS name is sound alone"),
        ("03-01-01-01-01-01-03.mp4", "the 1 file with a RAVDESS name is sound alone"),
        ("01-01-01-01-01-01-03.avi", "01-01-01-01-01-01-03.avi is not the MP4 that RAVDESS has"),
        ("1188976.zip", "1188976.zip is there, and was not unpacked"),
        ("Audio_Speech_Actors_01-24.zip", "the 1 file with a RAVDESS name is sound alone"),
        ("Copy of 02-01-01-01-01-01-03.mp4", "rename it 02-01-01-01-01-01-03.mp4."),
        ("02-01-01-01-01-01-03 - Kopie.MP4", "rename it 02-01-01-01-01-01-03.mp4."),
        ("02-01-01-01-01-01-03_1.mp4", "rename it 02-01-01-01-01-01-03.mp4."),
        ("._02-01-01-01-01-01-03.mp4", "it was not fetched, or lies elsewhere"),
    ],
)
def test_a_folder_without_a_video_to_use_is_named_by_what_it_holds(
    tmp_path: Path, file: str, says: str
) -> None:
    (tmp_path / file).write_bytes(b"x")
    with pytest.raises(UnusableInputError) as caught:
        load_ravdess(tmp_path)
    assert says in caught.value.message


def test_takes_in_another_format_are_counted_among_the_missing(tmp_path: Path) -> None:
    fill(tmp_path, 18)
    take = tmp_path / "Actor_18" / "02-01-01-01-02-02-18.mp4"
    take.rename(take.with_suffix(".mov"))
    assert only(tmp_path).remark == (
        "1 of 60 clips are missing (1 of them is there in another format than MP4, encoded "
        "again); see `bench data verify`"
    )


def test_verifying_counts_the_files_that_would_be_used(tmp_path: Path) -> None:
    folder = tmp_path / "Actor_18"
    folder.mkdir()
    source = "testsrc=size=32x32:rate=5:duration=0.4"
    for name, pictures in (
        ("01-01-01-01-01-01-18.mp4", source),
        ("02-01-01-01-01-02-18.MP4", "color=c=red:size=32x32:rate=5:duration=0.4"),
        ("01-01-01-01-01-02-18.mp4", source),
        ("02-01-01-01-02-02-18.mp4", "testsrc2=size=32x32:rate=5:duration=0.4"),
        ("02-01-01-01-02-02-18 (1).mp4", "color=c=blue:size=32x32:rate=5:duration=0.4"),
    ):
        pattern(folder / name, source=pictures)
    (folder / "02-01-03-01-02-02-18.avi").write_bytes(b"x")
    (folder / "03-01-03-01-02-02-18.wav").write_bytes(b"x")
    (tmp_path / "Video_Song_Actor_03.zip").write_bytes(b"x")
    report = verify(tmp_path)
    (actor,) = report.actors
    assert (actor.present, actor.expected, len(actor.missing)) == (3, 60, 57)
    assert (actor.sound_used, actor.with_sound, report.sounds) == (1, 1, 1)
    assert [sorted(Path(one).name for one in group) for group in actor.different] == [
        ["02-01-01-01-02-02-18 (1).mp4", "02-01-01-01-02-02-18.mp4"]
    ]
    assert [Path(one).name for one in actor.converted] == ["02-01-03-01-02-02-18.avi"]
    assert [Path(one).name for one in report.archives] == ["Video_Song_Actor_03.zip"]
