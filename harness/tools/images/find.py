"""Finds the images the engine has, and those of them that are what the recipes now describe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from harness.core.errors import UnfitMachineError, UsageError, unknown_name
from harness.model.tool import Container, Tool
from harness.tools.engine import Engine
from harness.tools.images.labels import PART, TOOL_PART, BuiltImage, read_image
from harness.tools.images.recipe import Recipe, read_recipe
from harness.tools.registry import load_observers, load_tools

State = Literal["current", "stale", "unknown"]
"""Built from the recipe as it is now; from another revision of it; of nothing known here."""


def list_images(engine: Engine, tool: str | None = None) -> tuple[BuiltImage, ...]:
    """The finished images of all tools, or of one, newest first."""
    listed = engine.client.images.list(filters={"label": f"{PART}={TOOL_PART}"})
    images = [image for image in (read_image(entry.attrs) for entry in listed) if image is not None]
    mine = [image for image in images if tool in (None, image.tool)]
    return tuple(sorted(mine, key=lambda image: image.created, reverse=True))


def find_image(engine: Engine, recipe: Recipe, *, base: str | None = None) -> BuiltImage:
    """The newest image of ``recipe`` as it is now, on any base or on ``base``.

    Raises UnfitMachineError when there is none, or only one of another revision of the recipe.
    """
    build = f"bench images build {recipe.name}" + (f" --base {base}" if base else "")
    wanted = None if base is None else recipe.entry.base_reference(base)
    images = [
        image
        for image in list_images(engine, recipe.tool)
        if image.version == recipe.version and wanted in (None, image.base)
    ]
    for image in images:
        if image.recipe == recipe.hash:
            return image
    if not images:
        on = f" on {wanted}" if wanted else ""
        raise UnfitMachineError(
            f"This machine has no image of {recipe.name}{on}.", hint=f"Build it: `{build}`."
        )
    raise UnfitMachineError(
        f"The image of {recipe.name}, built on {images[0].created[:10]}, is of another revision of "
        f"its recipe ({images[0].recipe[:12]}, now {recipe.hash[:12]}).",
        hint=f"Build it again: `{build}`.",
    )


def described() -> dict[str, Tool]:
    """Descriptions that may have an image: tools, and observers that are programs of their own."""
    return {**load_tools(), **load_observers()}


def find_described(name: str) -> Tool:
    """The tool or observer of that name; raises UsageError with the nearest name."""
    known = described()
    if name not in known:
        raise unknown_name("tool or observer", name, known, see="bench tools list")
    return known[name]


def current_hashes(tools: Mapping[str, Tool]) -> dict[str, str]:
    """``tool@version`` to its recipe's hash, for all tools whose recipe is sound."""
    hashes = {}
    for tool in tools.values():
        for version in tool.versions if isinstance(tool.runs_as, Container) else ():
            try:
                recipe = read_recipe(tool, version)
            except UsageError:
                continue
            hashes[recipe.name] = recipe.hash
    return hashes


def state_of(image: BuiltImage, hashes: Mapping[str, str]) -> State:
    """State of an image against the recipes in ``hashes`` (of ``current_hashes``)."""
    if image.name not in hashes:
        return "unknown"
    return "current" if hashes[image.name] == image.recipe else "stale"
