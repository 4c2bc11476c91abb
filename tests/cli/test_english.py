"""The words that people read: pages, messages, help and docs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOREIGN = re.compile(
    r"\b(anew|(for|no) want of|made[- ]up|not to be had|beside|(is|are) told(?! apart)|tells? of"
    r"|told from|\(usual\)|usually `|as usual)\b",
    re.IGNORECASE,
)
"""Not what a native engineer of the field writes: again, lack of, synthetic, unavailable, alongside
or next to, reported, distinguished from, default. (To tell apart is.)"""


def literals(path: Path, *, docstrings: bool) -> Iterator[str]:
    """Every string that the module may show; of docstrings only those of commands, its help."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if " " in node.value and (docstrings or id(node) not in own):
            yield " ".join(node.value.split())


def shown() -> Iterator[tuple[str, str]]:
    """(file, text) of all that people read."""
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    pages += [*(ROOT / "reports" / "templates").rglob("*.j2")]
    for page in pages:
        yield str(page.relative_to(ROOT)), " ".join(page.read_text(encoding="utf-8").split())
    for folder, help_too in (("reports", False), ("harness/cli", True), ("harness/results", False)):
        for module in (ROOT / folder).rglob("*.py"):
            for text in literals(module, docstrings=help_too):
                yield str(module.relative_to(ROOT)), text


def test_what_people_read_is_plain_english() -> None:
    found = [
        f"{name}: ...{text[max(0, hit.start() - 40) : hit.end() + 20]}..."
        for name, text in shown()
        for hit in FOREIGN.finditer(text)
    ]
    assert found == []
