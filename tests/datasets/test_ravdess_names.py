"""RAVDESS: names, the held-out trial, and what counts as complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UnusableInputError
from harness.datasets.ravdess import expected_takes, load_ravdess, parse_name
from harness.model.dataset import Part, Sex


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
