"""Comparison pages that `bench publish` makes by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from harness.model.cell import CellSpec, Status
from harness.model.dataset import MediaRef, Split

from .conftest import Bench, make_spec

PROTOCOL = "thesis-60"


def add(bench: Bench, number: int, mean: float, **other: Any) -> CellSpec:
    """A cell of blur with another version or config, scored with that mean distance."""
    spec = bench.add("blur", number, status=None).model_copy(update=other)
    bench.attempt(spec, Status.OK)
    bench.score(spec, PROTOCOL)
    path = bench.home / "scores" / spec.id / f"{PROTOCOL}.json"
    score = json.loads(path.read_text())
    for one in score["identity"]["comparisons"].values():
        one["mean"] = mean
    path.write_text(json.dumps(score))
    return spec


def test_versions_and_configs_are_compared_and_linked(bench: Bench, tmp_path: Path) -> None:
    for actor in range(1, 9):
        for version, mean in (("1.9", 0.7), ("1.10", 0.5)):
            add(bench, actor, mean + 0.001 * actor, version=version)
        add(bench, actor, 0.9, version="1.10", config="strong")
    bench.score(bench.add("mask", 1), PROTOCOL)
    target = tmp_path / "site"
    bench("publish", str(target), "--tool", "blur", "--actor", "1-7")
    pages = sorted(path.name for path in (target / "compare").iterdir())
    assert len(pages) == 2
    index = (target / "index.html").read_text()
    assert "Comparisons" in index
    assert all(f'href="compare/{name}"' in index for name in pages)
    [newer] = [name for name in pages if "1.9" in name]
    assert newer.startswith("blur-1.10-default-against-blur-1.9-default")
    shown = (target / "compare" / newer).read_text()
    assert "regressed in " in shown.lower()
    assert "default: blur@" not in index, "the link names both, and what follows only the verdict"
    assert "7 actors" in shown, "the site's actors only"
    atom = "{http://www.w3.org/2005/Atom}"
    root = ElementTree.fromstring((target / "feed.xml").read_bytes())
    links = [link.get("href") for link in root.iter(f"{atom}link")]
    assert links.count(f"compare/{newer}") == 1


def test_an_actor_whose_original_was_changed_is_not_compared(bench: Bench, tmp_path: Path) -> None:
    changed = MediaRef(sha256="1" * 64, suffix=".mp4")
    for actor in range(1, 9):
        person = make_spec("blur", actor, "sample", Split.HELD_OUT, None).actor
        if actor == 4:
            person = person.model_copy(update={"test": changed})
        for version in ("1.9", "1.10"):
            other = {"version": version, "actor": person}
            add(bench, actor, 0.7 + 0.001 * actor, **other)
    media = bench.home / "media" / f"{changed.sha256}.mp4"
    media.parent.mkdir(exist_ok=True)
    media.write_bytes(b"not what the name says")
    bench("publish", str(tmp_path / "site"), code=1)
    [page] = (tmp_path / "site" / "compare").iterdir()
    assert "7 actors" in page.read_text()


def test_what_has_nothing_in_common_has_no_page(bench: Bench, tmp_path: Path) -> None:
    add(bench, 1, 0.7, version="1")
    add(bench, 2, 0.7, version="2")
    bench("publish", str(tmp_path / "site"))
    assert not (tmp_path / "site" / "compare").exists()
