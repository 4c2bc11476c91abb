"""The wheel: what it says of itself, what it holds, and what it asks for."""

from __future__ import annotations

import re
import tomllib
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

import pytest
import yaml

from harness import __version__
from tests.packaging.conftest import CHECKOUT, PACKAGES

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]


def name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def pins(lock: str) -> dict[str, set[str]]:
    """The versions that a lock has of each package; of some, one for each range of Pythons."""
    found: dict[str, set[str]] = {}
    for line in (CHECKOUT / "requirements" / lock).read_text().splitlines():
        if line[:1].isalnum():
            name, version = line.split()[0].split("==")
            found.setdefault(name_of(name), set()).add(version)
    return found


@pytest.fixture(scope="module")
def files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def about(files: dict[str, bytes]) -> Message:
    (text,) = (data for name, data in files.items() if name.endswith(".dist-info/METADATA"))
    return HeaderParser().parsestr(text.decode())


def test_it_says_whose_it_is_and_under_which_licence(
    about: Message, files: dict[str, bytes]
) -> None:
    assert about["Version"] == __version__
    assert about["License-Expression"] == "Apache-2.0"
    assert about.get_all("License-File") == ["LICENSE", "NOTICE"]
    assert about["Author"]
    assert about.get_all("Project-URL")
    assert "Typing :: Typed" in about.get_all("Classifier", [])
    (licence,) = (data for name, data in files.items() if name.endswith("licenses/LICENSE"))
    assert b"Apache License" in licence


def test_it_holds_every_file_of_the_packages(files: dict[str, bytes]) -> None:
    ours = {
        path.relative_to(CHECKOUT).as_posix()
        for package in PACKAGES
        for path in (CHECKOUT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    examples = {name for name in ours if name.startswith("benchmarks/nightly/")}
    assert ours - examples <= files.keys(), sorted(ours - examples - files.keys())
    assert {f"{package}/py.typed" for package in PACKAGES} <= files.keys()


def test_it_brings_the_pages_and_examples_laid_out_as_in_a_checkout(
    files: dict[str, bytes],
) -> None:
    mark = ".data/data/share/doc/deid-bench/"
    brought = {name.split(mark)[1]: data for name, data in files.items() if mark in name}
    wanted = [*(CHECKOUT / "docs").rglob("*"), *(CHECKOUT / "benchmarks" / "nightly").iterdir()]
    for path in [*wanted, CHECKOUT / "README.md", CHECKOUT / "CITATION.cff"]:
        if path.is_file():
            assert brought[path.relative_to(CHECKOUT).as_posix()] == path.read_bytes()
    for page in (PurePosixPath(name) for name in brought if name.startswith("docs/")):
        if page.suffix == ".md" and not page.match("decisions/*"):
            for link in re.findall(
                r"\]\(((?:decisions/)?[\w-]+\.md)\b", brought[str(page)].decode()
            ):
                assert str(page.parent / link) in brought, f"{page} links to {link}"


def test_nothing_that_it_asks_for_is_known_to_be_compiled(about: Message) -> None:
    asked = {name_of(line) for line in about.get_all("Requires-Dist", []) if "extra ==" not in line}
    assert "dlib-bin" in asked
    # face_recognition asks for dlib, and dlib is a source archive in C++.
    assert not asked & {"dlib", "face-recognition"}
    # Two builds of cv2 would be written over each other.
    assert len([name for name in asked if name.startswith("opencv")]) == 1


def test_the_lock_for_running_has_what_the_wheel_asks_for_and_what_the_reference_path_needs() -> (
    None
):
    asked = {name_of(line) for line in PROJECT["dependencies"]} - {"opencv-contrib-python"}
    assert asked | {"face-recognition", "opencv-python-headless"} <= pins("locked.txt").keys()


def test_the_lock_for_running_has_nothing_that_only_developers_want() -> None:
    extra = {name_of(line) for line in PROJECT["optional-dependencies"]["dev"]}
    unwanted = extra | {"matplotlib", "fonttools", "sounddevice", "dlib", "opencv-contrib-python"}
    assert not unwanted & pins("locked.txt").keys()
    assert extra <= pins("locked-dev.txt").keys()


def test_what_is_tested_is_what_runs() -> None:
    developers = pins("locked-dev.txt")
    assert {name: developers.get(name) for name in pins("locked.txt")} == pins("locked.txt")


def test_the_citation_names_this_version_and_the_study() -> None:
    citation = yaml.safe_load((CHECKOUT / "CITATION.cff").read_text())
    assert (citation["version"], citation["license"]) == (__version__, "Apache-2.0")
    assert PROJECT["version"] == __version__
    assert any(work["type"] == "thesis" for work in citation["references"])
