"""``bench thesis``: the published study as data, and what its own numbers say of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import AsJson
from harness.cli.output import print_json, print_table, print_wrapped, say
from harness.core.errors import UsageError

if TYPE_CHECKING:
    from benchmarks.thesis.check import Aggregate, Checked

app = typer.Typer(help="The published study as data, and its check.", no_args_is_help=True)

DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="A folder with the study's files; else those that ship."),
]


@app.command()
def check(data: DataOption = None, as_json: AsJson = False) -> None:
    """Recompute the study's means, and confirm each entry of its inconsistency register.

    Exit code 1 when an entry does not come out as the register says.

    Examples: bench thesis check
              bench thesis check --json
              bench thesis check --data my-copy
    """
    from benchmarks.thesis.check import aggregates, check_register
    from benchmarks.thesis.load import load_published, load_register

    study = load_published(data)
    means = aggregates(study)
    entries = check_register(study, load_register(data))
    if as_json:
        print_json(
            {
                "means": [m.model_dump(mode="json") | {"agrees": m.agrees} for m in means],
                "register": [entry.model_dump(mode="json") for entry in entries],
            }
        )
    else:
        _print_means(means)
        for entry in entries:
            _print_entry(entry)
        _print_summary(means, entries)
    if not all(entry.as_registered for entry in entries):
        raise typer.Exit(1)


@app.command()
def tables(
    number: Annotated[int | None, typer.Argument(help="2 to 12; without one, the list.")] = None,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """List the published tables with their pages, or print one as it was printed.

    Examples: bench thesis tables
              bench thesis tables 4
              bench thesis tables 2 --json
    """
    from benchmarks.thesis.load import load_published

    study = load_published(data)
    if number is None:
        notes = study.about.tables
        if as_json:
            print_json([note.model_dump(mode="json") for note in notes])
            return
        print_table(
            ("table", "section", "pages", "what"),
            [(note.number, note.section, note.pages, note.title) for note in notes],
            wrap=True,
        )
        return
    rows = [row.model_dump(mode="json") for row in study.table(number)]
    if not rows:
        known = ", ".join(str(note.number) for note in study.about.tables)
        raise UsageError(f"There is no table {number}; there are {known}.")
    if as_json:
        print_json(rows)
    else:
        print_table(tuple(rows[0]), [list(row.values()) for row in rows])


@app.command()
def claims(data: DataOption = None, as_json: AsJson = False) -> None:
    """List the study's claims, each decided on the study's own tables, as far as they carry it.

    `bench report --suite thesis` decides the same claims on your runs.

    Examples: bench thesis claims
              bench thesis claims --json
    """
    from benchmarks.thesis.claims import decide, load_claims
    from benchmarks.thesis.load import load_published
    from benchmarks.thesis.runs import published_runs

    found = decide(load_claims(data), published_runs(load_published(data)))
    if as_json:
        print_json([claim.model_dump(mode="json") for claim in found])
        return
    for claim in found:
        say(f"{claim.id}  {claim.outcome.upper()}  (section {claim.section})")
        print_wrapped(claim.says, indent="     ")
        print_wrapped(claim.why, indent="     ", after="       ")
    outcomes = [str(claim.outcome) for claim in found]
    told = ", ".join(f"{outcomes.count(name)} {name}" for name in dict.fromkeys(outcomes))
    say(f"\n{len(found)} claims, on the published tables: {told}.")


def _print_means(means: Sequence[Aggregate]) -> None:
    say("Means over the rows of the published tables (sd: n - 1), and as printed:\n")
    rows = []
    for mean in means:
        agrees = {True: "yes", False: "NO", None: "-"}[mean.agrees]
        where = mean.where or "-"
        printed = _pair(mean.printed_mean, mean.printed_sd)
        computed = _pair(mean.mean, mean.sd)
        rows.append((mean.tool, mean.what, mean.rows, mean.n, computed, printed, where, agrees))
    header = ("tool", "what", "rows", "n", "recomputed", "printed", "in", "agrees")
    print_table(header, rows)
    say()


def _pair(mean: float | None, sd: float | None) -> str:
    if mean is None or sd is None:
        return "-"
    return f"{mean:z.4f} ± {sd:.3f}" if abs(mean) < 0.05 else f"{mean:.3f} ± {sd:.3f}"


def _print_entry(entry: Checked) -> None:
    say(f"{entry.id}  {entry.verdict.upper()}  ({entry.kind}; {entry.where})")
    print_wrapped(entry.says, indent="     ")
    for name, values in (("printed", entry.printed), ("recomputed", entry.recomputed)):
        if values:
            listed = "; ".join(
                f"{key.replace('_', ' ')} {_spell(value)}" for key, value in values.items()
            )
            print_wrapped(f"{name}: {listed}", indent="     ", after="       ")
    for sentence in entry.differs:
        print_wrapped(f"! {sentence}", indent="     ", after="       ")
    if entry.not_computable:
        print_wrapped(f"not computable: {entry.not_computable}", indent="     ", after="       ")


def _spell(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_spell, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:z.4g}" if isinstance(value, float) else str(value)


def _print_summary(means: Sequence[Aggregate], entries: Sequence[Checked]) -> None:
    by_verdict = [str(entry.verdict) for entry in entries]
    printed = [mean.agrees for mean in means if mean.agrees is not None]
    say(
        f"\n{sum(printed)} of {len(printed)} printed means follow from the tables. Of "
        f"{len(entries)} entries {by_verdict.count('confirmed')} are confirmed by computation, "
        f"{by_verdict.count('not computable')} cannot be, and "
        f"{by_verdict.count('not confirmed')} came out otherwise."
    )
