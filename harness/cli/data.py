"""``bench data``: fetch, verify and list datasets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import complete
from harness.cli.options import AsJson
from harness.cli.output import Progress, note, print_json, print_table, print_wrapped, say
from harness.core.errors import UsageError
from harness.core.paths import expanded

if TYPE_CHECKING:
    from harness.datasets.verify import ActorReport, VerifyReport
    from harness.model.job import Event

app = typer.Typer(help="Fetch, verify and list datasets.", no_args_is_help=True)


@app.command("list")
def list_data(as_json: AsJson = False) -> None:
    """List the datasets with their actors, donors and licences.

    Examples: bench data list
              bench data list --json
    """
    from harness.core.paths import bench_home
    from harness.datasets.registry import list_datasets

    home = bench_home()
    found = list_datasets(home)
    donors = {entry.name: _donors(entry.name, home) if entry.ready else () for entry in found}
    if as_json:
        print_json(
            [
                {
                    **entry._asdict(),
                    "donors": donors[entry.name],
                    "sources": [s.model_dump(mode="json") for s in entry.sources],
                }
                for entry in found
            ]
        )
        return
    for entry in found:
        say(f"{entry.name}: {'ready' if entry.ready else 'not fetched'}  {entry.where}")
        if entry.ready:
            print_wrapped(f"actors: {', '.join(map(str, entry.actors))}", indent="  ")
            print_wrapped(f"donors: {', '.join(donors[entry.name]) or 'none'}", indent="  ")
        else:
            say(f"  fetch it: bench data fetch {entry.name}")
        for source in entry.sources:
            remark = f" ({source.note})" if source.note else ""
            text = f"{source.name}: {source.licence}{remark} {source.url}"
            print_wrapped(text, indent="  ", after="    ")
    note("Your own videos: name a manifest, bench run --dataset my.yaml; see docs/cli.md.")


def _donors(name: str, home: Path) -> tuple[str, ...]:
    from harness.datasets.registry import load_dataset

    return tuple(donor.name for donor in load_dataset(name, home).donors)


@app.command()
def fetch(
    dataset: Annotated[
        str,
        typer.Argument(help="`sample` or `ravdess`.", autocompletion=complete.dataset_names),
    ],
    actor: Annotated[
        str | None, typer.Option(help="RAVDESS actors: numbers and ranges. Default: 1-24.")
    ] = None,
    extended: Annotated[bool, typer.Option("--extended", help="The longer sample clips.")] = False,
) -> None:
    """Fetch a dataset, checked against recorded checksums; resumes where it stopped.

    Examples: bench data fetch sample
              bench data fetch ravdess --actor 1-4
    """
    from harness.core.errors import unknown_name
    from harness.core.paths import bench_home
    from harness.store.schema import check_store

    home = bench_home()
    check_store(home)
    if dataset == "sample":
        if actor is not None:
            raise UsageError("--actor is for RAVDESS; the sample is fetched whole.")
        from harness.datasets.sample import fetch_sample

        fetch_sample(home, extended, _hear)
        note(f"The sample is ready in {home}.")
    elif dataset == "ravdess":
        if extended:
            raise UsageError("--extended is for the sample.")
        from harness.datasets.ravdess_fetch import fetch_ravdess
        from harness.planning.plan import parse_numbers

        folder = fetch_ravdess(home, parse_numbers(actor or "1-24"), _hear)
        note(f"RAVDESS is ready in {folder}.")
    else:
        raise unknown_name(
            "dataset to fetch", dataset, ["sample", "ravdess"], see="bench data list"
        )


def _hear(event: Event) -> None:
    """Say what is being fetched; a line per tenth of a large download."""
    if event.text:
        say(event.text, err=True)
    elif event.done is not None and event.total:
        say(f"  {event.done / event.total:4.0%} of {event.total / 1e6:.0f} MB", err=True)


@app.command()
def verify(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder with RAVDESS files; by default the fetched one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say per actor what is there, missing, unreadable or duplicate. Exit code 1 if not whole.

    Examples: bench data verify
              bench data verify ~/ravdess --json
    """
    from harness.core.paths import bench_home
    from harness.datasets.ravdess import ravdess_dir
    from harness.datasets.verify import verify as verify_folder

    place = expanded(folder) if folder else ravdess_dir(bench_home())
    progress = Progress(0)
    report = verify_folder(place, lambda path: progress.tick(f"reading {path.name}"))
    if as_json:
        print_json(report.model_dump(mode="json"))
    elif not report.actors:
        say(f"{place} holds no RAVDESS video: their names look like 02-01-01-01-01-01-01.mp4")
        _print_aside(report)
    else:
        _print_report(report)
    if not report.ok:
        raise typer.Exit(1)


def _print_report(report: VerifyReport) -> None:
    names = ("actor", "sex", "present", "of", "missing", "unreadable", "repeated", "with sound")
    print_table(names, [_actor_row(actor) for actor in report.actors])
    for actor in report.actors:
        for path in actor.unreadable:
            say(f"actor {actor.actor}: unreadable {path}")
        for paths in actor.same_content:
            say(f"actor {actor.actor}: the same content in {', '.join(paths)}")
        for paths in actor.different:
            say(f"actor {actor.actor}: one take, other content: {', '.join(paths)}")
        if actor.sound_used:
            say(
                f"actor {actor.actor}: {actor.sound_used} of the clips are the copies with sound, "
                "which show the same pictures and are used"
            )
        if actor.converted:
            say(
                f"actor {actor.actor}: not used, since not the MP4 that RAVDESS has: "
                f"{', '.join(actor.converted)}"
            )
    _print_aside(report)
    if report.absent:
        print_wrapped(f"no clips of actors {', '.join(map(str, report.absent))}")


def _print_aside(report: VerifyReport) -> None:
    for path in report.archives:
        say(f"not unpacked: {path}")
    if report.sounds:
        say(f"sound alone, not used: {report.sounds} files")


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
