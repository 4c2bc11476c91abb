"""Drivers under the Pythons of the images they run in; skipped where a machine lacks them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from containers.common import bench_driver
from tests.containers import old_pythons

CONTAINERS = Path(bench_driver.__file__).parents[1]
NEW = {"embedded", "deface"}
"""Run by today's Python: in the harness's own, and in an image of Python 3.12."""
MODULES = sorted(
    ".".join(path.relative_to(CONTAINERS.parent).with_suffix("").parts)
    for path in CONTAINERS.rglob("*.py")
    if not NEW.intersection(path.parts) and path.name != "__init__.py"
)
IMPORTS = """import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(len(sys.argv) - 1)
"""


@pytest.mark.parametrize("version", ["3.6", "3.8"])
def test_every_module_of_an_image_is_imported_without_a_package(
    version: str, tmp_path: Path
) -> None:
    python = old_pythons.find_python(version)
    done = subprocess.run(
        [python, "-S", "-W", "error", "-c", IMPORTS, *MODULES],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=CONTAINERS.parent,
        env={"PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(MODULES) > 40


def test_a_machine_without_a_python_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYENV_ROOT", "/nowhere")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    with pytest.raises(pytest.skip.Exception, match=r"There is no Python 3\.5 on this machine"):
        old_pythons.find_python("3.5")
