"""Names that the shell offers after a Tab, found without loading what they name."""

from __future__ import annotations

from collections.abc import Iterable


def _starting(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in set(names) if name.startswith(incomplete))


def tool_names(incomplete: str) -> list[str]:
    """Tools by their entry points; in a list the last name is completed: ``blur,no``."""
    from importlib.metadata import entry_points

    before, comma, last = incomplete.rpartition(",")
    names = [entry.name for entry in entry_points(group="bench.adapters")]
    return [f"{before}{comma}{name}" for name in _starting(last, [*names, "all"])]


def selftest_names(incomplete: str) -> list[str]:
    """The tools, and the scores themselves."""
    own = [name for name in ("scoring",) if name.startswith(incomplete)]
    return [*own, *(name for name in tool_names(incomplete) if name != "all")]


def suite_names(incomplete: str) -> list[str]:
    """The suites that ship with the project."""
    from importlib import resources

    folder = resources.files("benchmarks").joinpath("suites")
    files = [entry.name for entry in folder.iterdir()]
    return _starting(incomplete, [name[:-5] for name in files if name.endswith(".yaml")])


def cell_names(incomplete: str) -> list[str]:
    """The cells of the store, by the names of their folders."""
    from harness.core.paths import bench_home

    folder = bench_home() / "cells"
    return _starting(incomplete, [path.name for path in folder.glob("*")])


def dataset_names(incomplete: str) -> list[str]:
    """The named datasets; a manifest's path is completed by the shell itself."""
    return _starting(incomplete, ["sample", "ravdess"])


def status_names(incomplete: str) -> list[str]:
    """The statuses that ``bench status --status`` knows."""
    from harness.cli.stored import STATUSES

    return _starting(incomplete, STATUSES)
