"""An adapter of somebody else, in a package of its own that is installed in a folder.

Its sources are written as ``docs/adding-a-tool.md`` taught before the package layout was rebuilt.
Packages like it exist, so what they import must stay importable: never change the imports here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

ADAPTER = """
from harness.model.job import Role, Step
from harness.model.tool import ChildProcess, LogPattern, NamedConfig, SettingSpec, Tool

_ABOUT = {
    "summary": "Copies the video: a stand-in for somebody else's tool.",
    "homepage": "https://example.org/tiny",
    "licence": "MIT",
    "versions": ("0.1", "0.2"),
    "runs_as": ChildProcess(module="tiny_tools.driver"),
}

COPY = Tool(name="tiny-copy", **_ABOUT)

TRAINER = Tool(
    name="tiny-trainer",
    **_ABOUT,
    steps=(Step.EXTRACT, Step.TRAIN, Step.CONVERT),
    needs=(Role.TEST_VIDEO, Role.ACTOR_TRAINING, Role.DONOR_TRAINING),
    settings=(
        SettingSpec(
            name="iterations", default=90, minimum=1, maximum=1000, help="How long it trains."
        ),
        SettingSpec(name="fail", default=False, help="Fail in the training."),
        SettingSpec(
            name="train_interval", default=12, minimum=1, maximum=99, help="Every n-th frame."
        ),
    ),
    configs=(
        NamedConfig(name="default", limits={"wall_s": 90.0}),
        NamedConfig(name="smoke", settings={"iterations": 40}, limits={"wall_s": 90.0}),
        NamedConfig(name="broken", settings={"fail": True}, limits={"wall_s": 90.0}),
    ),
    progress=(
        LogPattern(
            step=Step.TRAIN,
            pattern=r"^iteration (?P<done>\\d+), loss (?P<loss_a>[\\d.]+)",
            unit="iterations",
            example="iteration 12, loss 0.25",
        ),
    ),
)
"""

DRIVER = """
import os
import shutil
import sys

from containers.common import bench_driver

PREVIEW = os.path.join(os.path.dirname(__file__), "preview.jpg")


def train(job, iterations):
    previews = os.path.join(job.out, "previews")
    os.makedirs(previews)
    for done in range(10, iterations + 1, 10):
        bench_driver.emit("progress", done=done, total=iterations, unit="iterations")
        bench_driver.emit("loss", values={"a": 1.0 / done, "b": 0.5, "iterations_per_s": 7.0})
        shutil.copyfile(PREVIEW, os.path.join(previews, "%08d.jpg" % done))
    # What is no preview by its name, or lies elsewhere, is not taken for one.
    shutil.copyfile(PREVIEW, os.path.join(previews, "last.jpg"))
    os.symlink(PREVIEW, os.path.join(previews, "00099999.jpg"))
    if job.flag("fail"):
        raise bench_driver.ToolFailedError("It was told to fail.")
    bench_driver.write_step(job, iterations=iterations)


def run(job):
    iterations = 0
    if job.tool == "tiny-trainer":
        iterations = int(job.number("iterations", 1, 1000))
        job.number("train_interval", 1, 99)
        job.flag("fail")
    if job.step == "extract":
        for role in ("actor_training", "donor_training"):
            job.input(role)
        bench_driver.write_step(job, faces_found={"actor_training": 5, "donor_training": 6})
    elif job.step == "train":
        job.input("actor_training")
        train(job, iterations)
    else:
        shutil.copyfile(job.input("test_video"), os.path.join(job.out, "swapped.mp4"))
        bench_driver.write_step(job)


if __name__ == "__main__":
    steps = ("extract", "train", "convert")
    sys.exit(bench_driver.main(run, steps=steps))
"""

OWN_TEST = """
from harness.conformance.suite import check_tool, faults

from tiny_tools.adapter import COPY, TRAINER


def test_my_adapters_keep_the_contract():
    assert faults(check_tool(COPY)) == []
    assert faults(check_tool(TRAINER)) == []


def test_a_driver_that_is_missing_is_a_fault():
    from harness.model.tool import ChildProcess

    gone = COPY.model_copy(update={"runs_as": ChildProcess(module="tiny_tools.gone")})
    assert faults(check_tool(gone))
"""

METADATA = "Metadata-Version: 2.1\nName: tiny-tools\nVersion: 0.2\n"
ENTRY_POINTS = """[bench.adapters]
tiny-copy = tiny_tools.adapter:COPY
tiny-trainer = tiny_tools.adapter:TRAINER
"""


@dataclass(frozen=True)
class Package:
    """The folder it is installed in, and `bench` run by somebody who has it."""

    folder: Path

    def own_tests(self) -> subprocess.CompletedProcess[str]:
        """The package's own tests, run by pytest as its author runs them."""
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tiny_tools"],
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
        )

    def bench(self, *words: str, home: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run `bench`; its exit code must be ``code``."""
        done = subprocess.run(
            [sys.executable, "-m", "harness.cli.main", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            cwd=home,
            env={**os.environ, "PYTHONPATH": str(self.folder), "BENCH_HOME": str(home)},
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """``tiny-tools``: a copying tool, and a stand-in of one that trains."""
    import cv2
    import numpy as np

    site = tmp_path / "site"
    module, metadata = site / "tiny_tools", site / "tiny_tools-0.2.dist-info"
    for folder in (module, metadata):
        folder.mkdir(parents=True)
    (module / "__init__.py").write_text("")
    (module / "adapter.py").write_text(textwrap.dedent(ADAPTER))
    (module / "driver.py").write_text(textwrap.dedent(DRIVER))
    (module / "test_adapter.py").write_text(OWN_TEST)
    cv2.imwrite(str(module / "preview.jpg"), np.full((64, 256, 3), 90, np.uint8))
    (metadata / "METADATA").write_text(METADATA)
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    return Package(site)
