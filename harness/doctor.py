"""What this machine can run, and what to do about the rest."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from harness.errors import BenchError
from harness.home import bench_home
from harness.model.base import Frozen

_DISK_WANTED_BYTES = 2 << 30


class Check(Frozen):
    name: str
    fit: bool
    required: bool
    finding: str
    remedy: str = ""


def examine() -> tuple[Check, ...]:
    """All checks; none of them changes anything or needs the network."""
    return (
        _python(),
        _ffmpeg(),
        _face_recognition(),
        _module("mediapipe", "MediaPipe (landmarks and blendshapes)"),
        _home(bench_home()),
        _docker(),
    )


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check(
        name="Python",
        fit=sys.version_info >= (3, 11),
        required=True,
        finding=version,
        remedy="Install Python 3.11 or newer.",
    )


def _ffmpeg() -> Check:
    from harness.media.ffmpeg import ffmpeg_path

    try:
        return Check(name="FFmpeg", fit=True, required=True, finding=str(ffmpeg_path()))
    except BenchError as error:
        return Check(
            name="FFmpeg", fit=False, required=True, finding=error.message, remedy=error.hint or ""
        )


def _face_recognition() -> Check:
    missing = [
        name
        for name in ("dlib", "face_recognition", "face_recognition_models", "pkg_resources")
        if importlib.util.find_spec(name) is None
    ]
    finding = f"lacks {', '.join(missing)}" if missing else "dlib, models and pkg_resources found"
    return Check(
        name="face_recognition",
        fit=not missing,
        required=True,
        finding=finding,
        remedy="Run `make setup`: it installs the locked versions (setuptools must be below 81).",
    )


def _module(module: str, name: str) -> Check:
    found = importlib.util.find_spec(module) is not None
    return Check(
        name=name,
        fit=found,
        required=True,
        finding="found" if found else "not installed",
        remedy="Run `make setup`.",
    )


def _home(home: Path) -> Check:
    existing = next(p for p in (home, *home.parents) if p.exists())
    free = shutil.disk_usage(existing).free
    writable = os.access(existing, os.W_OK)
    return Check(
        name="results folder",
        fit=writable and free >= _DISK_WANTED_BYTES,
        required=True,
        finding=f"{home}: {'writable' if writable else 'not writable'}, {free / 1e9:.1f} GB free",
        remedy="Point BENCH_HOME at a folder with 2 GB free that you may write to.",
    )


def _docker() -> Check:
    socket = Path("/var/run/docker.sock")
    if not socket.exists():
        finding, fit = "no engine's socket found", False
    else:
        fit = os.access(socket, os.R_OK | os.W_OK)
        finding = "engine's socket found" if fit else "the socket is there, but you may not use it"
    return Check(
        name="Docker (for tools in containers)",
        fit=fit,
        required=False,
        finding=finding,
        remedy="The embedded tools need no container. For the others, install and start Docker.",
    )
