"""Drivers run inside old images: their syntax and imports are checked here."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from containers.common import bench_driver

CONTAINERS = Path(bench_driver.__file__).parents[1]
FILES = sorted(
    path
    for path in CONTAINERS.rglob("*.py")
    if "embedded" not in path.parts and path.name != "__init__.py"
)
# What the tool's own image brings, imported by the launchers that wrap a tool's scripts.
OF_THE_IMAGE = {"cv2", "keras", "numpy", "tensorflow"}


def _imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CONTAINERS)))
def test_drivers_are_python_36_and_use_the_standard_library(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
    imported = _imports(tree)
    assert "__future__" not in imported
    assert imported - {"containers"} <= set(sys.stdlib_module_names) | OF_THE_IMAGE


@pytest.mark.parametrize(
    "path", sorted((CONTAINERS / "common").glob("*.py")), ids=lambda path: path.name
)
def test_what_drivers_share_needs_nothing_of_an_image(path: Path) -> None:
    assert not _imports(ast.parse(path.read_text(encoding="utf-8"))) & OF_THE_IMAGE
