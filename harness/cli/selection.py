"""Turning the options shared by several commands into a study."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.workflow import Study


def parse_assignments(pairs: list[str]) -> dict[str, str]:
    """``["strength=0.5"]`` as {"strength": "0.5"}. Raises UsageError."""
    out: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"'--set {pair}' is not a setting.", hint="Write --set name=value.")
        out[name.strip()] = value.strip()
    return out


def study_from_suite(name: str, home: Path) -> Study:
    from harness.datasets.registry import load_dataset
    from harness.registry import load_tools
    from harness.store.schema import check_store
    from harness.suites import load_suite
    from harness.workflow import Study

    check_store(home)
    suite = load_suite(name)
    return Study(suite, load_dataset(suite.dataset, home), load_tools(), home)


def study_from_options(
    tool: str,
    actor: str,
    *,
    home: Path,
    dataset: str | None,
    donor: str,
    config: str,
    settings: list[str],
    split: str,
    frames: int,
) -> Study:
    """A suite made of command-line options: ``--tool`` may be several names or ``all``."""
    from harness.datasets.registry import load_dataset
    from harness.errors import unknown_name
    from harness.model.dataset import Split
    from harness.model.suite import Suite, SuiteProtocol, ToolEntry
    from harness.registry import load_tools
    from harness.store.schema import check_store
    from harness.workflow import Study

    check_store(home)
    tools = load_tools()
    names = list(tools) if tool == "all" else [part.strip() for part in tool.split(",")]
    entries = []
    for name in names:
        base, _, version = name.partition("@")
        if base not in tools:
            raise unknown_name("tool", base, tools, see="bench tools list")
        entries.append(
            ToolEntry(
                tool=base,
                version=version or None,
                config=config,
                set=dict(parse_assignments(settings)),
            )
        )
    if split not in set(Split):
        raise unknown_name("split", split, [s.value for s in Split], see="bench run --help")
    chosen = dataset or os.environ.get("BENCH_DATASET") or "sample"
    suite = Suite(
        name="ad hoc",
        dataset=chosen,
        split=Split(split),
        tools=tuple(entries),
        actors=actor,
        donors=donor,
        protocol=SuiteProtocol(frames=frames),
    )
    return Study(suite, load_dataset(chosen, home), tools, home)
