"""``bench verify``, and a few of the corruptions of ``tests.store.corruptions``."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.base import SCHEMA_VERSION
from harness.core.errors import BenchWarning, StoreError
from harness.core.hashing import canonical_json
from harness.store.archives import Archive, Member
from harness.store.atomic import find_kept, keep
from harness.store.cells import CellStore
from harness.store.query import query
from harness.store.tables import read_table, write_table
from harness.store.verify import verify_store
from tests.cli.conftest import Bench
from tests.store.conftest import Home
from tests.store.corruptions import Campaign, draw

clips = [pytest.mark.clips, pytest.mark.xdist_group("store-cli")]


def one(home: Path, pattern: str) -> Path:
    return min(home.glob(pattern))


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _swap(path: Path) -> None:
    other = next(other for other in sorted(path.parent.parent.rglob(path.name)) if other != path)
    mine, theirs = path.read_bytes(), other.read_bytes()
    path.write_bytes(theirs)
    other.write_bytes(mine)


class TestOfAFinishedStore:
    pytestmark = clips

    def test_an_undisturbed_store_is_sound(self, undisturbed: Home) -> None:
        code, out, errors = undisturbed.bench("verify", "--json")
        assert code == 0, errors
        found = json.loads(out)
        assert found["damaged"] == found["set_aside"] == []
        assert found["files"] > 20

    @pytest.mark.parametrize(
        ("pattern", "damage", "named"),
        [
            ("media/*.mp4", _flip, "bench run"),
            ("cells/*/spec.json", _flip, "bench run"),
            ("cells/*/spec.json", Path.unlink, "bench run"),
            ("cells/*/result.json", _swap, "by the command that needs them"),
            ("cells/*/attempts/*/attempt.json", _cut, "by the command that needs them"),
            ("cells/*/attempts/*/out/swapped.mp4", _flip, "bench run"),
            ("cells/*/attempts/*/out/swapped.mp4", Path.unlink, "bench run"),
            ("observations/*/face-embeddings@*.parquet", _flip, "bench score"),
            ("scores/*/thesis*.json", _swap, "bench score"),
            ("scores/*/*-frames.parquet", _swap, "bench score"),
            ("scores/cohorts/*/*.json", _flip, "bench score"),
            ("manifests/people/*.json", _cut, "bench run"),
            ("store.json", _cut, "by the command that needs them"),
        ],
    )
    def test_damage_is_named_with_what_to_run_and_nothing_is_changed(
        self, finished_home: Home, pattern: str, damage: Callable[[Path], None], named: str
    ) -> None:
        path = one(finished_home.path, pattern)
        damage(path)
        before = finished_home.artifacts()
        code, out, errors = finished_home.bench("verify")
        assert code == 1, errors
        assert str(path.relative_to(finished_home.path)) in " ".join(out.split())
        assert named in errors
        assert finished_home.artifacts() == before

    def test_a_score_of_other_observations_than_those_stored_is_named(
        self, finished_home: Home
    ) -> None:
        table = one(finished_home.path, "observations/*/face-embeddings@*.parquet")
        read = read_table(table)
        assert read is not None
        write_table(table, read.slice(0, read.num_rows - 1))
        code, out, errors = finished_home.bench("verify")
        assert code == 1
        assert "was computed from other observations than are stored now" in " ".join(out.split())
        assert "bench score" in errors

    @pytest.mark.parametrize("seed", [3, 4])
    def test_random_corruptions_are_found_and_mended(
        self, undisturbed: Home, tmp_path: Path, seed: int
    ) -> None:
        campaign, chance = Campaign(undisturbed, tmp_path), random.Random(seed)
        for _ in range(3):
            corruption = draw(undisturbed.path, chance)
            assert (str(corruption), list(campaign.faults(corruption))) == (str(corruption), [])


def test_a_query_leaves_damaged_files_out_and_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    sound, damaged = bench.add(actor=3), bench.add(actor=5)
    path = bench.store.folder(damaged) / "spec.json"
    path.write_bytes(path.read_bytes().replace(b'"blur"', b'"blue"'))
    with pytest.warns(BenchWarning, match=r"spec\.json is not the one .* left out"):
        rows = query(tmp_path, "SELECT cell FROM cells")
    assert rows == [{"cell": sound.slug}]


def test_one_damaged_spec_costs_its_own_cell_only(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    sound, damaged = bench.add(actor=3), bench.add(actor=5)
    (bench.store.folder(damaged) / "spec.json").write_bytes(b"\0" * 40)
    with pytest.warns(BenchWarning, match="is no JSON, so this cell is not known; `bench run`"):
        said = bench("status", "--json")
    assert [row["cell"] for row in json.loads(said.stdout)] == [sound.slug]


def test_a_spec_of_a_newer_version_is_refused_not_taken_for_damage(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    spec = bench.add(actor=3)
    members = {**spec.model_dump(mode="json"), "schema_version": SCHEMA_VERSION + 1}
    data = canonical_json(members)
    from harness.core.hashing import content_hash

    folder = tmp_path / "cells" / f"blur-{content_hash(members)[:12]}"
    folder.mkdir()
    (folder / "spec.json").write_bytes(data)
    with pytest.raises(StoreError, match="newer version"):
        CellStore(tmp_path).list()


def test_a_number_too_large_for_a_float_is_damage(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    spec = bench.add(actor=3)
    path = bench.store.folder(spec) / "result.json"
    path.write_text(path.read_text().replace('"size_bytes": 5', '"size_bytes": 1e999'))
    with pytest.warns(BenchWarning, match="is no JSON"):
        assert bench.store.result(spec) is not None


def test_what_is_kept_is_found_while_it_is_what_its_name_says(tmp_path: Path) -> None:
    path = keep(tmp_path, "net-1.2", ".onnx", b"weights")
    assert find_kept(tmp_path, "net-1.2", ".onnx") == path
    assert find_kept(tmp_path, "net-1", ".onnx") is None
    path.write_bytes(b"weighty")
    assert find_kept(tmp_path, "net-1.2", ".onnx") is None
    assert [finding.path for finding in verify_store(tmp_path, ()).findings] == []


def test_a_damaged_download_is_named_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    archive = Archive(
        registry="pypi",
        package="clips",
        version="1",
        sha256="0" * 64,
        members=(Member(path="a/clip.mp4", sha256="1" * 64),),
    )
    archive.folder(tmp_path).mkdir(parents=True)
    (archive.folder(tmp_path) / "clip.mp4").write_bytes(b"other")
    [finding] = verify_store(tmp_path, [(archive, "bench data fetch clips")]).findings
    assert finding.path.name == "clip.mp4"
    assert finding.remedy == "bench data fetch clips"
