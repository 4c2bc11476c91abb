"""Every adapter that this project ships passes its own suite."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path

import pytest

from harness.model.tool import Tool
from harness.tools.configs import builtin_configs, with_config_files
from harness.tools.conformance.finding import State
from harness.tools.conformance.suite import check_tool

# Read from the file: what is installed may be older than the checkout.
_PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
_POINTS = _PROJECT["entry-points"]
OWN = {**_POINTS["bench.adapters"], **_POINTS.get("bench.observers", {})}


def _tool(value: str) -> Tool:
    module, name = value.split(":")
    tool = getattr(importlib.import_module(module), name)
    return with_config_files(tool, builtin_configs())


@pytest.mark.parametrize("name", OWN)
def test_our_own_adapters_keep_what_is_asked_of_everybodys(name: str) -> None:
    tool = _tool(OWN[name])
    assert tool.name == name
    found = check_tool(tool)
    assert [one for one in found if one.state is State.FAULT] == []
    driven = [one for one in found if one.check == "driver"]
    assert [one.text for one in driven if one.state is not State.OK] == [], (
        "every driver of ours starts outside of its image, and refuses every wrong setting at once"
    )
