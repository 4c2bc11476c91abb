"""Building a tool's image, by the engine's own builder."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.core.errors import UnfitMachineError
from harness.tools.engine import Engine, remove_container
from harness.tools.images.bases import KnownBases, Say, check_room, find_base, first_line
from harness.tools.images.context import build_context, host_files, pack, proxy_arguments
from harness.tools.images.labels import (
    BUILD_PART,
    PART,
    Base,
    BuiltImage,
    Upstream,
    image_labels,
    read_image,
)
from harness.tools.images.lock import building
from harness.tools.images.recipe import Recipe, content_tag

UPSTREAM_FILE = "/opt/bench/upstream.json"
UNVERIFIED_FILE = "/opt/bench/unverified.sha256"
_TAIL_LINES = 20
_SILENCE_S = 3600
"""A step of a build may compile for long without a word."""
_COMMIT = re.compile("[0-9a-f]{40}")


def build_image(
    engine: Engine,
    recipe: Recipe,
    *,
    base: str | None = None,
    no_cache: bool = False,
    known: KnownBases | None = None,
    say: Say,
) -> BuiltImage:
    """The finished image of ``recipe``; built unless the engine has exactly that already.

    ``base`` is as in ``VersionEntry.base_reference``; ``say`` hears the log, line by line.
    Raises UnfitMachineError when the base is unavailable or not the one that is ``known``, the disk
    is too full, or a step fails; no container and no tag is left of it then. Of two builds of a
    tool the second waits.
    """
    with building(recipe.tool):
        _require_accepted(recipe)
        found = find_base(engine, recipe.entry.base_reference(base), recipe, say)
        if known is not None:
            known.require(found, recipe)
        return _build(engine, recipe, found, no_cache, say)


def _build(
    engine: Engine, recipe: Recipe, base_image: Base, no_cache: bool, say: Say
) -> BuiltImage:
    tag = content_tag(recipe, base_image.id)
    if not no_cache and (ready := _inspect(engine, tag)):
        say(f"{tag} is there already.")
        return ready
    check_room(engine, recipe)
    arguments = {**recipe.arguments(base_image.id), **proxy_arguments(os.environ)}
    context = build_context(recipe, host_files())
    options = {"buildargs": arguments, "nocache": no_cache, "labels": {PART: BUILD_PART}}
    raw = _run_build(engine, recipe, context, options, say)
    about, unverified = read_files(engine, raw, UPSTREAM_FILE, UNVERIFIED_FILE)
    upstream = read_upstream(about, recipe)
    labels = image_labels(recipe, base_image, upstream, read_unverified(unverified))
    only_labels = pack({"Dockerfile": labelling(raw, labels).encode()})
    _run_build(engine, recipe, only_labels, {"tag": tag}, _unheard)
    built = _inspect(engine, tag)
    if built is None:
        raise UnfitMachineError(
            f"The engine says it built {tag}, but has no such image with our labels.",
            hint="Does its builder keep labels? Docker 20.10 or newer does, Podman 4 too.",
        )
    return built


def _require_accepted(recipe: Recipe) -> None:
    """Raise UnfitMachineError, before anything is pulled, when a licence waits to be accepted."""
    if recipe.asks:
        raise UnfitMachineError(
            f"{recipe.name} may only be used by those who accept its licence, and nobody has said "
            "so for this build.",
            hint=f"Read about it in {recipe.files['Dockerfile'].with_name('README.md')}, then: "
            f"bench images build {recipe.name} --accept-licence",
        )


def labelling(image: str, labels: Mapping[str, str]) -> str:
    """A Dockerfile that only labels ``image``, in one step: an engine makes one for each option."""
    pairs = [f"{name}={json.dumps(text)}".replace("$", "\\$") for name, text in labels.items()]
    return f"FROM {image}\nLABEL {' '.join(pairs)}\n"


def _run_build(
    engine: Engine, recipe: Recipe, context: bytes, options: dict[str, Any], say: Say
) -> str:
    """Send a build and follow it to its end; the id of what came of it."""
    from docker.errors import DockerException

    log: deque[str] = deque(maxlen=_TAIL_LINES)
    built, fault = None, None
    try:
        stream = engine.api.build(
            fileobj=io.BytesIO(context),
            custom_context=True,
            decode=True,
            rm=True,
            forcerm=True,
            network_mode="host",
            timeout=_SILENCE_S,
            **options,
        )
        for event in stream:
            fault = event.get("error", fault)
            built = (event.get("aux") or {}).get("ID", built)
            for line in event.get("stream", "").splitlines():
                if line.strip():
                    log.append(line)
                    say(line)
    except (DockerException, OSError) as error:
        # An answer that was to be streamed keeps its connection open until it is closed.
        if (answer := getattr(error, "response", None)) is not None:
            answer.close()
        raise _broken(recipe, log, first_line(error)) from error
    if fault or built is None:
        raise _broken(recipe, log, fault or "the builder ended without naming an image")
    return str(built)


def _broken(recipe: Recipe, log: deque[str], said: str) -> UnfitMachineError:
    tail = "".join(f"\n  {line}" for line in log)
    return UnfitMachineError(
        f"The build of {recipe.name} failed: {said.strip()}. Its last lines:{tail}\n",
        hint="Nothing was tagged. Steps that succeeded are cached: the same command goes on there. "
        "A download that failed usually means no network or a proxy that the build lacks.",
    )


def read_upstream(data: bytes | None, recipe: Recipe) -> Upstream:
    """The build's record of its source; raises UnfitMachineError when it is not sound."""
    upstream = _parse_upstream(data, recipe)
    wanted = recipe.entry.commit
    if upstream.revision != wanted and (_COMMIT.fullmatch(wanted) or not upstream.revision):
        raise UnfitMachineError(
            f"The build of {recipe.name} checked out '{upstream.revision}' of {upstream.source}, "
            f"not the recorded {wanted}: upstream moved, or the Dockerfile does not use COMMIT.",
            hint="Do not use it; correct the recipe.",
        )
    return upstream


