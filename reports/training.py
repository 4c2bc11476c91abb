"""Training previews and settings that differ from the study: what trained tools add to a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.model.cell import Artifact, CellSpec
from harness.model.tool import Tool
from reports.evidence import Rung, picture_uri
from reports.model import ConfigDeviations, TrainingPicture

MOST_PREVIEWS = 6
"""Pictures of one training on a page."""


def choose_evenly(artifacts: Sequence[Artifact], most: int = MOST_PREVIEWS) -> tuple[Artifact, ...]:
    """At most ``most`` of them, evenly spaced, the first and the last always among them."""
    if len(artifacts) <= most:
        return tuple(artifacts)
    places = [round(i * (len(artifacts) - 1) / (most - 1)) for i in range(most)]
    return tuple(artifacts[place] for place in places)


def training_pictures(
    folder: Path, artifacts: Sequence[Artifact], rung: Rung
) -> tuple[TrainingPicture, ...]:
    """The chosen previews of a cell in ``folder``; those that are gone or broken are left out.

    A preview is a sheet of several faces, so it may be three times as wide as a frame, within the
    same number of bytes.
    """
    wide = rung.widened(3)
    found = []
    for artifact in choose_evenly(artifacts):
        path = folder / artifact.path
        picture = picture_uri(path, wide)
        if picture is not None:
            found.append(TrainingPicture(iteration=int(path.stem), picture=picture))
    return tuple(found)


def used_deviations(
    specs: Sequence[CellSpec], tools: Mapping[str, Tool]
) -> tuple[ConfigDeviations, ...]:
    """The deviations of every config in ``specs``, each once, by tool and config."""
    found = []
    for tool, name in sorted({(spec.tool, spec.config) for spec in specs}):
        configs = tools[tool].configs if tool in tools else ()
        found += [
            ConfigDeviations(tool=tool, config=name, help=one.help, deviations=one.deviations)
            for one in configs
            if one.name == name and one.deviations
        ]
    return tuple(found)
