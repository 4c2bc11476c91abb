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


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").split(".")[0]}
    if isinstance(node, ast.If):  # such as TYPE_CHECKING
        return set().union(*(_names(inner) for inner in [*node.body, *node.orelse]))
    return set()


def _imported_at_once(tree: ast.Module) -> set[str]:
    """Modules that a module imports at once; functions may use what the tool's image brings."""
    return set().union(*(_names(node) for node in tree.body))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CONTAINERS)))
def test_drivers_are_python_36_and_use_the_standard_library(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
    imported = _imported_at_once(tree)
    assert "__future__" not in imported
    own = {"containers", *(name.stem for name in (CONTAINERS / "common").glob("*.py"))}
    assert imported - own <= set(sys.stdlib_module_names)
