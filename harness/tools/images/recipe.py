"""Recipe of an image: a recipe's folder, and one version's entry of its versions.yaml."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from harness.core.base import Frozen
from harness.core.errors import UsageError, unknown_name
from harness.core.hashing import content_hash, file_sha256
from harness.core.yaml_files import read_yaml
from harness.model.tool import Container, Tool

REPOSITORY = "deid-bench"
"""The first half of every image's name: ``deid-bench/deface:1.5.0-0123456789ab``."""

UNPUSHABLE = "research-only.invalid"
"""Begins the names of images that may not be passed on. Names under ``.invalid`` never resolve (RFC
2606), so an engine that is asked to push one fails."""

COMMON = "containers.common"
"""The folder of parts that every driver shares; it is put into each build's context."""

_NOT_BUILT_FROM = re.compile(r"README\.md|versions\.yaml|__init__\.py|.*\.pyc|\..*")
_DECLARED = re.compile(r"^\s*ARG\s+([A-Za-z_]\w*)", re.MULTILINE | re.IGNORECASE)

_SHARED_PART = re.compile(r"(?<![\w/])common(?:/[^\s\"',]*)?")

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
ArgName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*$")]


class Weights(Frozen):
    """A file that the tool would download at run time, put into the image at build time."""

    url: WebAddress
    sha256: Sha256
    path: Annotated[str, StringConstraints(pattern=r"^/")]
    """Path it is put at in the image."""
    licence: str


class VersionEntry(Frozen):
    """One version of a tool in versions.yaml."""

    upstream: WebAddress
    """Address of the source."""
    commit: str
    """Revision to check out: a full hash, a tag, or a package's version."""
    base: str
    """The image it is built on unless another is asked for, by tag or digest."""
    bases: dict[str, str] = Field(default_factory=dict)
    """Other images it can be built on, by the name that ``--base`` takes."""
    args: dict[ArgName, str] = Field(default_factory=dict)
    weights: tuple[Weights, ...] = ()
    redistribute: bool = True
    """False: holds files under a research licence; built locally, never pushed."""
    size_bytes: int | None = Field(default=None, gt=0)
    """Size of the finished image, so that a full disk is known before the build."""
    notes: tuple[str, ...] = ()

    def base_reference(self, asked: str | None) -> str:
        """The base for ``--base``: a name of ``bases``, any image reference, or the default."""
        return self.base if asked is None else self.bases.get(asked, asked)


class _VersionsFile(Frozen):
    versions: dict[str, VersionEntry] = Field(min_length=1)


ACCEPT = "ACCEPT_"
"""Prefix of build arguments that say yes to a licence."""


class Recipe(Frozen):
    """The files and instructions of one version's image, apart from the base."""

    tool: str
    version: str
    entry: VersionEntry
    files: dict[str, Path]
    """The build's context: name in it to file, the recipe's own and ``common/``."""
    checksums: dict[str, str]
    """SHA-256 of each of ``files``."""
    declared: frozenset[str]
    """Build arguments that the Dockerfile declares."""

    @property
    def name(self) -> str:
        return f"{self.tool}@{self.version}"

    @property
    def hash(self) -> str:
        """64 hex digits that change with anything the image is built from but the base."""
        entry = self.entry.model_dump(mode="json", include={"upstream", "commit", "weights"})
        # To accept a licence changes nothing of what is built.
        entry["args"] = {
            name: value for name, value in self.entry.args.items() if not name.startswith(ACCEPT)
        }
        return content_hash({"entry": entry, "files": self.checksums})

    @property
    def asks(self) -> bool:
        """True when its licence must be accepted, and was not."""
        return any(
            name.startswith(ACCEPT) and value != "yes" for name, value in self.entry.args.items()
        )

    def accepted(self) -> Recipe:
        """The recipe with a yes to each licence that its build asks about (``ACCEPT_...``)."""
        args = {
            name: "yes" if name.startswith(ACCEPT) else value
            for name, value in self.entry.args.items()
        }
        return self.model_copy(update={"entry": self.entry.model_copy(update={"args": args})})

    def arguments(self, base: str) -> dict[str, str]:
        """The build's arguments: those of versions.yaml and what every Dockerfile may declare."""
        offered = {
            "BASE": base,
            "VERSION": self.version,
            "UPSTREAM": self.entry.upstream,
            "COMMIT": self.entry.commit,
            **self.entry.args,
        }
        return {name: value for name, value in offered.items() if name in self.declared}


