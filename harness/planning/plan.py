"""From what the user asked for to a list of cells. Pure: nothing is prepared or run here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from harness.core.errors import UsageError, unknown_name
from harness.model.dataset import Actor, Dataset, Donor, Sex
from harness.model.job import Limits, Role, Setting
from harness.model.suite import DonorRule, PlannedCell, Suite, ToolEntry
from harness.model.tool import Tool
from harness.tools.registry import find_config, resolve_settings

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


def parse_numbers(text: str) -> tuple[int, ...]:
    """``1-4,7`` as (1, 2, 3, 4, 7). Raises UsageError for anything else."""
    numbers: list[int] = []
    for part in text.replace(" ", "").split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise UsageError(
                f"'{text}' does not name actors.",
                hint="Write numbers and ranges: 3 or 1-24 or 1-4,7.",
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise UsageError(
                f"'{part}' is not a range of actors: its end comes before its start.",
                hint=f"Write {last}-{first}.",
            )
        if last - first > 10_000:
            raise UsageError(f"'{part}' is not a range of actors: it is too long.")
        numbers.extend(range(first, last + 1))
    return tuple(dict.fromkeys(numbers))


def choose_actors(dataset: Dataset, text: str) -> tuple[Actor, ...]:
    """The actors that ``text`` names; a range may span numbers that the dataset does not have.

    Raises UsageError when a number that stands alone, or every number of the text, is unknown.
    """
    if text == "all":
        return dataset.actors
    wanted = parse_numbers(text)
    by_number = {actor.number: actor for actor in dataset.actors}
    alone = {int(part) for part in text.replace(" ", "").split(",") if part.isdigit()}
    missing = sorted(alone - by_number.keys())
    chosen = tuple(by_number[number] for number in wanted if number in by_number)
    if missing or not chosen:
        known = ", ".join(str(number) for number in sorted(by_number)) or "none"
        which = ", ".join(map(str, missing)) or text
        raise UsageError(
            f"The dataset '{dataset.name}' has no actor {which}; it has {known}.",
            hint=dataset.more or "See `bench data list`.",
        )
    return chosen


def choose_donors(dataset: Dataset, actor: Actor, rule: str) -> tuple[Donor, ...]:
    """The donors for one actor: by a rule or by name; ``actor02`` is an actor in the part.

    Raises UsageError for an unknown name, and for an actor who would be their own donor.
    """
    if rule == DonorRule.ALL:
        return dataset.donors
    if rule == DonorRule.NEXT_ACTOR:
        return (actor_as_donor(next_actor(dataset, actor)),)
    same = tuple(donor for donor in dataset.donors if donor.sex == actor.sex)[:1]
    other = tuple(donor for donor in dataset.donors if donor.sex != actor.sex)[:1]
    if rule == DonorRule.SAME_SEX:
        return same
    if rule == DonorRule.OTHER_SEX:
        return other
    if rule == DonorRule.BOTH_SEXES:
        return (*same, *other) if same and other else ()
    donors = tuple(find_donor(dataset, name.strip()) for name in rule.split(","))
    if actor_as_donor(actor) in donors:
        raise UsageError(
            f"Actor {actor.number} cannot be their own donor.",
            hint="Name another donor, or leave this actor out.",
        )
    return donors


def next_actor(dataset: Dataset, actor: Actor) -> Actor:
    """Next actor in the dataset's order, the first after the last.

    Raises UsageError for a dataset of one.
    """
    others = [other for other in dataset.actors if other.number != actor.number]
    if not others:
        raise UsageError(
            f"No other actor can stand in for a donor: '{dataset.name}' has one actor only."
        )
    later = [other for other in others if other.number > actor.number]
    return (later or others)[0]


def actor_as_donor(actor: Actor) -> Donor:
    """An actor in the donor's place, named so that cells distinguish them."""
    return Donor(
        name=f"actor{actor.number:02d}",
        sex=actor.sex,
        clips=actor.clips,
        photo=actor.photo,
        source=actor.source,
    )


def check_donors(dataset: Dataset, rule: str) -> None:
    """Raise UsageError for a donor's name that the dataset does not know, used or not."""
    if rule not in set(DonorRule):
        for name in rule.split(","):
            find_donor(dataset, name.strip())


def _donor_names(dataset: Dataset, tool: Tool, actor: Actor, rule: str) -> tuple[str | None, ...]:
    if not tool.uses_donor:
        return (None,)
    if Role.DONOR_REFERENCE not in tool.needs and tool.control:
        # The oracle shows another actor.
        return (actor_as_donor(next_actor(dataset, actor)).name,)
    donors = choose_donors(dataset, actor, rule)
    if not donors:
        raise UsageError(
            f"'{dataset.name}' has no donor for actor {actor.number} by the rule '{rule}'.",
            hint="Name one with --donor, or add donors to the dataset's manifest.",
        )
    return tuple(donor.name for donor in donors)


