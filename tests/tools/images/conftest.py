"""Small recipes made for the purpose, as a third party's package would bring them."""

from __future__ import annotations

import json
import textwrap
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.model.tool import Container, Tool
from harness.tools.engine import Engine
from harness.tools.images.build import build_image
from harness.tools.images.recipe import UNPUSHABLE, Recipe, read_recipe

DOCKERFILE = """
ARG BASE
FROM ${BASE}
ARG UPSTREAM
ARG COMMIT
ARG GREETING
ENTRYPOINT ["python3", "/opt/bench/driver.py"]
WORKDIR /opt/bench
RUN python3 -c 'import json, os; e = os.environ; \\
    print(json.dumps({"source": e["UPSTREAM"], "revision": e["COMMIT"]}))' >/opt/bench/upstream.json
COPY common/bench_driver.py driver.py /opt/bench/
USER 65534:65534
"""

DRIVER = """
import sys
import bench_driver
sys.exit(bench_driver.main(lambda job: None))
"""

UPSTREAM = 'https://example.org/$tiny?"quoted"'
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class TinyRecipe:
    """A recipe's folder that a test may change."""

    folder: Path
    tool: Tool

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(textwrap.dedent(text))

    def versions(self, **entry: Any) -> None:
        """Write versions.yaml (JSON is YAML) with one version, ``1``."""
        whole = {
            "upstream": UPSTREAM,
            "commit": COMMIT,
            "base": "deid-bench/base:bookworm",
            "args": {"GREETING": "hello"},
            **entry,
        }
        self.write("versions.yaml", json.dumps({"versions": {"1": whole}}, indent=1))

    def read(self) -> Recipe:
        return read_recipe(self.tool)


def _make(folder: Path, monkeypatch: pytest.MonkeyPatch) -> TinyRecipe:
    name = f"tiny{uuid.uuid4().hex[:8]}"
    folder /= name
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(folder.parent))
    tool = Tool(
        name=name,
        summary="Does nothing.",
        homepage="https://example.org/tiny",
        licence="MIT",
        versions=("1",),
        runs_as=Container(recipe=name),
    )
    recipe = TinyRecipe(folder, tool)
    recipe.write("Dockerfile", DOCKERFILE)
    recipe.write("driver.py", DRIVER)
    recipe.versions()
    return recipe


def _remove_images(engine: Engine, recipe: TinyRecipe) -> None:
    name = f"deid-bench/{recipe.tool.name}"
    for reference in (name, f"{UNPUSHABLE}/{name}"):
        for image in engine.client.images.list(reference):
            for tag in image.tags:
                engine.client.images.remove(tag, force=True)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyRecipe:
    """A recipe that builds in seconds; its tool's name is this test's own."""
    return _make(tmp_path / "site", monkeypatch)


@pytest.fixture(scope="session")
def steps(
    engine: Engine, base_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """An image of a tiny recipe that stays while others come and go: its steps are in the engine's
    cache, so each build only takes those that its test is about.
    """
    with pytest.MonkeyPatch.context() as monkeypatch:
        recipe = _make(tmp_path_factory.mktemp("steps"), monkeypatch)
        build_image(engine, recipe.read(), base=base_image, say=print)
    yield
    _remove_images(engine, recipe)


@pytest.fixture
def tidy(engine: Engine, steps: None, tiny: TinyRecipe) -> Iterator[TinyRecipe]:
    """``tiny`` with an engine to build it; its images are removed afterwards."""
    yield tiny
    _remove_images(engine, tiny)
