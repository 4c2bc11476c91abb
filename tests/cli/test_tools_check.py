"""`bench tools`: what is listed and shown of tools, and what a check says."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.dfaker import DFAKER
from adapters.naive import BLUR
from harness.cli.main import app
from harness.model.tool import ChildProcess, NamedConfig, Tool
from harness.tools import registry
from harness.tools.configs import builtin_configs, with_config_files

NO_ENGINE = {"DOCKER_HOST": "unix:///no/such/socket", "COLUMNS": "100"}


def _bench(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["tools", *words], env=NO_ENGINE)
    assert done.exit_code == code, done.output
    return done


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tool]:
    """The tools that are installed: blur, dfaker with its config files, and one full of faults."""
    poor = Tool(
        name="poor",
        summary="Full of faults.",
        homepage="h",
        licence="",
        versions=("1", "1"),
        runs_as=ChildProcess(module="no.such.module"),
        configs=(NamedConfig(name="default", settings={"moons": 1}),),
    )
    dfaker = with_config_files(DFAKER, builtin_configs())
    found = {"blur": BLUR, "dfaker": dfaker, "poor": poor}
    broken = registry.BrokenAdapter(name="gone", package="far-away", reason="ImportError: no")
    all_of_them = registry.Registry(tools=found, broken=(broken,))

    def read(entries: list[EntryPoint] | None = None) -> registry.Registry:
        return all_of_them if entries is None else registry.Registry(tools={})

    monkeypatch.setattr(registry, "read_registry", read)
    return found


def test_a_sound_tool_gets_a_table_and_exit_code_0(
    tools: dict[str, Tool], face_landmarker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_FACE_LANDMARKER", str(face_landmarker))
    lines = _bench("check", "blur").stdout.splitlines()
    assert lines[0].split() == ["check", "result", "finding"]
    assert all("  ok  " in line for line in lines[1:])
    assert [line.split()[0] for line in lines[-2:]] == ["driver", "output"]


def test_faults_are_sentences_and_exit_code_1(tools: dict[str, Tool]) -> None:
    said = _bench("check", "poor", code=1).stdout
    assert "fault" in said
    for part in ("licence is empty", "named twice", "no module no.such.module", "unknown 'moons'"):
        assert part in said
    assert "It was not started, because of the faults in configs, runs as, versions" in " ".join(
        said.split()
    )


def test_all_tools_are_checked_with_those_that_cannot_be_loaded(
    tools: dict[str, Tool], face_landmarker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_FACE_LANDMARKER", str(face_landmarker))
    found = json.loads(_bench("check", "--all", "--json", code=1).stdout)
    assert set(found) == {*tools, "gone"}
    assert found["gone"][0]["state"] == "fault"
    assert "far-away" in found["gone"][0]["text"]
    assert all(one["state"] == "ok" for one in found["blur"])


@pytest.mark.parametrize("words", [(), ("blur", "--all")])
def test_a_tool_or_all_is_named(words: tuple[str, ...], tools: dict[str, Tool]) -> None:
    _bench("check", *words, code=2)


@pytest.mark.filterwarnings("ignore:The adapter 'gone'")
def test_without_an_engine_nothing_is_said_of_images(tools: dict[str, Tool]) -> None:
    said = _bench("list").stdout
    assert "image" not in said
    assert "optional" in said, "that dfaker can use a GPU"
    listed = json.loads(_bench("list", "--json").stdout)
    assert all(tool["images"] is None for tool in listed)
    assert "image" not in _bench("show", "dfaker").stdout


def test_deviations_are_blocks_that_can_be_read(tools: dict[str, Tool]) -> None:
    said = _bench("show", "dfaker", "--config", "thesis").stdout
    block = said[said.index("  1. claim") : said.index("  2. claim")]
    starts = [line[5:13].strip() for line in block.splitlines() if line[5:13].strip()]
    assert starts == ["claim", "upstream", "applied", "reason"]
    assert "limits of a step: 24 h" in said
    assert "at least 6.0 GiB" in said
    assert "iterations" in said


def test_without_a_config_deviations_are_counted_and_where_to_read_them_is_said(
    tools: dict[str, Tool],
) -> None:
    said = " ".join(_bench("show", "dfaker").stdout.split())
    count = len(registry.find_config(tools["dfaker"], "thesis").deviations)
    assert f"differs from the study in {count} points: bench tools show dfaker --config" in said
    assert "claim" not in said


def test_a_config_that_does_not_exist_brings_the_nearest(tools: dict[str, Tool]) -> None:
    assert "Did you mean 'thesis'" in _bench("show", "dfaker", "--config", "tesis", code=2).output


@pytest.mark.filterwarnings("ignore:The adapter 'gone'")
@pytest.mark.parametrize(
    ("hash_of_image", "word"), [("the same", "built"), ("an older", "stale"), (None, "not built")]
)
def test_the_list_says_how_images_stand(
    hash_of_image: str | None, word: str, tools: dict[str, Tool], monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.cli import tools as commands

    states = {"the same": "current", "an older": "stale", None: "missing"}
    monkeypatch.setattr(
        commands, "_image_states", lambda tools: {"dfaker@df": states[hash_of_image]}
    )
    (line,) = [one for one in _bench("list").stdout.splitlines() if one.startswith("dfaker")]
    assert f" {word} " in line
    (tool,) = [t for t in json.loads(_bench("list", "--json").stdout) if t["name"] == "dfaker"]
    assert tool["images"] == {"df": states[hash_of_image]}
    assert f"df (image {word})" in _bench("show", "dfaker").stdout
