"""The lines of a suite as they are followed from night to night. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.core.errors import UsageError, unknown_name
from harness.model.cell import CellSpec
from harness.model.nightly import NightRecord
from harness.model.suite import PlannedCell, Suite, ToolEntry
from harness.model.tool import Tool
from harness.results.compare.selector import Selector, spell_setting, variant_of

SECOND_RUN = 1000
"""Addition of a second run to the seeds: other cells, so that it is a run of its own."""


@dataclass(frozen=True)
class Entry:
    """One tool, config and settings of a suite, at the version of this night."""

    tool: str
    version: str
    entry: ToolEntry
    good: NightRecord | None
    """The last good night; None when there is none yet."""
    good_version: str | None
    """The version to compare with."""

    @property
    def config(self) -> str:
        """The config, with the settings that the suite makes itself."""
        own = "".join(f",{name}={value}" for name, value in sorted(self.entry.set.items()))
        return self.entry.config + own

    def at(self, version: str) -> ToolEntry:
        return self.entry.model_copy(update={"version": version})

    def cells(self, specs: Iterable[CellSpec], version: str) -> list[CellSpec]:
        """The cells among ``specs`` that are of this line, at ``version``."""
        return [spec for spec in specs if self.fits(spec, version)]

    def fits(self, cell: CellSpec | PlannedCell, version: str) -> bool:
        """True when the cell is of this line, at ``version``."""
        settings = tuple((name, spell_setting(value)) for name, value in self.entry.set.items())
        wanted = Selector("", self.tool, version, self.entry.config, settings)
        return wanted.fits(variant_of(cell))


def entries(
    suite: Suite,
    tools: Mapping[str, Tool],
    history: Sequence[NightRecord],
    given: Mapping[str, str],
) -> list[Entry]:
    """The suite's lines with what each is compared with.

    ``given`` names a good version by tool, for a first night or to set one again. Raises UsageError
    for a tool or version that does not exist, or that the suite does not have.
    """
    used = {entry.tool for entry in suite.tools}
    for name, version in given.items():
        if name not in used:
            raise unknown_name("tool of this suite", name, used, see="bench nightly --help")
        if version not in tools[name].versions:
            known = tools[name].versions
            see = f"bench tools show {name}"
            raise unknown_name(f"version of {name}", version, known, see=see)
    entered = []
    for entry in suite.tools:
        if entry.tool not in tools:
            raise unknown_name("tool", entry.tool, tools, see="bench tools list")
        version = entry.version or tools[entry.tool].versions[-1]
        current = Entry(entry.tool, version, entry, None, None)
        good = None if entry.tool in given else last_good(history, suite, current)
        named = given.get(entry.tool) or (good.version if good else None)
        entered.append(Entry(entry.tool, version, entry, good, named))
    lines = Counter((line.tool, line.config) for line in entered)
    twice = [name for name, count in lines.items() if count > 1]
    if twice:
        names = ", ".join(f"{tool}:{config}" for tool, config in sorted(twice))
        raise UsageError(
            f"The suite '{suite.name}' has {names} more than once.",
            hint="A night follows one version of a line: leave `version` out, and it is the "
            "newest.",
        )
    return entered


def last_good(history: Sequence[NightRecord], suite: Suite, entry: Entry) -> NightRecord | None:
    """The newest record of this line that is good."""
    same = [
        record
        for record in history
        if (record.suite, record.dataset) == (suite.name, suite.dataset)
        and (record.tool, record.config) == (entry.tool, entry.config)
    ]
    return next((record for record in reversed(same) if record.good), None)
