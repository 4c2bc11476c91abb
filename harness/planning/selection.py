"""Selects the cells of a store that a command is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import UnusableInputError, UsageError, unknown_name
from harness.core.paths import expanded

if TYPE_CHECKING:
    from harness.datasets.registry import Named
    from harness.model.cell import CellSpec
    from harness.model.suite import PlannedCell, Suite, UnpreparedCell
    from harness.planning.current import Reason
    from harness.planning.namesakes import Namesakes, UnreadableManifest
    from harness.store.cells import CellStore


@dataclass(frozen=True)
class Selection:
    """The user's request; every part narrows the choice, and none of them means all current
    cells."""

    cells: tuple[str, ...] = ()
    tool: str | None = None
    actor: str | None = None
    dataset: str | None = None
    earlier: bool = False
    """Earlier cells too: of another manifest or image than today's."""

    @property
    def is_all(self) -> bool:
        return replace(self, earlier=False) == Selection()


@dataclass(frozen=True)
class Chosen:
    """The cells of a selection, and those that would be in it if nothing had changed since."""

    specs: tuple[CellSpec, ...]
    earlier: Mapping[str, Reason] = field(default_factory=dict)
    """Cell id to why it is earlier, of the ``specs`` that are, the newest first: none unless they
    were asked for."""
    left_out: Mapping[str, Reason] = field(default_factory=dict)
    """Slug to why the cell is earlier, of cells that are left out for it."""
    missing: tuple[PlannedCell, ...] = ()
    """Cells of the suite that the store has none for, and that nobody tried to prepare."""
    unprepared: tuple[UnpreparedCell, ...] = ()
    """Cells that were asked for and could not be prepared: asked and not done."""
    dataset: Named | None = None
    """Of a suite."""
    namesakes: tuple[Namesakes, ...] = ()
    """Names of these cells' datasets that several manifests share, where some of the cells are
    therefore earlier."""

    unreadable: tuple[UnreadableManifest, ...] = ()
    """Of these cells' datasets."""

    @property
    def current(self) -> tuple[CellSpec, ...]:
        """Cells of the ``specs`` that are not earlier."""
        return tuple(spec for spec in self.specs if spec.id not in self.earlier)

    @property
    def sentences(self) -> list[str]:
        """``2 cells of an earlier manifest are left out.``, by reason; or that they are shown; and
        before that, which manifest is meant where several share its name, or that it cannot be
        read."""
        broken = [one.sentence for one in self.unreadable]
        return [*(one.sentence for one in self.namesakes), *broken, *self.counted]

    @property
    def counted(self) -> list[str]:
        """The same without the manifests."""
        return [*_counted(self.left_out, "left out"), *_counted(self.earlier, "among these")]

    def counts(self) -> dict[str, dict[str, int]]:
        """For scripts: earlier cells by reason, left out and shown."""
        parts = {"left_out": self.left_out, "shown": self.earlier}
        return {
            part: {reason.value: list(cells.values()).count(reason) for reason in cells.values()}
            for part, cells in parts.items()
        }


def _counted(cells: Mapping[str, Reason], fate: str) -> list[str]:
    sentences = []
    for reason in dict.fromkeys(cells.values()):
        number = list(cells.values()).count(reason)
        sentences.append(f"{reason.phrase(number)} {'is' if number == 1 else 'are'} {fate}.")
    return sentences


