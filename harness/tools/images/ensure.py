"""An image for a run: found, or else built."""

from __future__ import annotations

from harness.core.errors import UnfitMachineError
from harness.model.tool import Tool
from harness.tools.engine import Engine
from harness.tools.images.bases import KnownBases, Say
from harness.tools.images.build import build_image
from harness.tools.images.find import find_image
from harness.tools.images.labels import BuiltImage
from harness.tools.images.recipe import read_recipe


def ensure_image(
    engine: Engine,
    tool: Tool,
    version: str,
    *,
    base: str | None = None,
    known: KnownBases | None = None,
    say: Say,
) -> BuiltImage:
    """The current image of a tool's version; a missing or stale one is built first.

    Of two processes that want the same image one builds, the other waits. Raises UsageError for a
    wrong recipe, UnfitMachineError for a failed build.
    """
    recipe = read_recipe(tool, version)
    try:
        return find_image(engine, recipe, base=base)
    except UnfitMachineError as lacking:
        say(f"{lacking.message} Building it now.")
    return build_image(engine, recipe, base=base, known=known, say=say)