def _parse_upstream(data: bytes | None, recipe: Recipe) -> Upstream:
    if data is None:
        raise UnfitMachineError(
            f"The Dockerfile of {recipe.name} left no {UPSTREAM_FILE}, so nothing says which "
            "source it was built from.",
            hint="docs/images.md says what it holds.",
        )
    try:
        return Upstream.model_validate_json(data)
    except ValidationError as error:
        raise UnfitMachineError(
            f"{UPSTREAM_FILE} in the image of {recipe.name} is not "
            '{"source": ..., "revision": ...}.',
            hint="docs/images.md says what it holds.",
        ) from error


def read_unverified(data: bytes | None) -> tuple[str, ...]:
    """``SHA256:NAME`` of the files that the build took without a recorded checksum."""
    lines = (data or b"").decode(errors="replace").splitlines()
    pairs = [line.split(None, 1) for line in lines if line.strip()]
    return tuple(f"{digest}:{Path(path.strip()).name}" for digest, path in pairs)


def read_files(engine: Engine, image: str, *paths: str) -> tuple[bytes | None, ...]:
    """Files' contents, taken from a container that is never started; None for one that it lacks."""
    container = engine.api.create_container(image, command=["none"], labels={PART: BUILD_PART})
    try:
        return tuple(_read_file(engine, container["Id"], path) for path in paths)
    finally:
        remove_container(engine.api, container["Id"])


def _read_file(engine: Engine, container: str, path: str) -> bytes | None:
    from docker.errors import NotFound

    try:
        chunks, _ = engine.api.get_archive(container, path)
    except NotFound:
        return None
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        stream = archive.extractfile(Path(path).name)
        return stream.read() if stream is not None else None


def _inspect(engine: Engine, reference: str) -> BuiltImage | None:
    from docker.errors import ImageNotFound

    try:
        return read_image(engine.client.images.get(reference).attrs)
    except ImageNotFound:
        return None


def _unheard(line: str) -> None:
    pass
