"""Turning the options shared by several commands into a study."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import UsageError
from harness.core.paths import expanded
from harness.model.identity import IdentityPath

if TYPE_CHECKING:
    from harness.model.suite import Suite
    from harness.model.tool import Tool
    from harness.planning.study import Study


def parse_assignments(pairs: list[str], *, option: str = "--set") -> dict[str, str]:
    """``["strength=0.5"]`` as {"strength": "0.5"}. Raises UsageError."""
    out: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(
                f"'{option} {pair}' is not a setting.", hint=f"Write {option} name=value."
            )
        out[name.strip()] = value.strip()
    return out


@dataclass(frozen=True)
class Choice:
    """Options of a study on the command line; None is the suite's own, or the default."""

    actor: str | None = None
    dataset: str | None = None
    donor: str | None = None
    split: str | None = None
    frames: int | None = None
    observers: tuple[str, ...] = ()
    identity: IdentityPath | None = None
    recognisers: tuple[str, ...] = ()


def study_from_suite(name: str, home: Path, choice: Choice | None = None) -> Study:
    """The study of a suite's name or file, with what the command line says otherwise."""
    from harness.planning.suites import load_suite, naming_lines

    chosen = choice or Choice()
    suite = load_suite(name)
    said = {"actors": chosen.actor, "donors": chosen.donor, "dataset": chosen.dataset}
    with naming_lines(name, {field for field, value in said.items() if value is not None}):
        study = _study(suite, home, chosen)
        if not chosen.observers:
            _check_observers(suite)
        study.plan()
    return study


def _check_observers(suite: Suite) -> None:
    """See that the suite's observers exist. Raises UsageError, blaming the one that does not."""
    from harness.planning.plan import blame
    from harness.tools.registry import find_observer

    for place, observer in enumerate(suite.protocol.observers):
        with blame("protocol", "observers", place):
            find_observer(observer)


def study_from_options(
    tool: str, choice: Choice, home: Path, *, config: str, settings: list[str]
) -> Study:
    """A study made of options alone: ``tool`` may be several names, or ``all`` that can be run."""
    from harness.core.errors import unknown_name
    from harness.model.suite import Suite, ToolEntry
    from harness.tools.registry import load_tools

    values = dict(parse_assignments(settings))
    tools = load_tools()
    names = _runnable(tools) if tool == "all" else tool.split(",")
    entries = []
    for name in names:
        base, _, version = name.strip().partition("@")
        if base not in tools:
            raise unknown_name("tool", base, tools, see="bench tools list")
        entries.append(
            ToolEntry(tool=base, version=version or None, config=config, set=dict(values))
        )
    usual = os.environ.get("BENCH_DATASET") or "sample"
    return _study(Suite(name="ad hoc", dataset=usual, tools=tuple(entries)), home, choice)


def _study(suite: Suite, home: Path, choice: Choice) -> Study:
    from harness.core.errors import unknown_name
    from harness.datasets.registry import load_dataset
    from harness.model.dataset import Split
    from harness.planning.plan import blame
    from harness.planning.study import Study
    from harness.planning.suites import load_suite
    from harness.store.schema import check_store
    from harness.tools.registry import load_tools

    check_store(home)
    tools = load_tools()
    said = {"actors": choice.actor, "dataset": choice.dataset, "donors": choice.donor}
    update: dict[str, object] = {name: value for name, value in said.items() if value is not None}
    if choice.split is not None:
        if choice.split not in set(Split):
            known = [split.value for split in Split]
            raise unknown_name("split", choice.split, known, see="bench run --help")
        update["split"] = Split(choice.split)
    protocol: dict[str, object] = {}
    if choice.frames is not None:
        protocol["frames"] = choice.frames
    if choice.identity is not None:
        protocol["identity"] = choice.identity
    if choice.recognisers:
        protocol["recognisers"] = checked_recognisers(choice.recognisers, home)
    elif suite.protocol.recognisers:
        with blame("protocol", "recognisers"):
            protocol["recognisers"] = checked_recognisers(suite.protocol.recognisers, home)
    with blame("also"):
        for other in suite.also:
            load_suite(other)
    if choice.observers:
        protocol["observers"] = choice.observers
    update["protocol"] = suite.protocol.model_copy(update=protocol)
    suite = suite.model_copy(update=update)
    with blame("dataset"):
        dataset = load_dataset(suite.dataset, home)
    return Study(suite, dataset, tools, home)


def checked_recognisers(named: Sequence[str], home: Path) -> tuple[str, ...]:
    """Names, and absolute paths of ONNX files: each is opened once, so that a file that is not a
    face network is refused before anything runs; what is known of a file is said. Raises as
    ``check_recogniser``.
    """
    from harness.cli.output import note
    from harness.observe.acceptance import check_recogniser, is_file

    found = tuple(str(expanded(one).absolute()) if is_file(one) else one for one in named)
    for one in found:
        check_recogniser(one, home, lambda event: note(event.text or ""))
    return found


def _runnable(tools: Mapping[str, Tool]) -> list[str]:
    """Tools that run as they are: embedded ones, and those whose image has been built.

    What is left out is said, since building images and training are not what `all` asks for.
    """
    from harness.cli.output import note
    from harness.model.tool import Container

    contained = {name: tool for name, tool in tools.items() if isinstance(tool.runs_as, Container)}
    built = _built(contained) if contained else set()
    left_out = sorted(contained.keys() - built)
    if left_out:
        note(
            f"Left out, for lack of an image: {', '.join(left_out)}. "
            f"Build one: bench images build {left_out[0]}"
        )
    return [name for name in tools if name not in left_out]


def _built(tools: Mapping[str, Tool]) -> set[str]:
    """Tools whose default version has a current image here."""
    from harness.core.errors import UnfitMachineError
    from harness.tools.engine import connect
    from harness.tools.images.find import find_image
    from harness.tools.images.recipe import read_recipe

    built = set()
    try:
        with connect() as engine:
            for name, tool in tools.items():
                with suppress(UnfitMachineError, UsageError):
                    find_image(engine, read_recipe(tool))
                    built.add(name)
    except UnfitMachineError:
        return set()
    return built
