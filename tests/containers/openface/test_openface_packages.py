"""Demands of the recipe of OpenFace on a base that somebody brings, against a small machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.tools.images.recipe import module_folder

RECIPE = module_folder("containers.openface")


def _install(
    folder: Path, *, archive: str = "exit 0", python: str = "3.6.9"
) -> subprocess.CompletedProcess[str]:
    """Runs packages.sh where apt-get and python3 are these."""
    programs = folder / "bin"
    programs.mkdir()
    major, minor, _ = python.split(".")
    old = int((int(major), int(minor)) < (3, 6))
    for name, body in {
        "apt-get": f'case "$*" in *install*) {archive};; esac',
        "python3": f'case "$*" in *platform*) echo {python};; *) exit {old};; esac',
        "rm": "exit 0",
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(RECIPE / "packages.sh")],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_a_base_of_ubuntu_18_is_taken(tmp_path: Path) -> None:
    done = _install(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        ({"python": "3.4.3"}, "its Python is 3.4.3"),
        ({"archive": 'echo "E: Unable to locate package ffmpeg" >&2; exit 100'}, "ffmpeg"),
    ],
)
def test_a_base_that_cannot_run_the_driver_says_why(
    machine: dict[str, str], words: str, tmp_path: Path
) -> None:
    done = _install(tmp_path, **machine)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("This base cannot run the driver: ")
    assert words in last
