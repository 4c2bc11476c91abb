"""Names and paths that nobody means: a sentence and exit 2, and nothing a terminal would obey."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.core.text import printable

from .conftest import Bench


def _manifest(folder: Path, *, donor: str = "Mia", path: str = "a.mp4", name: str = "lab") -> Path:
    content = {
        "name": name,
        "actors": [{"number": 1, "sex": "male", "clips": [{"path": path, "part": "test"}]}],
        "donors": [{"name": donor, "sex": "female", "photo": "b.jpg"}],
    }
    manifest = folder / "lab.yaml"
    manifest.write_text(json.dumps(content))
    return manifest


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "~nosuchuser/a.mp4"},
        {"path": "a\0.mp4"},
        {"path": "x" * 9000},
        {"donor": "\x1b[2J\x1b]0;title\x07"},
        {"donor": "a\u202eb"},
        {"donor": "d" * 9000},
        {"name": "n" * 9_999},
    ],
)
def test_a_manifest_with_such_a_name_is_refused_in_plain_words(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    manifest = _manifest(tmp_path, **changes)
    bench = Bench(tmp_path / "home")
    done = bench("run", "--tool", "blur", "--dataset", str(manifest), "--dry-run", code=2)
    assert printable(done.output) == done.output
    assert "disk" not in done.output
    assert "Hint: " in done.output


@pytest.mark.parametrize("name", ["~nosuchuser/x.yaml", "x" * 10_000, "x" * 300, "\x1b[31mred"])
def test_a_dataset_that_cannot_be_is_refused_by_name(tmp_path: Path, name: str) -> None:
    done = Bench(tmp_path)("run", "--tool", "blur", "--dataset", name, "--dry-run", code=2)
    assert printable(done.output) == done.output
