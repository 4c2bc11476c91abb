"""The recognisers that have a name: the built-in one, and those of installed packages."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from harness.core.errors import UsageError, unknown_name
from harness.vision.recognisers.base import Recogniser

GROUP = "bench.recognisers"
Opener = Callable[[Path], Recogniser]


def recogniser_openers() -> dict[str, Opener]:
    """Name to the function that opens it, given the home folder.

    Raises UsageError for an entry point that cannot be imported or takes a name twice.
    """
    from harness.vision.recognisers.builtin import DLIB, open_dlib

    openers: dict[str, Opener] = {DLIB.name: open_dlib}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if point.name in openers:
            raise UsageError(
                f"Two recognisers are named '{point.name}'; one comes from '{point.value}'.",
                hint=f"Uninstall one of the packages that add to {GROUP}.",
            )
        try:
            openers[point.name] = point.load()
        except Exception as error:  # the package is not ours
            raise UsageError(
                f"The recogniser '{point.name}' ({point.value}) cannot be loaded: {error}.",
                hint="Repair or uninstall the package it comes from.",
            ) from error
    return openers


def open_named(name: str, home: Path) -> Recogniser:
    """The built-in recogniser, or a package's. Raises UsageError for an unknown name, and whatever
    the recogniser itself raises.
    """
    openers = recogniser_openers()
    if name not in openers and (Path(name).name != name or Path(name).exists()):
        raise UsageError(
            f"The recogniser '{name}' is a path, but of no ONNX file.",
            hint="Export the network as ONNX, into a file that ends in .onnx.",
        )
    if name not in openers:
        raise unknown_name("recogniser", name, openers, see="bench run --help")
    return openers[name](home)
