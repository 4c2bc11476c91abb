"""``bench data``: fetch, verify and list datasets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import print_json, print_table

if TYPE_CHECKING:
    from harness.datasets.verify import ActorReport
    from harness.model.job import Event

app = typer.Typer(help="Fetch, verify and list datasets.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_data(as_json: AsJson = False) -> None:
    """List the datasets with their actors, donors and licences.

    Example: bench data list
    """
    from harness.datasets.registry import list_datasets
    from harness.home import bench_home

    found = list_datasets(bench_home())
    if as_json:
        print_json(
            [
                {**entry._asdict(), "sources": [s.model_dump(mode="json") for s in entry.sources]}
                for entry in found
            ]
        )
        return
    for entry in found:
        typer.echo(f"{entry.name}: {'ready' if entry.ready else 'not fetched'}  {entry.where}")
        typer.echo(f"  actors: {', '.join(map(str, entry.actors)) or 'none yet'}")
        for source in entry.sources:
            note = f" ({source.note})" if source.note else ""
            typer.echo(f"  {source.name}: {source.licence}{note}  {source.url}")


@app.command()
def fetch(
    dataset: Annotated[str, typer.Argument(help="`sample` or `ravdess`.")],
    actor: Annotated[str, typer.Option(help="RAVDESS actors: numbers and ranges.")] = "1-24",
    extended: Annotated[bool, typer.Option("--extended", help="The longer sample clips.")] = False,
) -> None:
    """Fetch a dataset, checked against recorded checksums; resumes where it stopped.

    Example: bench data fetch ravdess --actor 1-4
    """
    from harness.errors import unknown_name
    from harness.home import bench_home

    home = bench_home()
    if dataset == "sample":
        from harness.datasets.sample import fetch_sample

        fetch_sample(home, extended, _hear)
    elif dataset == "ravdess":
        from harness.datasets.ravdess_fetch import fetch_ravdess
        from harness.plan import parse_numbers

        fetch_ravdess(home, parse_numbers(actor), _hear)
    else:
        raise unknown_name(
            "dataset to fetch", dataset, ["sample", "ravdess"], see="bench data list"
        )


def _hear(event: Event) -> None:
    """Say what is being fetched; a line per tenth of a large download."""
    if event.text:
        typer.echo(event.text, err=True)
    elif event.done is not None and event.total:
        typer.echo(f"  {event.done / event.total:4.0%} of {event.total / 1e6:.0f} MB", err=True)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="A folder with RAVDESS files.")],
    as_json: AsJson = False,
) -> None:
    """Say per actor what is there, missing, unreadable or duplicate. Exit code 1 if not whole.

    Example: bench data verify ~/ravdess
    """
    from harness.datasets.verify import verify as verify_folder

    report = verify_folder(folder)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        names = [
            "actor",
            "sex",
            "present",
            "of",
            "missing",
            "unreadable",
            "same-content",
            "with-sound",
        ]
        print_table(names, [_actor_row(actor) for actor in report.actors])
        for actor in report.actors:
            for path in actor.unreadable:
                typer.echo(f"actor {actor.actor}: unreadable {path}")
        if report.absent:
            typer.echo(f"no clips of actors {', '.join(map(str, report.absent))}")
    if not report.ok:
        raise typer.Exit(1)


def _actor_row(actor: ActorReport) -> tuple[object, ...]:
    return (
        actor.actor,
        actor.sex.value,
        actor.present,
        actor.expected,
        len(actor.missing),
        len(actor.unreadable),
        len(actor.same_content),
        actor.with_sound,
    )