def choose_cells(store: CellStore, selection: Selection, suite: Suite | None = None) -> Chosen:
    """The selected cells of the store, of ``suite`` where one is given; earlier ones only where
    they are asked for. A cell that is named itself is taken, earlier or not, unless a current one
    goes by the same name.

    Raises UsageError for a name that none of them bears, with the nearest one that exists, and
    StoreError.
    """
    from harness.planning.current import Reason, earlier_cells, last_tried
    from harness.planning.namesakes import namesakes, unreadable_manifests
    from harness.planning.unprepared import unprepared_cells

    specs = store.list()
    wanted = selection.dataset if suite is None else suite.dataset
    dataset = None if wanted is None else _named(wanted, specs, store.home, lax=suite is not None)
    here = [dataset.dataset] if dataset and dataset.dataset else []
    earlier = earlier_cells(store, specs, here)
    chosen: list[CellSpec] = list(specs)
    missing: tuple[PlannedCell, ...] = ()
    current = [spec for spec in specs if spec.id not in earlier]
    unprepared = unprepared_cells(store.home, current, here)
    if suite is not None:
        assert dataset is not None
        unprepared = _unprepared_of_suite(suite, dataset, unprepared)
        chosen, missing, gone = _of_suite(store, suite, dataset, specs, earlier)
        earlier |= gone
    # A suite is on its dataset already.
    rest = selection if suite is None else replace(selection, dataset=None)
    chosen = select(chosen, rest, store.home, earlier)
    named = bool(selection.cells)
    shown = [s for s in chosen if named or selection.earlier or s.id not in earlier]
    old = [spec for spec in shown if spec.id in earlier]
    old.sort(key=lambda spec: last_tried(store, spec), reverse=True)
    kept = {spec.id for spec in shown}
    tried = {_name_of_plan(u.cell) for u in unprepared}
    replaced = [spec.dataset for spec in chosen if earlier.get(spec.id) is Reason.MANIFEST]
    return Chosen(
        specs=tuple(shown),
        earlier={spec.id: earlier[spec.id] for spec in old},
        left_out={spec.slug: earlier[spec.id] for spec in chosen if spec.id not in kept},
        missing=tuple(cell for cell in missing if _name_of_plan(cell) not in tried),
        unprepared=tuple(narrow(unprepared, rest, dataset)),
        dataset=dataset,
        namesakes=namesakes(replaced, store.home, _path_of(wanted)),
        unreadable=unreadable_manifests((spec.dataset for spec in chosen), store.home),
    )


def narrow(
    cells: Sequence[UnpreparedCell], selection: Selection, dataset: Named | None = None
) -> list[UnpreparedCell]:
    """The members of ``cells`` that ``selection`` names, as ``select`` does, which checks the
    names; ``dataset`` is what it names. None where cells are named themselves: these have no such
    name.
    """
    from harness.planning.plan import parse_numbers

    if selection.cells:
        return []
    found = list(cells)
    if selection.tool not in (None, "all"):
        named = _tool_names(str(selection.tool))
        found = [u for u in found if named(u.cell.tool, u.cell.version)]
    if selection.actor not in (None, "all"):
        wanted = set(parse_numbers(str(selection.actor)))
        found = [u for u in found if u.cell.actor in wanted]
    if selection.dataset is not None and dataset is not None:
        found = [u for u in found if u.dataset == dataset.name]
    return found


def _unprepared_of_suite(
    suite: Suite, dataset: Named, cells: Sequence[UnpreparedCell]
) -> list[UnpreparedCell]:
    """The cells that the suite names; of its lines, where the dataset is not here."""
    from harness.planning.plan import expand
    from harness.tools.registry import load_tools

    same = [u for u in cells if u.split is suite.split and u.dataset == dataset.name]
    if not same:
        return []
    if dataset.dataset is None:
        on_lines = _lines_of(suite)
        return [u for u in same if on_lines(u.cell, u.cell.actor)]
    planned = {_name_of_plan(cell) for cell in expand(suite, dataset.dataset, load_tools())}
    return [u for u in same if _name_of_plan(u.cell) in planned]


def _path_of(name_or_path: str | None) -> Path | None:
    """The manifest or folder that the user named by its path; None for a name."""
    path = None if name_or_path is None else expanded(name_or_path)
    return path.resolve() if path is not None and path.exists() else None


def _of_suite(
    store: CellStore,
    suite: Suite,
    dataset: Named,
    specs: Sequence[CellSpec],
    earlier: Mapping[str, Reason],
) -> tuple[list[CellSpec], tuple[PlannedCell, ...], dict[str, Reason]]:
    """(cells that the suite names or once named, planned cells without a current one, why those
    that it only once named are earlier)."""
    from harness.planning.current import Reason, suite_earlier

    cells, missing = suite_cells(suite, dataset, specs, earlier)
    known = {spec.id for spec in cells}
    asked = suite_earlier(store.home, suite.name)
    gone = [s for s in specs if s.id in asked - known and s.dataset == dataset.name]
    reasons = {spec.id: Reason.SUITE for spec in gone if spec.id not in earlier}
    return [*cells, *gone], tuple(missing), reasons


