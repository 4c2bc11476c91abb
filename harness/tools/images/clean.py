"""Removing images that no recipe describes any more, and what builds left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.core.base import Frozen
from harness.tools.engine import Engine, remove_container
from harness.tools.images.find import list_images, state_of
from harness.tools.images.labels import BUILD_PART, PART, BuiltImage
from harness.tools.images.lock import cleaning

_LEFTOVERS = f"{PART}={BUILD_PART}"


class Removed(Frozen):
    """Result of a cleaning."""

    images: tuple[str, ...]
    """Names of the images that are gone."""
    kept: tuple[str, ...]
    """Sentences about those that the engine would not remove."""
    leftovers: int
    """Unfinished stages and containers of builds."""


def images_to_remove(
    engine: Engine, hashes: Mapping[str, str], *, everything: bool = False
) -> tuple[BuiltImage, ...]:
    """The images that are not current (``hashes`` of ``current_hashes``), or all of them."""
    images = list_images(engine)
    return tuple(image for image in images if everything or state_of(image, hashes) != "current")


def remove_images(engine: Engine, images: Sequence[BuiltImage]) -> Removed:
    """Remove ``images`` and all leftovers of builds; an image that is in use stays.

    Waits for builds that are running: their stages look like leftovers.
    """
    with cleaning():
        return _remove(engine, images)


def _remove(engine: Engine, images: Sequence[BuiltImage]) -> Removed:
    from docker.errors import APIError, NotFound

    gone, kept = [], []
    for image in images:
        try:
            for reference in image.tags or (image.id,):
                engine.client.images.remove(reference)
            gone.append(image.name)
        except NotFound:
            continue
        except APIError as error:
            kept.append(f"{image.name} ({image.id[7:19]}) stays: {error.explanation or error}.")
    return Removed(images=tuple(gone), kept=tuple(kept), leftovers=_remove_leftovers(engine))


def _remove_leftovers(engine: Engine) -> int:
    containers = engine.client.containers.list(all=True, filters={"label": _LEFTOVERS})
    for container in containers:
        remove_container(engine.api, container.id)
    # Only images without a name and without children: those that a finished image is made of stay.
    pruned = engine.client.images.prune(filters={"dangling": True, "label": [_LEFTOVERS]})
    stages = [entry for entry in pruned.get("ImagesDeleted") or () if "Deleted" in entry]
    return len(containers) + len(stages)