def content_tag(recipe: Recipe, base_id: str) -> str:
    """The image's name: equal for equal recipe and base, another for any other."""
    digest = content_hash({"recipe": recipe.hash, "base": base_id})
    version = re.sub("[^A-Za-z0-9_.-]", "-", recipe.version)
    place = REPOSITORY if recipe.entry.redistribute else f"{UNPUSHABLE}/{REPOSITORY}"
    return f"{place}/{recipe.tool}:{version}-{digest[:12]}"


def read_versions(path: Path) -> dict[str, VersionEntry]:
    """The versions of a versions.yaml; raises UsageError with file, line and field."""
    return read_yaml(path, _VersionsFile, "list of versions").versions


def read_recipe(tool: Tool, version: str | None = None) -> Recipe:
    """The recipe of a tool's version, by default the newest.

    Raises UsageError when the tool runs in no container, lacks the version, or its recipe is
    incomplete or wrong.
    """
    container = require_container(tool)
    wanted = version or tool.versions[-1]
    if wanted not in tool.versions:
        see = f"bench tools show {tool.name}"
        raise unknown_name(f"version of {tool.name}", wanted, tool.versions, see=see)
    folder = module_folder(container.recipe)
    entries = read_versions(folder / "versions.yaml")
    if wanted not in entries:
        raise UsageError(
            f"{folder / 'versions.yaml'} says nothing about {wanted}, which the adapter of "
            f"{tool.name} offers; it has {', '.join(entries)}."
        )
    return _assemble(tool.name, wanted, entries[wanted], folder)


def require_container(tool: Tool) -> Container:
    """The adapter's description of its container; raises UsageError for a tool without one."""
    if not isinstance(tool.runs_as, Container):
        raise UsageError(
            f"{tool.name} runs as a process of this machine and needs no image.",
            hint="`bench tools list` shows what runs in a container.",
        )
    return tool.runs_as


def module_folder(module: str) -> Path:
    """The folder of an importable package; raises UsageError when there is none."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    places = spec.submodule_search_locations if spec is not None else None
    if not places:
        raise UsageError(
            f"There is no folder of the name {module} to import, so its image cannot be built.",
            hint="Install the package that brings it again.",
        )
    return Path(next(iter(places)))


def _assemble(tool: str, version: str, entry: VersionEntry, folder: Path) -> Recipe:
    for needed in ("Dockerfile", "driver.py"):
        if not (folder / needed).is_file():
            raise UsageError(f"The recipe of {tool} lacks its {needed}: {folder / needed}.")
    dockerfile = (folder / "Dockerfile").read_text(encoding="utf-8")
    files = _files(folder) | _shared(dockerfile)
    declared = _DECLARED.findall(dockerfile)
    if strange := sorted(set(entry.args) - set(declared)):
        raise UsageError(
            f"{folder / 'versions.yaml'} gives {version} the build argument "
            f"{', '.join(strange)}, which the Dockerfile does not declare with ARG."
        )
    return Recipe(
        tool=tool,
        version=version,
        entry=entry,
        files=files,
        checksums={name: file_sha256(path) for name, path in files.items()},
        declared=frozenset(declared),
    )


def _files(folder: Path) -> dict[str, Path]:
    """Files of a folder that go into a build, by their names there; documentation does not."""
    files = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(_NOT_BUILT_FROM.fullmatch(part) for part in parts):
            files["/".join(parts)] = path
    return files


def _shared(dockerfile: str) -> dict[str, Path]:
    """The files of ``common/`` that a Dockerfile names; all of them when it names the folder.

    So a change to a part that this image does not hold does not make it stale.
    """
    offered = {f"common/{name}": path for name, path in _files(module_folder(COMMON)).items()}
    named = set(_SHARED_PART.findall(dockerfile))
    return offered if named - set(offered) else {name: offered[name] for name in named}
