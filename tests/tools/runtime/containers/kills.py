"""Bench is killed at random moments while its containers run; what is left is counted.

    python -m tests.tools.runtime.containers.kills [HOW_MANY]

A hundred kills by default, five programs at a time; a line of JSON says what was left, and the exit
code is 1 when that is anything. As root the programs run as nobody.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from harness.core.base import Frozen
from harness.tools.engine import Engine, connect
from tests.tools.runtime.containers.containers_bench import Bench, Programs, wait_for
from tests.tools.runtime.containers.machine_image import machine_image

NOBODY = 65534
AT_ONCE = 5
START_S = 60.0
"""Seconds a busy machine may take until a container trains."""


class Left(Frozen):
    """Remains of a draw of kills; ``trained`` is no remainder but shows that they bit."""

    seed: int
    kills: int
    trained: int
    """Cells whose training had begun when they were killed."""
    containers: tuple[str, ...]
    volumes: tuple[str, ...]
    processes: tuple[str, ...]
    foreign_files: tuple[str, ...]
    """Files of somebody else than the caller."""

    @property
    def clean(self) -> bool:
        found = (self.containers, self.volumes, self.processes, self.foreign_files)
        return self.trained > 0 and not any(found)


def caller(engine: Engine) -> tuple[str, ...]:
    """Command that makes bench run as somebody who is not root and may use the engine.

    The one capability lets a Python below root's home be read; it gives no right to write.
    """
    if os.getuid() != 0:
        return ()
    group = Path(engine.info.socket).stat().st_gid
    who = (f"--reuid={NOBODY}", f"--regid={NOBODY}", f"--groups={group}")
    return ("setpriv", *who, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that the caller can enter; pytest's own can be entered by their owner only."""
    folder = Path(tempfile.mkdtemp(prefix="deid-bench-test-"))
    give_away(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def give_away(folder: Path) -> None:
    """Make everything in ``folder`` the caller's."""
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)


def kill_at_random(folder: Path, engine: Engine, digest: str, kills: int, seed: int) -> Left:
    """Start and kill until ``kills`` are made, ``AT_ONCE`` at a time; what is left after all.

    The first is killed when its container trains; from twice the time that took the others' moments
    are drawn: before the container is made, while it starts, and while it trains. Containers that a
    killed program leaves may take a moment to go; more than that is left.
    """
    moments = random.Random(seed)
    before = {one.name for one in engine.client.volumes.list()}
    cells = [Bench(folder / "home", engine, digest, f"cell{n}") for n in range(AT_ONCE)]
    give_away(folder)
    made = 1
    with Programs(caller(engine)) as programs:
        span_s = 2 * _until_trained_s(programs, cells[0])
        while made < kills:
            some = cells[: kills - made]
            give_away(folder)
            _round(programs, some, sorted(moments.uniform(0, span_s) for _ in some))
            made += len(some)
    names = (str(folder), *(cell.container for cell in cells))
    wait_for(lambda: not cells[0].containers() and not _processes(names), START_S)
    mine = NOBODY if os.getuid() == 0 else os.getuid()
    volumes = {one.name for one in engine.client.volumes.list()} - before
    files = (folder, *folder.rglob("*"))
    return Left(
        seed=seed,
        kills=made,
        trained=sum((cell.state / "iteration").exists() for cell in cells),
        containers=tuple(cells[0].containers()),
        volumes=tuple(sorted(volumes)),
        processes=_processes(names),
        foreign_files=tuple(str(path) for path in files if path.lstat().st_uid != mine),
    )


def _until_trained_s(programs: Programs, cell: Bench) -> float:
    """Start and kill one as soon as its container trains; the seconds that took."""
    program = programs.start(cell, "train")
    assert wait_for(program.ready.exists, START_S)
    begun = time.monotonic()
    assert wait_for((cell.state / "iteration").exists, START_S)
    program.kill()
    return time.monotonic() - begun


def _round(programs: Programs, cells: Sequence[Bench], moments_s: Sequence[float]) -> None:
    started = [programs.start(cell, "train") for cell in cells]
    assert wait_for(lambda: all(program.ready.exists() for program in started), START_S)
    begun = time.monotonic()
    for program, after_s in zip(started, moments_s, strict=True):
        time.sleep(max(0.0, begun + after_s - time.monotonic()))
        program.kill()


def _processes(names: Sequence[str]) -> tuple[str, ...]:
    """The command lines that name a folder or a container of ours: programs and their watchdogs."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(name in word for word in words for name in names):
            found.append(" ".join(words))
    return tuple(found)


def main(arguments: Sequence[str]) -> int:
    kills = int(arguments[0]) if arguments else 100
    begun = time.monotonic()
    with connect() as engine, open_folder() as folder:
        digest = machine_image(engine.client)
        left = kill_at_random(folder, engine, digest, kills, random.randrange(1 << 32))
    seconds = round(time.monotonic() - begun)
    print(json.dumps({**left.model_dump(mode="json"), "clean": left.clean, "seconds": seconds}))
    return 0 if left.clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