def find_donor(dataset: Dataset, name: str) -> Donor:
    """The donor of that name, among donors and actors standing in. Raises UsageError."""
    donors = {donor.name: donor for donor in dataset.donors}
    donors.update((d.name, d) for d in map(actor_as_donor, dataset.actors))
    if name not in donors:
        raise unknown_name("donor", name, donors, see="bench data list")
    return donors[name]


def expand(suite: Suite, dataset: Dataset, tools: Mapping[str, Tool]) -> tuple[PlannedCell, ...]:
    """All cells of a suite, by tool, actor and donor.

    Raises UsageError for unknown names; its ``field`` is the suite's that names them.
    """
    with blame("actors"):
        actors = choose_actors(dataset, suite.actors)
    with blame("donors"):
        check_donors(dataset, suite.donors)
    with blame("repeat", "actors"):
        repeated = _repeated(suite, dataset)
    cells: list[PlannedCell] = []
    for place, entry in enumerate(suite.tools):
        with blame("tools", place, "tool"):
            tool = _tool(tools, entry.tool)
        with blame("tools", place, "version"):
            version = _version(tool, entry)
        with blame("tools", place, "config"):
            config = find_config(tool, entry.config, version)
        with blame("tools", place, "set"):
            settings = _settings(tool, entry)
            require_gallery(tool, settings, len(dataset.actors), dataset.name)
        for actor in actors:
            with blame("donors"):
                donors = _donor_names(dataset, tool, actor, suite.donors)
            cells.extend(
                PlannedCell(
                    tool=tool.name,
                    version=version,
                    config=entry.config,
                    settings=settings,
                    limits=suite.limits or config.limits or Limits(),
                    actor=actor.number,
                    donor=donor,
                    seed=suite.seed + number,
                )
                for donor in donors
                for number in range(repeated.get(actor.number, 1))
            )
    with blame("donors"):
        _check_sexes(suite, dataset, cells)
    return _unique(cells)


def _repeated(suite: Suite, dataset: Dataset) -> dict[int, int]:
    """Number of times the cells of the actors that are repeated are run."""
    if suite.repeat is None:
        return {}
    chosen = choose_actors(dataset, suite.repeat.actors)
    return {actor.number: suite.repeat.times for actor in chosen}


def _check_sexes(suite: Suite, dataset: Dataset, cells: Sequence[PlannedCell]) -> None:
    """Raise UsageError when there are fewer donors of a sex than the suite asks for."""
    least = suite.donors_of_each_sex
    if least == 1:
        return
    met = [find_donor(dataset, name) for name in {c.donor for c in cells if c.donor}]
    for sex in Sex:
        count = sum(donor.sex == sex for donor in met)
        if count < least:
            raise UsageError(
                f"'{suite.name}' wants {least} donors of each sex, but '{suite.donors}' names "
                f"{count} {sex} on '{dataset.name}'. With fewer, donor and sex cannot be "
                "distinguished.",
                hint="Name more with --donor; an actor can stand in: --donor actor02,actor03.",
            )


def require_gallery(tool: Tool, settings: Mapping[str, Setting], people: int, dataset: str) -> None:
    """See that ``people``, those with a reference face, are as many as the tool's gallery needs.

    Raises UsageError.
    """
    if tool.gallery_at_least is None:
        return
    least = int(settings[tool.gallery_at_least])
    if people < least:
        has = f"{people} {'actor' if people == 1 else 'actors'}"
        remedy = f"set {tool.gallery_at_least} to at most {people}, or " if people > 1 else ""
        raise UsageError(
            f"'{tool.name}' with {tool.gallery_at_least} = {least} needs {least} people in its "
            f"gallery, and '{dataset}' has {has} with a reference face.",
            hint=f"To go on, {remedy}add actors to the dataset; `bench data list` shows them.",
        )


@contextmanager
def blame(*field: int | str) -> Iterator[None]:
    """Have an error name the field of a suite that is at fault."""
    try:
        yield
    except UsageError as error:
        error.field = field
        raise


def _tool(tools: Mapping[str, Tool], name: str) -> Tool:
    if name not in tools:
        raise unknown_name("tool", name, tools, see="bench tools list")
    return tools[name]


def _unique(cells: Sequence[PlannedCell]) -> tuple[PlannedCell, ...]:
    seen: dict[str, PlannedCell] = {}
    for cell in cells:
        seen.setdefault(cell.model_dump_json(), cell)
    return tuple(seen.values())


def _version(tool: Tool, entry: ToolEntry) -> str:
    if entry.version is None:
        return tool.versions[-1]
    if entry.version not in tool.versions:
        raise unknown_name(
            f"version of {tool.name}",
            entry.version,
            tool.versions,
            see=f"bench tools show {tool.name}",
        )
    return entry.version


def _settings(tool: Tool, entry: ToolEntry) -> dict[str, Setting]:
    overrides = {name: str(value) for name, value in entry.set.items()}
    return resolve_settings(tool, entry.config, overrides)
