"""The wheel, built once, and an environment in which it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGES = ("harness", "adapters", "containers", "benchmarks", "reports")


def pip(*args: str) -> str:
    """What this environment's pip prints; the test fails with its messages when pip does."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *args],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """deid-bench's wheel, built from a copy, since setuptools leaves folders among its sources."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in (*PACKAGES, "docs"):
        shutil.copytree(CHECKOUT / name, source / name, ignore=ignored)
    for path in CHECKOUT.iterdir():
        if path.is_file() and path.name != ".git":
            shutil.copy(path, source)
    pip("wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel's files, which has this environment's dependencies and not its
    checkout.
    """
    place = tmp_path_factory.mktemp("installed") / "env"
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    pip("--python", str(python), "install", "-q", "--no-deps", "--no-index", str(wheel))
    # A folder named in a .pth file comes after the environment's own, and its .pth files, one of
    # which names the checkout, are not read.
    (packages,) = place.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if Path(path).name == "site-packages"]
    (packages / "dependencies.pth").write_text("".join(f"{path}\n" for path in ours))
    return place


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder with modules of the names that deid-bench and the standard library use."""
    folder = tmp_path / "mine"
    for name in (*PACKAGES, "docs"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise SystemExit('the user\\'s {name}')\n")
    for name in ("signal", "typing", "json", "numpy", "cv2"):
        (folder / f"{name}.py").write_text(f"raise SystemExit('the user\\'s {name}')\n")
    return folder


def environment(home: Path) -> dict[str, str]:
    """This process's variables without those that would let a command find the checkout."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return {**kept, "BENCH_HOME": str(home)}
