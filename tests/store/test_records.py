"""Records that know what they are: a flip, a cut, or another's place is damage."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from harness.core.errors import BenchWarning
from harness.media.probe import probe
from harness.store.observations import ObservationStore
from harness.store.records import (
    DamagedError,
    is_content,
    read_members,
    set_aside,
    write_record,
)

MEMBERS = {"mean": 0.349, "count": 3, "name": "Zoë", "inner": {"2": [1, 2.5, None]}}


def test_a_record_reads_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path / "a" / "x.json", MEMBERS)
    assert read_members(tmp_path / "a" / "x.json") == MEMBERS


def test_any_flipped_bit_is_damage_or_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_record(path, MEMBERS)
    data, chance, damaged = path.read_bytes(), random.Random(1), 0
    for _ in range(400):
        at, bit = chance.randrange(len(data)), chance.randrange(8)
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
        try:
            assert read_members(path) == MEMBERS
        except DamagedError:
            damaged += 1
    assert damaged > 300


@pytest.mark.parametrize("other", ["a/y.json", "b/x.json"])
def test_a_record_in_the_place_of_another_is_damage(tmp_path: Path, other: str) -> None:
    write_record(tmp_path / "a" / "x.json", MEMBERS)
    (tmp_path / "b").mkdir()
    shutil.copyfile(tmp_path / "a" / "x.json", tmp_path / other)
    with pytest.raises(DamagedError, match="something else"):
        read_members(tmp_path / other)


def test_a_record_of_a_folder_that_its_user_names_may_move(tmp_path: Path) -> None:
    write_record(tmp_path / "home" / "store.json", MEMBERS, in_any_folder=True)
    (tmp_path / "home").rename(tmp_path / "moved")
    assert read_members(tmp_path / "moved" / "store.json") == MEMBERS


def test_files_set_aside_keep_each_other(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for number in (1, 2, 3):
        path.write_text(str(number))
        with pytest.warns(BenchWarning, match=rf"renamed to x\.json\.corrupt-{number}"):
            set_aside(path, "is no JSON")
    kept = sorted(tmp_path.glob("*.corrupt-*"))
    assert [aside.read_text() for aside in kept] == ["1", "2", "3"]


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not is_content(tmp_path / "pipe", "0" * 64)
    with pytest.raises(DamagedError, match="is no file"):
        read_members(tmp_path / "pipe")


@pytest.mark.clips
def test_two_notes_of_videos_that_changed_places_are_not_believed(
    tmp_path: Path, sample_dir: Path
) -> None:
    store, info = ObservationStore(tmp_path), probe(sample_dir / "single_face.mp4")
    for sha256 in ("1" * 64, "2" * 64):
        store.keep_video_info(sha256, info)
    one, two = sorted(tmp_path.glob("observations/*/*.json"))
    mine, theirs = one.read_bytes(), two.read_bytes()
    one.write_bytes(theirs)
    two.write_bytes(mine)
    with pytest.warns(BenchWarning, match="something else"):
        assert store.video_info("1" * 64) is None
