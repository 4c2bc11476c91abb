"""Named configs that are kept as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.naive import BLUR
from harness.core.errors import UsageError
from harness.tools.configs import builtin_configs, with_config_files
from harness.tools.registry import read_registry, resolve_settings


def _write(root: Path, text: str, name: str = "study") -> Path:
    path = root / "blur" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return root


def test_a_config_file_is_a_config_like_any_other(tmp_path: Path) -> None:
    text = """
help: What the study did.
settings: {strength: 0.2}
limits: {wall_s: 7200}
deviations:
  - {claim: sigma 9 px, upstream: relative to the face, applied: "0.2", reason: faces differ}
"""
    tool = with_config_files(BLUR, _write(tmp_path, text))
    config = tool.configs[-1]
    assert (config.name, config.deviations[0].applied) == ("study", "0.2")
    assert config.limits is not None
    assert config.limits.wall_s == 7200
    assert resolve_settings(tool, "study", {})["strength"] == 0.2


def test_a_tool_without_files_stays_as_it_is(tmp_path: Path) -> None:
    assert with_config_files(BLUR, tmp_path) == BLUR


def test_a_config_for_an_unknown_version_is_refused(tmp_path: Path) -> None:
    root = _write(tmp_path, "help: x\nversions: [v9]\n")
    with pytest.raises(UsageError, match="v9"):
        with_config_files(BLUR, root)


def test_a_name_that_the_adapter_has_already_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="repeats"):
        with_config_files(BLUR, _write(tmp_path, "help: x\n", "weak"))


def test_the_configs_that_ship_fit_their_tools() -> None:
    tools = read_registry().tools
    for folder in sorted(path for path in builtin_configs().iterdir() if path.is_dir()):
        if folder.name in tools:
            # The registry has added the files.
            tool = tools[folder.name]
            assert {path.stem for path in folder.glob("*.yaml")} <= {c.name for c in tool.configs}
            for config in tool.configs:
                resolve_settings(tool, config.name, {})
