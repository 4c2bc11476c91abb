"""``bench publish``: a static site from the store alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli.earlier import say_earlier, say_unprepared
from harness.cli.options import (
    ActorOption,
    AsJson,
    Cells,
    DatasetOption,
    EarlierOption,
    FramesOption,
    IdentityOption,
    SuiteOption,
    ToolOption,
)
from harness.cli.output import Progress, print_json, say, size_text, warn
from harness.cli.scores import Asked, cells_to_show
from harness.cli.stored import open_store
from harness.core.errors import unknown_name
from harness.core.paths import expanded
from harness.planning.selection import Chosen, Selection, load_chosen_suite

FACES = ("none", "pixelated", "full")


def publish(
    folder: Annotated[Path, typer.Argument(help="The folder of the site; made or replaced.")],
    cells: Cells = None,
    suite: SuiteOption = None,
    tool: ToolOption = None,
    actor: ActorOption = None,
    dataset: DatasetOption = None,
    frames: FramesOption = None,
    identity: IdentityOption = None,
    faces: Annotated[
        str,
        typer.Option(
            help="What is shown of people: none (no pixel of anybody), pixelated, or full."
        ),
    ] = "none",
    verify: Annotated[
        bool,
        typer.Option(help="Compare the hash of every video with the published one."),
    ] = True,
    earlier: EarlierOption = False,
    as_json: AsJson = False,
) -> None:
    """Write a static site about the chosen cells: leaderboard, tools, actors, cells, data, feed.

    An older site in the folder is replaced as a whole; a folder that holds anything else is left
    alone. Exit code 1 if a result is not used because a hash no longer fits.

    Examples: bench publish site --suite quickstart
              bench publish site --tool blur,mask --faces pixelated
              bench publish site --frames 1000 --json
    """
    from reports.site.comparisons import comparison_pages
    from reports.site.gather import gather
    from reports.site.history import history_pages
    from reports.site.model import Faces
    from reports.site.publish import check_target
    from reports.site.publish import publish as write_site

    if faces not in FACES:
        raise unknown_name("way to show faces", faces, FACES, see="bench publish --help")
    # Before minutes are spent on pictures.
    check_target(expanded(folder))
    store = open_store()
    selection = Selection(tuple(cells or ()), tool, actor, dataset, earlier)
    loaded = None if suite is None else load_chosen_suite(suite, selection)
    chosen, protocol = cells_to_show(store, loaded, selection, Asked(frames, identity), "publish")
    progress = Progress(len(chosen.specs))
    content = gather(
        store.home,
        chosen.specs,
        protocol,
        faces=Faces(faces),
        verify=verify,
        earlier=chosen.earlier,
        remarks=chosen.sentences,
        unprepared=chosen.unprepared,
        listen=lambda done, total: progress.reach(done, "cells have their pictures"),
    )
    extra = comparison_pages(store.home, content)
    extra += history_pages(store.home, content)
    written = write_site(content, expanded(folder), extra)
    refused = content.refused()
    for cell, reason in refused.items():
        warn(f"{cell} is not used. {reason}")
    _say(written, content, refused, chosen, as_json)
    say_unprepared(chosen.unprepared)
    say_earlier(chosen)
    if refused:
        raise typer.Exit(1)


def _say(
    written: Any, content: Any, refused: dict[str, str], chosen: Chosen, as_json: bool
) -> None:
    found = content.report.cells
    scored = sum(cell.score is not None for cell in found)
    if as_json:
        print_json(
            {
                "site": str(written.folder),
                "index": str(written.folder / "index.html"),
                "protocol": content.report.protocol,
                "faces": content.faces.value,
                "hashes_checked": content.verified,
                "cells": len(found),
                "scored": scored,
                "refused": refused,
                "earlier": chosen.counts(),
                "pages": written.pages,
                "files": written.files,
                "files_by_kind": written.by_kind,
                "bytes": written.total_bytes,
                "first_view_bytes": written.first_view_bytes,
            }
        )
        return
    say(f"Site: {written.folder / 'index.html'}")
    say(
        f"  {written.pages} pages, {written.files} files, {size_text(written.total_bytes)}; "
        f"the first page {size_text(written.first_view_bytes)}."
    )
    say(
        f"  {scored} of {len(found)} cells are scored with the protocol "
        f"{content.report.protocol}. Faces: {content.faces.value}."
    )


def register(root: typer.Typer) -> None:
    root.command()(publish)