def select(
    specs: Sequence[CellSpec],
    selection: Selection,
    home: Path,
    earlier: Mapping[str, Reason] | None = None,
) -> list[CellSpec]:
    """Cells of ``specs`` that ``selection`` names, in their order; of cells that go by the same
    start of a name, the current ones where there are any.

    Raises UsageError for a name that none of them bears, with the nearest one that exists.
    """
    chosen = list(specs)
    if selection.cells:
        named: set[str] = set()
        for name in selection.cells:
            fitting = {spec.id for spec in starting_with(specs, name)}
            current = fitting - (earlier or {}).keys()
            named |= fitting if selection.earlier or not current else current
        chosen = [spec for spec in chosen if spec.id in named]
    if selection.tool not in (None, "all"):
        chosen = _of_tools(chosen, str(selection.tool))
    if selection.actor not in (None, "all"):
        chosen = _of_actors(chosen, str(selection.actor))
    if selection.dataset is not None:
        name = _named(selection.dataset, specs, home).name
        chosen = [spec for spec in chosen if spec.dataset == name]
    return chosen


def starting_with(specs: Sequence[CellSpec], name: str) -> list[CellSpec]:
    """The cells whose slug or id starts with ``name``. Raises UsageError when there is none."""
    matching = [s for s in specs if name and (s.slug.startswith(name) or s.id.startswith(name))]
    if matching:
        return matching
    if not specs:
        raise UsageError(
            f"No cell of the store is called '{name}': it holds none yet.",
            hint="Run one: bench run --tool blur --actor 3",
        )
    import difflib

    near = difflib.get_close_matches(name, [spec.slug for spec in specs], n=1, cutoff=0.5)
    guess = f" Did you mean '{near[0]}'?" if near else ""
    raise UsageError(f"No cell of the store is called '{name}'.{guess}", hint="See `bench status`.")


def _of_tools(specs: Sequence[CellSpec], text: str) -> list[CellSpec]:
    stored = {spec.tool for spec in specs}
    for part in text.split(","):
        name = part.strip().partition("@")[0]
        if name not in stored:
            from harness.tools.registry import load_tools

            known = load_tools()
            if name not in known:
                raise unknown_name("tool", name, {*stored, *known}, see="bench tools list")
    named = _tool_names(text)
    return [spec for spec in specs if named(spec.tool, spec.version)]


def _tool_names(text: str) -> Callable[[str, str], bool]:
    """``blur,mask@2`` as a question: whether it names a tool of a version."""
    parts = [part.strip().partition("@") for part in text.split(",")]
    pairs = [(name, version) for name, _, version in parts]
    return lambda tool, version: (tool, "") in pairs or (tool, version) in pairs


def _of_actors(specs: Sequence[CellSpec], text: str) -> list[CellSpec]:
    from harness.planning.plan import parse_numbers

    wanted = set(parse_numbers(text))
    return [spec for spec in specs if spec.actor.number in wanted]


def _named(name_or_path: str, specs: Sequence[CellSpec], home: Path, *, lax: bool = False) -> Named:
    """The dataset, here or known from the store; ``lax`` takes one that cannot be used as one that
    is not here."""
    from harness.datasets.registry import Named, find_dataset

    stored = {spec.dataset for spec in specs}
    try:
        return find_dataset(name_or_path, home, stored)
    except UnusableInputError:
        if lax:
            return Named(name_or_path, None)
        raise
    except UsageError:
        if expanded(name_or_path).exists():
            raise
        known = {*stored, "sample", "ravdess"}
        raise unknown_name("dataset", name_or_path, known, see="bench data list") from None


def load_chosen_suite(name: str, selection: Selection) -> Suite:
    """The suite of that name or file, on the dataset that ``selection`` names instead of its own:
    what ``bench run --suite S --dataset D`` ran is found with the same two options.
    """
    from harness.planning.suites import load_suite

    suite = load_suite(name)
    if selection.dataset is None:
        return suite
    return suite.model_copy(update={"dataset": selection.dataset})


