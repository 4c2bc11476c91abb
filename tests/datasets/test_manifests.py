"""Manifests: what is read, and what the message says when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.datasets.registry import list_datasets, load_dataset
from harness.errors import BenchError, UsageError
from harness.model.dataset import Part, Span

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
    ("text", "line", "field"),
    [
        (GOOD.replace("sex: male", "sex: man"), 5, "actors.0.sex"),
        (GOOD.replace("number: 7", "number: seven"), 4, "actors.0.number"),
        (GOOD.replace("expression", "expresion"), 8, "actors.0.clips.0.expresion"),
        ("name: x\n", 1, "actors"),
    ],
)
def test_a_mistake_is_named_by_line_and_field(
    tmp_path: Path, text: str, line: int, field: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_dataset(write(tmp_path, text), tmp_path)
    assert f"line {line}, {field}" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "actors: []"])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        load_dataset(write(tmp_path, text), tmp_path)


def test_an_actor_number_is_used_once(tmp_path: Path) -> None:
    actor = "  - {number: 1, sex: male, clips: []}\n"
    with pytest.raises(UsageError, match="more than once"):
        load_dataset(write(tmp_path, "actors:\n" + actor * 2), tmp_path)


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
