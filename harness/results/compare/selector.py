"""``tool[@version][:config][,setting=value...]``: which cells one side of a comparison is."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.core.errors import UsageError
from harness.model.cell import CellSpec
from harness.model.job import Setting
from harness.model.suite import PlannedCell

SYNTAX = "tool[@version][:config][,setting=value...]"
_HELP = f"Write {SYNTAX}, for one: faceswap@v3.0.0:thesis or blur:strong or blur,strength=0.3."


@dataclass(frozen=True)
class Variant:
    """A side of a comparison: a tool with everything that was chosen of it."""

    tool: str
    version: str
    config: str
    settings: tuple[tuple[str, Setting], ...]

    def spelled(self, settings: Iterable[str] = ()) -> str:
        """The selector that names it, with these of its settings."""
        values = dict(self.settings)
        spelling = "".join(
            f",{name}={spell_setting(values[name])}" for name in settings if name in values
        )
        return f"{self.tool}@{self.version}:{self.config}{spelling}"


@dataclass(frozen=True)
class Selector:
    text: str
    tool: str
    version: str | None
    config: str | None
    settings: tuple[tuple[str, str], ...]

    def fits(self, variant: Variant) -> bool:
        values = {name: spell_setting(value) for name, value in variant.settings}
        return (
            self.tool == variant.tool
            and self.version in (None, variant.version)
            and self.config in (None, variant.config)
            and all(values.get(name) == value for name, value in self.settings)
        )


def parse_selector(text: str) -> Selector:
    """Raises UsageError for a text of another form."""
    head, *pairs = text.strip().split(",")
    named, colon, config = head.partition(":")
    tool, at, version = named.partition("@")
    settings = []
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name.strip() and equals and value.strip()):
            raise UsageError(f"'{pair}' in '{text}' is no setting.", hint=_HELP)
        settings.append((name.strip(), value.strip()))
    if not tool or (at and not version) or (colon and not config):
        raise UsageError(f"'{text}' names no tool, version or config to compare.", hint=_HELP)
    return Selector(text.strip(), tool, version or None, config or None, tuple(settings))


def variant_of(cell: CellSpec | PlannedCell) -> Variant:
    return Variant(cell.tool, cell.version, cell.config, tuple(sorted(cell.settings.items())))


def choose(selector: Selector, specs: Sequence[CellSpec], where: str) -> list[CellSpec]:
    """The cells of the one variant that ``selector`` names; ``where`` says which store.

    Raises UsageError when there is none (with the nearest that there is), or several.
    """
    variants = {variant_of(spec) for spec in specs}
    fitting = sorted((v for v in variants if selector.fits(v)), key=_in_full)
    if not fitting:
        raise _unknown(selector, variants, where)
    if len(fitting) > 1:
        names = [variant.spelled(_telling(fitting)) for variant in fitting]
        listed = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        raise UsageError(
            f"'{selector.text}' fits {len(fitting)} variants of the cells in {where}: {listed}.",
            hint=f"Name one of them, as in: {names[0]}",
        )
    return [spec for spec in specs if variant_of(spec) == fitting[0]]


def labels(first: Variant, second: Variant) -> tuple[str, str]:
    """Names of two variants, with the settings that distinguish them where nothing else does."""
    telling = _telling([first, second]) if first.spelled() == second.spelled() else []
    return first.spelled(telling), second.spelled(telling)


def _in_full(variant: Variant) -> str:
    return variant.spelled(name for name, _ in variant.settings)


def _telling(variants: Sequence[Variant]) -> list[str]:
    """Settings in which the variants differ."""
    names = sorted({name for variant in variants for name, _ in variant.settings})
    values = [dict(variant.settings) for variant in variants]
    return [name for name in names if len({str(v.get(name)) for v in values}) > 1]


def _unknown(selector: Selector, variants: Iterable[Variant], where: str) -> UsageError:
    stored = sorted(variants, key=_in_full)
    if not stored:
        return UsageError(
            f"There is nothing to compare: {where} holds no cells.",
            hint="Run some: bench run --suite quickstart",
        )
    spellings: dict[str, str] = {}
    for variant in stored:
        full = variant.spelled()
        parts = (
            variant.tool,
            f"{variant.tool}@{variant.version}",
            f"{variant.tool}:{variant.config}",
            full,
        )
        spellings.update((part, part) for part in parts)
    near = difflib.get_close_matches(selector.text.partition(",")[0], spellings, n=1, cutoff=0.5)
    guess = f" Did you mean '{near[0]}'?" if near else ""
    of_tool = [variant.spelled() for variant in stored if variant.tool == selector.tool]
    known = list(dict.fromkeys(of_tool or [variant.spelled() for variant in stored]))
    listed = ", ".join(known[:6]) + (f" and {len(known) - 6} more" if len(known) > 6 else "")
    return UsageError(
        f"No cells in {where} are of '{selector.text}'.{guess} There are: {listed}.", hint=_HELP
    )


def spell_setting(value: Setting) -> str:
    """A setting as a selector spells it."""
    return value if isinstance(value, str) else json.dumps(value)
