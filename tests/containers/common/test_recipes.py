"""Recipes for old images install packages by checksum, and the system libraries they lack."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from containers.common import bench_driver

SCRIPT = Path(bench_driver.__file__).with_name("system_libraries.sh")
RECIPES = ("deepfacelab", "dfaker", "faceswap", "faceswap_gan")


def _run(folder: Path, *, base: str, brought: str) -> subprocess.CompletedProcess[str]:
    """Runs the script on a machine with some libraries, where apt-get brings others."""
    programs, system = folder / "bin", folder / "lib"
    programs.mkdir()
    system.mkdir()
    for name in base.split():
        (system / name).write_text(name)
    # As ldd prints them: one line for each file asked about, then what it needs.
    needs = "for n in libc.so.6 libgthread-2.0.so.0 libglib-2.0.so.0; do\n"
    needs += f'if [ -f {system}/$n ]; then echo "\t$n => {system}/$n (0x7f)"\n'
    needs += 'else echo "\t$n => not found"; fi; done\n'
    needs += f'[ ! -f {system}/libglib-2.0.so.0 ] || echo "\tlibpcre.so.3 => {system}/libpcre.so.3"'
    installs = f'case "$*" in *install*) for n in {brought}; do echo $n > {system}/$n; done;; esac'
    for name, body in {"ldd": needs, "apt-get": f"echo $@ >> {folder}/apt\n{installs}"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    words = [str(folder / "target"), "libglib2.0-0", "cv2.so"]
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), *words],
        env={"PATH": f"{programs}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
    )


def _copied(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "target").iterdir())


GLIB = "libgthread-2.0.so.0 libglib-2.0.so.0 libpcre.so.3"


def test_what_a_package_brings_and_no_more_is_copied(tmp_path: Path) -> None:
    done = _run(tmp_path, base="libc.so.6", brought=GLIB)
    assert done.returncode == 0, done.stderr
    assert _copied(tmp_path) == sorted(GLIB.split())
    assert "install -qq -y --no-install-recommends libglib2.0-0" in (tmp_path / "apt").read_text()


def test_a_base_that_lacks_nothing_installs_nothing(tmp_path: Path) -> None:
    assert _run(tmp_path, base=f"libc.so.6 {GLIB}", brought="").returncode == 0
    assert _copied(tmp_path) == []
    assert not (tmp_path / "apt").exists()


def test_a_package_that_brings_something_else_fails_the_build(tmp_path: Path) -> None:
    done = _run(tmp_path, base="libc.so.6", brought="libpcre.so.3")
    assert done.returncode == 1
    assert "libglib2.0-0 did not bring libglib-2.0.so.0 libgthread-2.0.so.0" in done.stderr


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_with_opencv_brings_the_libraries_it_needs(recipe: str) -> None:
    folder = SCRIPT.parents[1] / recipe
    pins = "".join(path.read_text() for path in folder.glob("requirements*.txt"))
    assert "opencv-python-headless==" in pins
    lines = (folder / "Dockerfile").read_text()
    assert "sh /tmp/system_libraries.sh /opt/libraries libglib2.0-0" in lines
    assert "COPY --from=build /opt/libraries /usr/local/lib/\n" in lines
    assert "ldconfig" in lines


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_a_recipe_installs_is_pinned_by_checksum(recipe: str) -> None:
    folder = SCRIPT.parents[1] / recipe
    for path in folder.glob("requirements*.txt"):
        lines = path.read_text().splitlines()
        pins = [number for number, line in enumerate(lines) if "==" in line]
        assert pins, path.name
        assert all("--hash=sha256:" in lines[number + 1] for number in pins), path.name
    commands = (folder / "Dockerfile").read_text().replace("\\\n", "").split("python3 -m pip ")[1:]
    lists = [one for one in commands if " -r " in one]
    assert lists
    assert all("--no-deps" in one and "--require-hashes" in one for one in lists)


def test_dlib_is_compiled_without_cuda_and_face_alignment_is_as_its_script_wants() -> None:
    folder = SCRIPT.parents[1] / "dfaker"
    assert "setup.py --no DLIB_USE_CUDA build install_lib" in (folder / "Dockerfile").read_text()
    # 1.3.5 renames LandmarksType._2D; tests/containers/tensorflow_1 imports what is pinned.
    assert "face-alignment==1.3.4 " in (folder / "requirements.txt").read_text()


def test_packages_that_others_need_are_in_the_lists() -> None:
    for recipe in ("deepfacelab", "dfaker", "faceswap_gan"):
        assert "six==" in (SCRIPT.parents[1] / recipe / "requirements.txt").read_text(), recipe
