"""Adapters, configs, recipes and drivers of the trained tools fit together."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from adapters.deepfacelab import DEEPFACELAB
from adapters.dfaker import DFAKER
from containers.common.bench_driver import Job
from containers.deepfacelab import settings as deepfacelab_settings
from harness.model.job import Step
from harness.model.tool import Container, NamedConfig, Tool
from harness.tools.configs import builtin_configs, read_config, with_config_files
from harness.tools.images.recipe import read_recipe
from harness.tools.registry import resolve_settings

TOOLS = pytest.mark.parametrize("tool", [DEEPFACELAB, DFAKER], ids=lambda tool: tool.name)
CONFIGS = [(tool, name) for tool in (DEEPFACELAB, DFAKER) for name in ("thesis", "smoke")]


def _config(tool: Tool, name: str) -> NamedConfig:
    return read_config(builtin_configs() / tool.name / f"{name}.yaml")


def _job(tool: Tool, config: str) -> Job:
    known = with_config_files(tool, builtin_configs())
    return Job(
        {
            "step": "train",
            "tool": tool.name,
            "version": "",
            "state": "",
            "out": "",
            "inputs": {},
            "settings": resolve_settings(known, config, {}),
        }
    )


@pytest.mark.parametrize(("tool", "name"), CONFIGS)
def test_a_config_is_one_of_the_tools_own_settings(tool: Tool, name: str) -> None:
    config = _config(tool, name)
    assert set(config.settings) <= {spec.name for spec in tool.settings}
    assert config.limits is not None
    hours = float(_job(tool, name).settings["hours"])
    assert config.limits.wall_s > hours * 3600 * 1.5, "loading and saving take time too"


@TOOLS
def test_each_deviation_of_the_thesis_says_all_four(tool: Tool) -> None:
    deviations = _config(tool, "thesis").deviations
    assert len(deviations) >= 10
    for one in deviations:
        assert all(len(text) > 2 for text in one.model_dump().values()), one.claim


@pytest.mark.parametrize("config", ["default", "thesis", "smoke"])
def test_deepfacelabs_configs_are_what_upstream_allows(config: str) -> None:
    asked = deepfacelab_settings.training(_job(DEEPFACELAB, config))
    assert asked.resolution % 16 == 0


@TOOLS
def test_choices_of_the_adapter_are_those_of_the_driver(tool: Tool) -> None:
    choices = {
        "face_type": tuple(deepfacelab_settings.FACE_TYPES),
        "clean": deepfacelab_settings.CLEANING,
        "lr_dropout": deepfacelab_settings.LR_DROPOUT,
        "color_transfer": deepfacelab_settings.TRAINING_COLOURS,
        "merge_mode": deepfacelab_settings.MERGE_MODES,
        "mask_mode": deepfacelab_settings.MASK_MODES,
        "merge_color_transfer": deepfacelab_settings.MERGE_COLOURS,
    }
    for spec in tool.settings:
        if spec.choices is not None:
            assert set(spec.choices) == set(choices[spec.name]), spec.name


@TOOLS
def test_example_lines_match_in_adapter_and_driver(tool: Tool) -> None:
    assert isinstance(tool.runs_as, Container)
    line = importlib.import_module(tool.runs_as.recipe + ".model").LINE
    for pattern in tool.progress:
        found = re.search(pattern.pattern, pattern.example)
        assert found is not None, pattern.example
        if pattern.step is Step.TRAIN:
            driver = re.search(line, pattern.example)
            assert driver is not None
            assert driver.groupdict() == found.groupdict()
    for failure in tool.failures:
        assert re.search(failure.pattern, failure.example), failure.reason
        assert failure.source


@TOOLS
def test_a_recipe_is_whole(tool: Tool) -> None:
    recipe = read_recipe(tool)
    dockerfile = recipe.files["Dockerfile"].read_text()
    own = {name for name in recipe.files if name.endswith(".py") and "/" not in name}
    copied = re.findall(r"^COPY ((?:.|\\\n)+?) \\?\n? *\S+$", dockerfile, re.MULTILINE)
    named = {word for line in copied for word in line.split()}
    assert own <= named, "every module of the driver goes into the image"
    assert "cpu" in recipe.entry.bases
    assert recipe.files.keys() >= {"requirements.txt", "common/terminal.py"}


@TOOLS
def test_a_readme_says_what_was_run_and_under_which_licences(tool: Tool) -> None:
    assert isinstance(tool.runs_as, Container)
    module = importlib.import_module(tool.runs_as.recipe)
    text = (Path(str(module.__file__)).parent / "README.md").read_text()
    assert "## Run for real?\n\nNo." in text
    assert "## Licences" in text
    assert "Inferred, not verified" in text


@TOOLS
def test_a_bad_job_is_answered_with_64(tool: Tool, tmp_path: Path) -> None:
    assert isinstance(tool.runs_as, Container)
    driver: Any = importlib.import_module(tool.runs_as.recipe + ".driver")
    from containers.common import bench_driver

    path = tmp_path / "job.json"
    for content in ("not json", json.dumps({"contract_version": 99})):
        path.write_text(content)
        steps = ("extract", "train", "convert")
        assert bench_driver.main(driver.run, [str(path)], steps=steps) == 64
