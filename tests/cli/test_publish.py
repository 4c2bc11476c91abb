"""`bench publish` on stores whose folder may have any name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from harness.model.cell import CellSpec, Status
from harness.store.atomic import write_json
from harness.store.records import read_members, write_record

from .conftest import Bench

PROTOCOL = "thesis-60"


@pytest.fixture
def filled(bench: Bench) -> tuple[Bench, CellSpec]:
    """Two scored cells and one that failed; the first is of blur."""
    blur = bench.add("blur", 3)
    bench.score(blur, PROTOCOL)
    bench.score(bench.add("mask", 3), PROTOCOL)
    bench.add("blur", 4, status=Status.TIMEOUT)
    return bench, blur


def spoil(bench: Bench, spec: CellSpec) -> None:
    """Change the published video without changing its size."""
    bench.store.swapped_path(spec).write_bytes(b"54321")


def published(bench: Bench, target: Path, *args: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        bench("publish", str(target), "--json", *args, code=code).stdout
    )
    return found


def test_a_site_is_written_and_what_was_written_is_said(
    filled: tuple[Bench, CellSpec], tmp_path: Path
) -> None:
    bench, _ = filled
    target = tmp_path / "on the web"
    said = published(bench, target)
    files = [path for path in target.rglob("*") if path.is_file() and path.name[0] != "."]
    assert said["files"] == len(files)
    assert said["bytes"] == sum(path.stat().st_size for path in files)
    assert said["pages"] == sum(path.suffix == ".html" for path in files)
    assert (said["cells"], said["scored"], said["refused"]) == (3, 2, {})
    assert (said["faces"], said["protocol"], said["hashes_checked"]) == ("none", PROTOCOL, True)
    assert said["first_view_bytes"] < 1_000_000
    spoken = bench("publish", str(target)).stdout
    assert "2 of 3 cells are scored" in spoken
    assert str(target / "index.html") in spoken.replace("\n", "")


def test_no_published_file_says_which_kernel_the_machine_has(
    filled: tuple[Bench, CellSpec], tmp_path: Path
) -> None:
    bench, _ = filled
    published(bench, tmp_path / "site")
    bench("report", "--out", str(tmp_path / "site" / "report.html"))
    pages = [path for path in (tmp_path / "site").rglob("*") if path.is_file()]
    assert any(b"Linux, m, c, 2 cores" in path.read_bytes() for path in pages)
    assert [path for path in pages if b"9.9.9-kernel" in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("args", "cells"), [(("--tool", "mask"), 1), (("--actor", "4"), 1), (("blur",), 2)]
)
def test_a_selection_is_published_alone(
    filled: tuple[Bench, CellSpec], tmp_path: Path, args: tuple[str, ...], cells: int
) -> None:
    bench, _ = filled
    said = published(bench, tmp_path / "site", *args)
    assert said["cells"] == cells
    assert len(list((tmp_path / "site" / "cells").iterdir())) == cells
    table = tmp_path / "site" / "data" / "cells.parquet"
    rows = duckdb.execute("SELECT count(*) FROM read_parquet(?)", [str(table)]).fetchone()
    assert rows == (cells,)


def test_a_result_whose_hash_no_longer_fits_is_told_and_not_used(
    filled: tuple[Bench, CellSpec], tmp_path: Path
) -> None:
    bench, blur = filled
    spoil(bench, blur)
    target = tmp_path / "site"
    said = published(bench, target, code=1)
    assert list(said["refused"]) == [blur.slug]
    assert said["scored"] == 1
    assert "Results that are not used" in (target / "index.html").read_text()
    assert "no longer fits" in (target / "cells" / f"{blur.slug}.html").read_text()
    results = json.loads((target / "results.json").read_text())
    row = next(cell for cell in results["cells"] if cell["cell"] == blur.slug)
    assert (row["status"], row["distance_l2"]["sw_or"]) == ("refused", None)
    assert blur.slug not in (target / "data" / "scores.csv").read_text()
    assert f"{blur.slug}," in (target / "data" / "cells.csv").read_text()
    assert "refused" in (target / "data" / "cells.csv").read_text()
    loud = bench("publish", str(target), code=1)
    assert f"{blur.slug} is not used" in loud.stderr


def test_hashes_are_taken_on_trust_when_asked_and_the_site_says_so(
    filled: tuple[Bench, CellSpec], tmp_path: Path
) -> None:
    bench, blur = filled
    spoil(bench, blur)
    said = published(bench, tmp_path / "site", "--no-verify")
    assert (said["scored"], said["hashes_checked"]) == (2, False)
    assert "not compared" in (tmp_path / "site" / "methods.html").read_text()
    assert "hash not checked" in (tmp_path / "site" / "cells" / f"{blur.slug}.html").read_text()


def test_a_score_of_another_video_is_not_used(
    filled: tuple[Bench, CellSpec], tmp_path: Path
) -> None:
    bench, blur = filled
    path = bench.home / "scores" / blur.id / f"{PROTOCOL}.json"
    score = json.loads(path.read_text())
    write_json(path, score | {"inputs": {"swapped": "f" * 64}})
    said = published(bench, tmp_path / "site", code=1)
    assert "from another video" in said["refused"][blur.slug]


def test_a_video_that_is_gone_is_not_used(filled: tuple[Bench, CellSpec], tmp_path: Path) -> None:
    bench, blur = filled
    bench.store.swapped_path(blur).unlink()
    said = published(bench, tmp_path / "site", code=1)
    assert "no longer in the store" in said["refused"][blur.slug]


def test_an_original_that_was_changed_spoils_all_its_cells(
    filled: tuple[Bench, CellSpec], tmp_path: Path
) -> None:
    bench, blur = filled
    media = bench.home / "media" / f"{blur.actor.test.sha256}.mp4"
    media.parent.mkdir()
    media.write_bytes(b"not what the name says")
    said = published(bench, tmp_path / "site", code=1)
    assert len(said["refused"]) == 2
    assert all("original video" in reason for reason in said["refused"].values())


def test_no_folder_of_this_machine_is_named(
    filled: tuple[Bench, CellSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, _ = filled
    spec = bench.add("pixelate", 3, status=Status.TOOL_ERROR)
    [path] = bench.store.folder(spec).glob("attempts/*/attempt.json")
    attempt = read_members(path)
    monkeypatch.setenv("HOME", "/home/somebody")
    reason = f"No such file: {bench.home}/media/x.mp4 or /home/somebody/y.mp4"
    write_record(path, attempt | {"reason": reason})
    published(bench, tmp_path / "site")
    page = (tmp_path / "site" / "cells" / f"{spec.slug}.html").read_text()
    assert "No such file: $BENCH_HOME/media/x.mp4 or ~/y.mp4" in page
    for file in (tmp_path / "site").rglob("*"):
        if file.is_file():
            assert str(bench.home).encode() not in file.read_bytes()
            assert b"/home/somebody" not in file.read_bytes()


def test_the_date_can_be_set_and_then_everything_is_the_same(
    filled: tuple[Bench, CellSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, _ = filled
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    sites = []
    for name in ("one", "two"):
        published(bench, tmp_path / name)
        found = (tmp_path / name).rglob("*")
        sites.append({p.relative_to(tmp_path / name): p.read_bytes() for p in found if p.is_file()})
    assert sites[0] == sites[1]
    assert "built 2001-09-09 01:46 UTC" in (tmp_path / "one" / "index.html").read_text()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    assert "SOURCE_DATE_EPOCH" in bench("publish", str(tmp_path / "one"), code=2).stderr


def test_wrong_wishes_are_sentences(filled: tuple[Bench, CellSpec], tmp_path: Path) -> None:
    bench, _ = filled
    site = str(tmp_path / "site")
    assert (
        "Did you mean 'pixelated'?" in bench("publish", site, "--faces", "pixeled", code=2).stderr
    )
    assert "There are no cells to publish" in bench("publish", site, "--actor", "9", code=2).stderr
    assert "thesis-30" in bench("publish", site, "--frames", "30", code=2).stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    refused = bench("publish", str(tmp_path / "mine"), code=2).stderr
    assert "was not made by `bench publish`" in refused
    blocked = bench("publish", str(tmp_path / "mine" / "file" / "site"), code=4).stderr
    assert "cannot be written" in blocked
    assert not (tmp_path / "site").exists()
