"""Named settings of tools that are kept as files, ``benchmarks/configs/<tool>/<name>.yaml``.

A file holds what is too long for an adapter: settings with, for each claim of the study that they
follow, what upstream really allows and what is applied instead.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from pydantic import Field

from harness.core.base import Frozen
from harness.core.errors import UsageError
from harness.core.yaml_files import read_yaml
from harness.model.job import Limits, Setting
from harness.model.tool import Deviation, NamedConfig, Tool


class _ConfigFile(Frozen):
    """A NamedConfig without its name, which is the file's."""

    help: str
    versions: tuple[str, ...] = ()
    settings: dict[str, Setting] = Field(default_factory=dict)
    limits: Limits | None = None
    deviations: tuple[Deviation, ...] = ()


def builtin_configs() -> Path:
    """The folder of the configs that ship with the project."""
    return Path(str(resources.files("benchmarks"))) / "configs"


def read_config(path: Path) -> NamedConfig:
    """The config in a file; raises UsageError with line and field."""
    content = read_yaml(path, _ConfigFile, "config")
    return NamedConfig(name=path.stem, **dict(content))


def with_config_files(tool: Tool, root: Path) -> Tool:
    """``tool`` with the configs of ``root/<tool>/*.yaml`` added, sorted by name after its own.

    Raises UsageError for a file that is wrong, names an unknown version, or repeats a name.
    """
    configs = list(tool.configs)
    for path in sorted((root / tool.name).glob("*.yaml")):
        config = read_config(path)
        if config.name in {known.name for known in configs}:
            raise UsageError(f"{path} repeats the config '{config.name}' of {tool.name}.")
        strange = sorted(set(config.versions) - set(tool.versions))
        if strange:
            raise UsageError(
                f"{path} is for version {', '.join(strange)}, which {tool.name} does not have; "
                f"it has {', '.join(tool.versions)}."
            )
        configs.append(config)
    return tool.model_copy(update={"configs": tuple(configs)})
