"""The stages are strung together in one module, and every command goes through it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIPELINE = "harness.execution.pipeline"
QUEUES = {f"harness.execution.{name}_queue" for name in ("run", "score", "cohort")}
PERFORMERS = {
    "harness.datasets.prepare.prepare_actor",
    "harness.datasets.prepare.prepare_donor",
    "harness.observe.outside_observers.run_observer",
    "harness.observe.measure.measure",
    "harness.execution.score_cells.score_cell",
    "harness.execution.cohorts.score_cohort",
    "harness.execution.cell.run_cell",
}
"""Functions that do the work of requests."""
ALSO = {
    "harness.execution.score_cells": {"harness.observe.measure.measure"},
    "harness.results.selftest.scoring": {"harness.datasets.prepare.prepare_actor"},
}
"""The settings of the scoring self-test's cells follow from the length of an actor's video."""


def imports() -> Iterator[tuple[str, str]]:
    """(module, what it imports), of the packages that ship."""
    for package in ("harness", "reports", "benchmarks"):
        for path in (ROOT / package).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module:
                    yield from ((module, f"{node.module}.{one.name}") for one in node.names)
                elif isinstance(node, ast.Import):
                    yield from ((module, one.name) for one in node.names)


def test_the_queues_are_the_pipeline_s_alone() -> None:
    users = {
        module
        for module, imported in imports()
        if any(imported == queue or imported.startswith(f"{queue}.") for queue in QUEUES)
    }
    assert users == {PIPELINE}


def test_requests_are_performed_in_one_module() -> None:
    users: dict[str, set[str]] = {}
    for module, imported in imports():
        if imported in PERFORMERS:
            users.setdefault(module, set()).add(imported)
    assert users == {"harness.execution.perform": PERFORMERS, **ALSO}


def test_run_nightly_and_both_self_tests_call_run_study() -> None:
    users = {module for module, imported in imports() if imported == f"{PIPELINE}.run_study"}
    assert users == {
        "harness.cli.run",
        "harness.cli.nightly",
        "harness.results.selftest.tool",
        "harness.results.selftest.scoring",
    }


def test_score_and_retry_call_stages_of_it() -> None:
    users = {
        (module, imported.removeprefix(f"{PIPELINE}."))
        for module, imported in imports()
        if imported in (f"{PIPELINE}.rescore", f"{PIPELINE}.run_cells")
    }
    assert users == {("harness.cli.scores", "rescore"), ("harness.cli.tidy", "run_cells")}
