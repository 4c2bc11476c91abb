"""Bases of tools' images: found, pulled, and the same from build to build."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import UnfitMachineError
from harness.store.manifests import ManifestStore
from harness.tools.engine import Engine, require_space
from harness.tools.images.labels import Base
from harness.tools.images.recipe import Recipe

Say = Callable[[str], None]

LOCAL_BASE = "deid-bench/base:bookworm"
"""The image that containers/base makes, for machines that reach no registry."""

_ROOM = 2
"""A build needs about twice the finished image: the stage that is thrown away, and its archives."""


@dataclass(frozen=True)
class KnownBases:
    """Digests of the bases that images were built on, recorded in a home by each first build.

    A tag such as ``23.03-tf1-py3`` may name another image tomorrow, and a study whose tools were
    built on two of them compares two things.
    """

    home: Path
    accept_new: bool = False
    """True when a base that is another than the recorded one takes its place."""

    def require(self, base: Base, recipe: Recipe) -> None:
        """Record ``base``; raises UnfitMachineError when its tag named another image before.

        A base made on this machine has no digest, and one named by digest cannot change.
        """
        if not base.digest or "@" in base.reference:
            return
        store = ManifestStore(self.home)
        known = {use.reference: use.digest for use in store.bases}
        before = known.get(base.reference, base.digest)
        if before != base.digest and not self.accept_new:
            raise UnfitMachineError(
                f"The base {base.reference} of {recipe.name} is another image than at its first "
                f"build: {_short(base.digest)} now, {_short(before)} then. What is built on it "
                "may behave otherwise.",
                hint=f"Take the one from then (`docker pull {before}`, then `docker tag` it), "
                f"or: bench images build {recipe.name} --accept-new-base",
            )
        store.keep_base(base.reference, base.digest)


def _short(digest: str) -> str:
    return digest.partition("@")[2][:19]


def find_base(engine: Engine, reference: str, recipe: Recipe, say: Say) -> Base:
    """The base image, pulled when the engine lacks it.

    Raises UnfitMachineError when it is unavailable, or when the disk is too full to begin with.
    """
    from docker.errors import DockerException, ImageNotFound

    try:
        return _base(reference, engine.client.images.get(reference).attrs)
    except ImageNotFound:
        check_room(engine, recipe)
        say(f"Pulling the base image {reference}.")
    try:
        return _base(reference, engine.client.images.pull(reference).attrs)
    except (DockerException, OSError) as error:
        raise UnfitMachineError(
            f"The base image {reference} of {recipe.name} is not on this machine and cannot be "
            f"pulled; probably no registry can be reached. The engine said: {first_line(error)}",
            hint=_hint(reference, recipe),
        ) from error


def _base(reference: str, attributes: Mapping[str, Any]) -> Base:
    """The base with the digest of the repository it is asked from, or of any that it has."""
    digests = [str(digest) for digest in attributes.get("RepoDigests") or ()]
    name = reference.partition("@")[0].rpartition("/")[2].partition(":")[0]
    mine = [digest for digest in digests if digest.partition("@")[0].rpartition("/")[2] == name]
    return Base(
        reference=reference, id=str(attributes["Id"]), digest=next(iter(mine or digests), "")
    )


def _hint(reference: str, recipe: Recipe) -> str:
    if reference == LOCAL_BASE:
        return "Make it from Debian packages: `containers/base/make.sh` (as root)."
    named = [name for name, value in recipe.entry.bases.items() if value == LOCAL_BASE]
    if named:
        return (
            "Without a registry, make a base from Debian packages with `containers/base/make.sh` "
            f"(as root), then `bench images build {recipe.name} --base {named[0]}`."
        )
    others = {name: value for name, value in recipe.entry.bases.items() if value != reference}
    listed = "".join(f"\n  --base {name}: {value}" for name, value in others.items())
    return (
        f"Fetch it on a machine with access (`docker pull`, `docker save`), load it here with "
        f"`docker load`, or name another with `bench images build {recipe.name} --base REFERENCE`."
        + (f" The recipe knows these too:{listed}" if listed else "")
    )


def check_room(engine: Engine, recipe: Recipe) -> None:
    """Raise UnfitMachineError when the engine's disk is too full for the base and the build.

    Says nothing when the recipe gives no size or the engine's disk cannot be seen from here.
    """
    folder = Path(engine.info.folder)
    if recipe.entry.size_bytes is not None and engine.info.folder and folder.is_dir():
        require_space(folder, _ROOM * recipe.entry.size_bytes, f"building {recipe.name}")


def first_line(error: BaseException) -> str:
    """An engine's answer, in one line."""
    text = str(getattr(error, "explanation", None) or error).strip()
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["message"])
    return text.splitlines()[0] if text else type(error).__name__
