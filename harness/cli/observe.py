"""``bench observe``: the videos that scores look at, and what other programs measured in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import complete
from harness.cli.earlier import say_earlier
from harness.cli.options import (
    ActorOption,
    AsJson,
    Cells,
    DatasetOption,
    EarlierOption,
    ToolOption,
)
from harness.cli.output import note, print_json, print_table, say
from harness.cli.stored import find_cell, open_store
from harness.core.errors import UsageError
from harness.planning.selection import Selection, choose_cells

if TYPE_CHECKING:
    from harness.model.cell import CellSpec
    from harness.model.video import VideoRef
    from harness.store.cells import CellStore

_VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm")

app = typer.Typer(
    help="The videos that scores look at, and what other programs measured in them.",
    no_args_is_help=True,
)


@app.command("list")
def list_videos(
    cells: Cells = None,
    tool: ToolOption = None,
    actor: ActorOption = None,
    dataset: DatasetOption = None,
    earlier: EarlierOption = False,
    as_json: AsJson = False,
) -> None:
    """List each video once: whose it is, whether OpenFace's file is there, and where it lies.

    Example: bench observe list --actor 3
    """
    from harness.observe.openface import openface_path

    store = open_store()
    selection = Selection(tuple(cells or ()), tool, actor, dataset, earlier)
    chosen = choose_cells(store, selection)
    rows = [
        {
            "video": label,
            "sha256": video.sha256,
            "openface": openface_path(store.home, video.sha256).exists(),
            "path": str(video.path),
        }
        for label, video in _videos(store, chosen.specs)
    ]
    if as_json:
        print_json(rows)
    elif rows:
        table = [(r["video"], "yes" if r["openface"] else "no", r["path"]) for r in rows]
        print_table(("video", "OpenFace", "path"), table)
    else:
        note("No cell has a result yet. Try: bench run --tool blur --actor 3")
    say_earlier(chosen, "--earlier lists them")


@app.command("import-openface")
def import_openface(
    target: Annotated[
        str,
        typer.Argument(
            metavar="CELL_OR_VIDEO",
            help="A cell (its swapped video is meant), or the path of a video.",
            autocompletion=complete.cell_names,
        ),
    ],
    csv: Annotated[
        Path | None, typer.Argument(help="OpenFace's CSV of that video.", show_default=False)
    ] = None,
    original: Annotated[
        Path | None,
        typer.Option(
            "--original", metavar="CSV", help="OpenFace's CSV of the cell's original video."
        ),
    ] = None,
) -> None:
    """Take in CSV files that you made with OpenFace 2.2 (`FeatureExtraction -f VIDEO -aus`).

    They are checked and kept by the video's content, so an actor's original is needed once for all
    tools. Then `bench score` scores OpenFace's units too, alongside the built-in source.

    Examples: bench observe import-openface blur-1-default-actor03 swapped.csv --original test.csv
              bench observe import-openface clips/test.mp4 test.csv
    """
    if csv is None and original is None:
        raise UsageError(
            "Name a CSV file to import.", hint=f"bench observe import-openface {target} FILE.csv"
        )
    if not Path(target).is_file() and Path(target).suffix.lower() in _VIDEO_SUFFIXES:
        raise UsageError(f"There is no video {target}.", hint="List them: bench observe list")
    store = open_store()
    wanted: list[tuple[str, VideoRef, Path]] = []
    if Path(target).is_file():
        if csv is None or original is not None:
            raise UsageError("For a video, name its one CSV, without --original.")
        wanted.append((*_known_video(store, Path(target)), csv))
    else:
        spec = find_cell(store, target)
        if original is not None:
            wanted.append((*_original(store, spec), original))
        if csv is not None:
            wanted.append((*_swapped(store, spec), csv))
    for label, video, file in wanted:
        _import(store, label, video, file)
    note("Now score again: bench score")


def _import(store: CellStore, label: str, video: VideoRef, csv: Path) -> None:
    from harness.observe import openface
    from harness.observe.video import video_info
    from harness.store.observations import ObservationStore

    frames = video_info(video, ObservationStore(store.home)).frames
    found = openface.import_openface(csv, video.sha256, frames, store.home)
    several = f", {found.faces} faces (the one seen most is used)" if found.faces > 1 else ""
    lost = f", {found.missing} without a row" if found.missing else ""
    say(
        f"{label}: {found.frames} frames, {found.usable} with a face at confidence "
        f"{openface.MINIMUM_CONFIDENCE:g} or more{lost}{several}"
    )


def _videos(store: CellStore, specs: Sequence[CellSpec]) -> list[tuple[str, VideoRef]]:
    """The originals and swapped videos, each with a label, each content once."""
    finished = [spec for spec in specs if store.result(spec) is not None]
    found = [_original(store, spec) for spec in finished]
    found += [_swapped(store, spec) for spec in finished]
    unique: dict[str, tuple[str, VideoRef]] = {}
    for label, video in found:
        unique.setdefault(video.sha256, (label, video))
    return list(unique.values())


def _original(store: CellStore, spec: CellSpec) -> tuple[str, VideoRef]:
    from harness.store.media import MediaStore

    label = f"{spec.dataset} actor {spec.actor.number}, original"
    return label, MediaStore(store.home).video(spec.actor.test)


def _swapped(store: CellStore, spec: CellSpec) -> tuple[str, VideoRef]:
    from harness.model.video import VideoRef

    result = store.result(spec)
    if result is None:
        raise UsageError(
            f"The cell {spec.slug} has no swapped video.", hint="See why: bench status"
        )
    return spec.slug, VideoRef(store.swapped_path(spec), result.swapped.sha256)


def _known_video(store: CellStore, path: Path) -> tuple[str, VideoRef]:
    """The video of the store with the content of ``path``. Raises UsageError."""
    from harness.core.hashing import file_sha256

    content = file_sha256(path)
    for label, video in _videos(store, store.list()):
        if video.sha256 == content:
            return label, video
    raise UsageError(
        f"No finished cell has the video {path}: neither as its original nor as its result.",
        hint="Import for the very files that `bench observe list` shows; a copy that was encoded "
        "again is another video.",
    )
