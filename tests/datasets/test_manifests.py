"""Manifests: what is read, and what the message says when it cannot be."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness.core.errors import BenchError, UsageError
from harness.datasets.registry import list_datasets, load_dataset
from harness.model.dataset import Part, Sex, Span

GOOD = """
name: mine
actors:
  - number: 7
    sex: male
    clips:
      - path: clips/a.mp4
        expression: happy
        span: {start_s: 1, end_s: 2.5}
      - {path: clips/b.mp4, part: test}
donors:
  - {name: d, sex: female, photo: d.jpg}
"""


def write(folder: Path, text: str, name: str = "set.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_paths_are_relative_to_the_manifest(tmp_path: Path) -> None:
    dataset = load_dataset(write(tmp_path, GOOD), tmp_path)
    first, second = dataset.actors[0].clips
    assert first.path == (tmp_path / "clips/a.mp4").resolve()
    assert first.span == Span(start_s=1, end_s=2.5)
    assert second.part is Part.TEST
    assert dataset.donors[0].photo is not None
    assert dataset.donors[0].photo.path == (tmp_path / "d.jpg").resolve()


def test_donors_may_stand_in_their_own_file(tmp_path: Path) -> None:
    manifest = write(tmp_path, GOOD[: GOOD.index("donors:")])
    write(tmp_path, "donors: [{name: e, sex: male, photo: e.jpg}]", "donors.yaml")
    assert [donor.name for donor in load_dataset(manifest, tmp_path).donors] == ["e"]


@pytest.mark.parametrize(
    ("text", "line", "field", "guess"),
    [
        (GOOD.replace("sex: male", "sex: mael"), 5, "actors.0.sex", "did you mean 'male'"),
        (GOOD.replace("number: 7", "number: seven"), 4, "actors.0.number", "integer"),
        (GOOD.replace("number: 7", f"number: {10**18}"), 4, "actors.0.number", "less than"),
        (
            GOOD.replace("expression", "expresion"),
            8,
            "actors.0.clips.0.expresion",
            "did you mean 'expression'",
        ),
        (GOOD.replace("part: test", "part: tets"), 10, "actors.0.clips.1.part", "mean 'test'"),
        (GOOD.replace("start_s", "start"), 9, "actors.0.clips.0.span.start", "mean 'start_s'"),
        (GOOD.replace("2.5", ".inf"), 9, "actors.0.clips.0.span.end_s", "finite"),
        (GOOD.replace("d.jpg", "{pth: d.jpg}"), 12, "donors.0.photo.pth", "mean 'path'"),
        (GOOD.replace("sex: female", "sex: female, sex: male"), 12, "sex", "second time"),
        ("name: x\n", 1, "actors", "missing"),
    ],
)
def test_a_mistake_is_named_by_line_and_field(
    tmp_path: Path, text: str, line: int, field: str, guess: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_dataset(write(tmp_path, text), tmp_path)
    assert f"line {line}, field '{field}'" in str(caught.value)
    assert guess in str(caught.value)
    assert "set.yaml" in str(caught.value)


def test_links_in_a_circle_are_a_sentence(tmp_path: Path) -> None:
    for name in ("clips", "set.yml"):
        (tmp_path / name).symlink_to(name)
    with pytest.raises(UsageError, match=r"clips/a\.mp4 leads nowhere: its links go in a circle"):
        load_dataset(write(tmp_path, GOOD), tmp_path)
    with pytest.raises(UsageError, match=r"set\.yml leads nowhere"):
        load_dataset(str(tmp_path / "set.yml"), tmp_path)


def test_many_actors_are_read_in_seconds(tmp_path: Path) -> None:
    people = "".join(f"  - {{number: {number}, sex: male}}\n" for number in range(20_000))
    began = time.process_time()
    assert len(load_dataset(write(tmp_path, f"actors:\n{people}"), tmp_path).actors) == 20_000
    assert time.process_time() - began < 10


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "actors: []"])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        load_dataset(write(tmp_path, text), tmp_path)


def test_an_actor_number_is_used_once(tmp_path: Path) -> None:
    actor = "  - {number: 1, sex: male, clips: []}\n"
    with pytest.raises(UsageError, match="more than once"):
        load_dataset(write(tmp_path, "actors:\n" + actor * 2), tmp_path)


@pytest.mark.parametrize("name", ["all", "same-sex", "actor07", "a,b", " a", ""])
def test_a_donor_name_that_the_command_line_could_not_tell_is_refused(
    tmp_path: Path, name: str
) -> None:
    text = GOOD.replace("name: d,", f'name: "{name}",')
    with pytest.raises(UsageError, match="cannot be called"):
        load_dataset(write(tmp_path, text), tmp_path)


def test_a_manifest_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml"):
        load_dataset(str(tmp_path / "none.yaml"), tmp_path)


def test_an_even_number_may_be_a_man_in_a_manifest(tmp_path: Path) -> None:
    (actor,) = load_dataset(write(tmp_path, GOOD.replace("7", "8")), tmp_path).actors
    assert (actor.number, actor.sex) == (8, Sex.MALE)


def test_a_folder_of_ravdess_files_is_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "02-01-01-01-01-01-07.mp4").write_bytes(b"x")
    dataset = load_dataset(str(tmp_path), tmp_path / "home")
    assert [actor.number for actor in dataset.actors] == [7]
    (tmp_path / "empty").mkdir()
    with pytest.raises(BenchError, match="no RAVDESS video"):
        load_dataset(str(tmp_path / "empty"), tmp_path)


def test_an_unknown_name_gets_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'ravdess'"):
        load_dataset("ravdes", tmp_path)


def test_what_is_not_fetched_is_listed_as_not_ready(tmp_path: Path) -> None:
    assert [(entry.name, entry.ready) for entry in list_datasets(tmp_path)] == [
        ("sample", False),
        ("ravdess", False),
    ]
    with pytest.raises(BenchError, match="data fetch sample"):
        load_dataset("sample", tmp_path)
