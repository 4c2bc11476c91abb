"""Whole commands under strace: they talk to nobody, and write nothing outside their home."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.vision.assets import centerface_path

from .kitchen import Kitchen

pytestmark = [pytest.mark.clips, pytest.mark.xdist_group("watched")]

_CALLS = (
    "connect,sendto,sendmsg,sendmmsg,"
    "openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat"
)
_CALL = re.compile(r"\b(connect|sendto|sendmsg|sendmmsg)\(.*AF_INET")
_OPENED = re.compile(r"\bopen(?:at)?\([^\"]*\"[^\"]*\", ([A-Z_|0-9]+).*= \d+<([^>]+)>")
_FIXED = ("/dev/", "/proc/")


@dataclass(frozen=True)
class Watched:
    """One watched visit of a new user, from the first cell to a published site."""

    trace: list[str]
    root: Path
    """Holds ``home``, ``user`` (HOME), ``tmp`` (TMPDIR), ``work`` (the working folder)."""


@pytest.fixture(scope="module")
def watched(
    tmp_path_factory: pytest.TempPathFactory, sample_cache: Path, sample_dir: Path
) -> Watched:
    """Runs, scores, reports, publishes and queries two cells in processes of their own."""
    if shutil.which("strace") is None:
        if "BENCH_REQUIRE_ENGINE" in os.environ:
            pytest.fail("strace is missing; install it to watch what commands do")
        pytest.skip("strace is not installed, so nothing can be watched")
    root = tmp_path_factory.mktemp("watched")
    for name in ("home", "user", "tmp", "work"):
        (root / name).mkdir()
    for name in ("downloads", "models"):
        (root / "home" / name).symlink_to(sample_cache / name)
    kitchen = Kitchen(root / "work", root / "home", sample_dir)
    kitchen.order({"tool": "blur", "config": "weak"}, {"tool": "pixelate", "config": "weak"})
    commands = [
        ["run", "--suite", "meal.yaml"],
        ["report", "--suite", "meal.yaml"],
        ["publish", "site"],
        ["query", "SELECT count(*) FROM cells"],
        ["compare", "blur", "pixelate"],
        ["doctor"],
    ]
    trace = root / "trace"
    for number, words in enumerate(commands):
        _run(root, [*words], trace.with_name(f"trace-{number}"))
    lines = [
        line
        for file in sorted(root.glob("trace-*"))
        for line in file.read_text(errors="replace").splitlines()
    ]
    return Watched(lines, root)


def _run(root: Path, words: list[str], trace: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root / "user"),
        "TMPDIR": str(root / "tmp"),
        "BENCH_HOME": str(root / "home"),
        "BENCH_CENTERFACE": str(centerface_path(root / "home")),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    watch = [
        "strace",
        "-f",
        "-qq",
        "-y",
        "--seccomp-bpf",
        "-e",
        f"trace={_CALLS}",
        "-o",
        str(trace),
    ]
    bench = [sys.executable, "-c", "from harness.cli.main import main; main()"]
    done = subprocess.run(
        [*watch, "-o", str(trace), *bench, *words],
        cwd=root / "work",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 4} or words[0] == "compare", done.stdout + done.stderr


def test_no_command_asks_a_resolver_or_opens_a_connection(watched: Watched) -> None:
    assert [line for line in watched.trace if _CALL.search(line)] == []


def test_nothing_is_written_outside_the_home_but_what_the_readme_names(watched: Watched) -> None:
    kept = [
        str(path.relative_to(watched.root / "user"))
        for path in sorted((watched.root / "user").rglob("*"))
        if path.is_file()
    ]
    assert [name for name in kept if not name.startswith(".cache/deid-bench/")] == []
    assert len(kept) == 1
    assert list((watched.root / "tmp").iterdir()) == []
    roots = (str(watched.root), *_FIXED)
    opened = [found for line in watched.trace if (found := _OPENED.search(line))]
    assert opened
    elsewhere = {
        found.group(2)
        for found in opened
        if re.search("O_WRONLY|O_RDWR|O_CREAT", found.group(1))
        and not found.group(2).startswith(roots)
    }
    assert elsewhere == set()