def suite_cells(
    suite: Suite, dataset: Named, specs: Sequence[CellSpec], earlier: Mapping[str, Reason]
) -> tuple[list[CellSpec], list[PlannedCell]]:
    """(cells of the store that the suite names, earlier ones too; planned cells that it has no
    current one for).

    Cells are matched by name: nothing is prepared. Where the dataset is not here, nobody knows
    what is missing, and the donors are taken as they are.
    """
    from harness.planning.plan import expand
    from harness.tools.registry import load_tools

    # Another dataset may have an actor of the same number.
    same = [s for s in specs if s.split is suite.split and s.dataset == dataset.name]
    if dataset.dataset is None:
        on_lines = _lines_of(suite)
        return [spec for spec in same if on_lines(spec, spec.actor.number)], []
    planned = expand(suite, dataset.dataset, load_tools())
    matches = match_cells(planned, same)
    present = [spec for group in matches for spec in group]
    missing = [
        cell
        for cell, group in zip(planned, matches, strict=True)
        if all(spec.id in earlier for spec in group)
    ]
    return present, missing


def _lines_of(suite: Suite) -> Callable[[CellSpec | PlannedCell, int], bool]:
    """A test that a cell of an actor, by number, fits a line of the suite, regardless of who is
    shown.
    """
    from harness.planning.plan import parse_numbers

    actors = None if suite.actors == "all" else set(parse_numbers(suite.actors))
    times = suite.repeat.times if suite.repeat else 1
    seeds = range(suite.seed, suite.seed + times)
    lines = [_Line.of(suite, place) for place in range(len(suite.tools))]
    return lambda cell, actor: (
        cell.seed in seeds
        and (actors is None or actor in actors)
        and any(line.fits(cell) for line in lines)
    )


@dataclass(frozen=True)
class _Line:
    """A line of a suite: which cells it means, regardless of who is shown."""

    tool: str
    config: str
    rest: tuple[object, ...] | None
    """Version, settings and limits; None for a tool that is not installed here."""

    @staticmethod
    def of(suite: Suite, place: int) -> _Line:
        from harness.model.job import Limits
        from harness.tools.registry import find_config, load_tools, resolve_settings

        entry = suite.tools[place]
        tool = load_tools().get(entry.tool)
        if tool is None:
            return _Line(entry.tool, entry.config, None)
        version = entry.version or tool.versions[-1]
        overrides = {name: str(value) for name, value in entry.set.items()}
        settings = resolve_settings(tool, entry.config, overrides)
        limits = suite.limits or find_config(tool, entry.config, version).limits or Limits()
        return _Line(tool.name, entry.config, (version, settings, limits))

    def fits(self, cell: CellSpec | PlannedCell) -> bool:
        rest = cell.version, cell.settings, cell.limits
        return (self.tool, self.config) == (cell.tool, cell.config) and self.rest in (None, rest)


def match_cells(
    planned: Sequence[PlannedCell], specs: Sequence[CellSpec]
) -> list[tuple[CellSpec, ...]]:
    """For each planned cell those of ``specs`` of its name; ``specs`` are of one dataset and split.

    Several have one name when a video or an image changed.
    """
    by_name: dict[tuple[object, ...], list[CellSpec]] = {}
    for spec in specs:
        by_name.setdefault(_name_of_spec(spec), []).append(spec)
    return [tuple(by_name.get(_name_of_plan(cell), ())) for cell in planned]


def cells_beside(suite: Suite, store: CellStore, apart_from: Iterable[CellSpec]) -> list[CellSpec]:
    """Current cells of the store that the suites in ``suite.also`` name, on the same dataset."""
    from harness.planning.suites import load_suite

    known = {spec.id for spec in apart_from}
    others: dict[str, CellSpec] = {}
    for name in suite.also:
        other = load_suite(name).model_copy(update={"dataset": suite.dataset})
        others |= {spec.id: spec for spec in choose_cells(store, Selection(), other).specs}
    return [spec for spec in others.values() if spec.id not in known]


def _name_of_spec(spec: CellSpec) -> tuple[object, ...]:
    donor = spec.donor.name if spec.donor else None
    settings = tuple(sorted(spec.settings.items()))
    named = spec.tool, spec.version, spec.config, settings, spec.limits
    return *named, spec.actor.number, donor, spec.seed


def _name_of_plan(cell: PlannedCell) -> tuple[object, ...]:
    settings = tuple(sorted(cell.settings.items()))
    named = cell.tool, cell.version, cell.config, settings, cell.limits
    return *named, cell.actor, cell.donor, cell.seed
