"""The labels of images, and an image read from what the engine says about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from harness.core.base import Frozen
from harness.core.host import bench_version
from harness.tools.images.recipe import Recipe

PREFIX = "deid-bench.image."
PART = f"{PREFIX}part"
"""``tool`` on a finished image; ``build`` on what a build leaves behind."""

TOOL_PART, BUILD_PART = "tool", "build"


class Upstream(Frozen):
    """``/opt/bench/upstream.json``: what the Dockerfile found it had really checked out."""

    source: str
    revision: str
    """A commit's full hash, or a package's version."""


class BuiltImage(Frozen):
    """A finished image of a tool that the engine has."""

    id: str
    """``sha256:...``; what a container is started from and what a cell records."""
    tags: tuple[str, ...]
    tool: str
    version: str
    recipe: str
    """The recipe's hash when it was built."""
    base: str
    base_id: str
    base_digest: str = ""
    """``REPOSITORY@sha256:...`` that was really pulled; empty for a base made on this machine."""
    source: str
    revision: str
    """Revision that was really checked out."""
    weights: tuple[str, ...] = ()
    """SHA-256 of the files that were put in by checksum."""
    unverified: tuple[str, ...] = ()
    """``SHA256:NAME`` of files that came without a recorded checksum: the build trusted them."""
    redistribute: bool
    bench_version: str
    created: str
    size_bytes: int

    @property
    def name(self) -> str:
        return f"{self.tool}@{self.version}"


class Base(Frozen):
    """Image that an image was built on."""

    reference: str
    """The image, as the recipe or the user names it."""
    id: str
    digest: str = ""
    """The digest, as in ``BuiltImage.base_digest``."""


def image_labels(
    recipe: Recipe, base: Base, upstream: Upstream, unverified: Sequence[str] = ()
) -> dict[str, str]:
    """Labels of a finished image about itself."""
    return {
        PART: TOOL_PART,
        f"{PREFIX}tool": recipe.tool,
        f"{PREFIX}version": recipe.version,
        f"{PREFIX}recipe": recipe.hash,
        f"{PREFIX}base": base.reference,
        f"{PREFIX}base-id": base.id,
        f"{PREFIX}base-digest": base.digest,
        f"{PREFIX}source": upstream.source,
        f"{PREFIX}revision": upstream.revision,
        f"{PREFIX}weights": " ".join(item.sha256 for item in recipe.entry.weights),
        f"{PREFIX}unverified": " ".join(unverified),
        f"{PREFIX}redistribute": "yes" if recipe.entry.redistribute else "no",
        f"{PREFIX}bench-version": bench_version(),
    }


def read_image(attributes: Mapping[str, Any]) -> BuiltImage | None:
    """An image from the engine's own description; None when its labels are not ours."""
    labels = (attributes.get("Config") or {}).get("Labels") or {}
    if labels.get(PART) != TOOL_PART:
        return None
    ours = {key.removeprefix(PREFIX): text for key, text in labels.items() if PREFIX in key}
    try:
        return BuiltImage(
            id=attributes["Id"],
            tags=tuple(attributes.get("RepoTags") or ()),
            tool=ours["tool"],
            version=ours["version"],
            recipe=ours["recipe"],
            base=ours["base"],
            base_id=ours["base-id"],
            base_digest=ours.get("base-digest", ""),
            source=ours["source"],
            revision=ours["revision"],
            weights=tuple(ours["weights"].split()),
            unverified=tuple(ours.get("unverified", "").split()),
            redistribute=ours["redistribute"] == "yes",
            bench_version=ours["bench-version"],
            created=attributes["Created"],
            size_bytes=attributes["Size"],
        )
    except (KeyError, ValidationError):
        return None
