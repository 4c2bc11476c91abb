from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.tools.engine import Engine
from tests.tools.runtime.containers.containers_bench import Bench, Programs
from tests.tools.runtime.containers.machine_image import machine_image


@pytest.fixture(scope="session")
def digest(engine: Engine) -> str:
    """The image of the stand-in driver."""
    return machine_image(engine.client)


@pytest.fixture(scope="session")
def programs() -> Iterator[Programs]:
    """Processes of this user that run a step and can be killed."""
    with Programs() as made:
        yield made


@pytest.fixture
def bench(tmp_path: Path, engine: Engine, digest: str) -> Iterator[Bench]:
    made = Bench(tmp_path / "home", engine, digest)
    yield made
    for name in made.containers():
        engine.api.remove_container(name.lstrip("/"), v=True, force=True)
