"""Program of the test image: it behaves as its setting ``mode`` says."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from containers.common import bench_driver
from containers.common.bench_driver import Job

SLEEPER = [sys.executable, "-c", "import time; time.sleep(300)"]
EATER = "x = []\nwhile True: x.append(bytearray(b'x' * (8 << 20)))"


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def good(job: Job) -> None:
    say('@bench {"kind": "progress", "done": 1, "total": 2, "unit": "frames"}\n')
    say("first\rsecond\n")
    sys.stderr.write("third\n")
    Path(job.out, "swapped.mp4").write_bytes(Path(job.input("test_video")).read_bytes())
    bench_driver.write_step(job, frames=1)


def hang(job: Job) -> None:
    Path(job.state, "started").touch()
    time.sleep(300)


def stubborn(job: Job) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hang(job)


def orphan(job: Job) -> None:
    subprocess.Popen(SLEEPER, start_new_session=True)
    good(job)


def silent(job: Job) -> None:
    """Closes its output, and goes on."""
    for descriptor in (1, 2):
        os.close(descriptor)
        os.open(os.devnull, os.O_WRONLY)
    time.sleep(0.4)
    good(job)


def flood(job: Job) -> None:
    say("first line\n")
    for _ in range(200):
        say(("x" * 99 + "\n") * 500)
    say("y" * 300_000 + "\nlast line\n")
    bench_driver.write_step(job)


def eat(job: Job) -> None:
    exec(EATER)  # noqa: S102 - the same code as in the child


def eat_in_child(job: Job) -> None:
    done = subprocess.run([sys.executable, "-c", EATER])
    raise bench_driver.ToolFailedError(f"The child ended with {done.returncode}.")


def fork(job: Job) -> None:
    while True:
        os.fork()


def fill(job: Job) -> None:
    Path(str(job.settings["where"]), "big").write_bytes(b"x" * (8 << 20))
    hang(job)


def attempt(what: Callable[[], object]) -> str:
    """``done``, or the error that refused it."""
    try:
        what()
    except OSError as error:
        return type(error).__name__
    return "done"


def append(path: str) -> Callable[[], object]:
    def write() -> None:
        with Path(path).open("a") as stream:
            stream.write("x")

    return write


def hostile(job: Job) -> None:
    """Leave what must not reach the host: a link, a pipe, a set-user-id file, a deep tree."""
    bench_driver.write_step(job)
    Path(job.out, "swapped.mp4").symlink_to("/etc/hostname")
    os.mkfifo(str(Path(job.out, "observation.csv")))
    for folder in (job.out, job.state):
        tool = Path(folder, "tool")
        tool.write_text("#!/bin/sh")
        tool.chmod(0o4755)
    handle = os.open(job.out, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("deep", dir_fd=handle)
        handle, above = os.open("deep", os.O_RDONLY, dir_fd=handle), handle
        os.close(above)


def facts(job: Job) -> None:
    """Try everything that must not work, and write down what came of it."""
    video = Path(job.input("test_video"))
    lines = Path("/proc/self/status").read_text().splitlines()
    mine = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    shared = os.statvfs("/dev/shm")
    character_device = 0o020600
    found = {
        "user": [os.getuid(), os.getgid()],
        "capabilities": mine["CapEff"] + mine["CapPrm"] + mine["CapBnd"],
        "no_new_privileges": mine["NoNewPrivs"],
        "init": Path("/proc/1/comm").read_text().strip(),
        "interfaces": sorted(name for _, name in socket.if_nameindex()),
        "reach": attempt(lambda: socket.create_connection(("10.255.255.1", 53), timeout=1)),
        "root": attempt(append("/opt/bench/x")),
        "etc": attempt(append("/etc/x")),
        "run": attempt(append("/run/x")),
        "run_lock": attempt(append("/run/lock/x")),
        "run_mode": attempt(lambda: Path("/run").chmod(0o777)),
        "var_tmp": attempt(append("/var/tmp/x")),
        "input": attempt(append(str(video))),
        "input_mode": attempt(lambda: video.chmod(0o777)),
        "input_gone": attempt(video.unlink),
        "beside_input": attempt(append("/in/x")),
        "job": attempt(append("/job/job.json")),
        "setuid": attempt(lambda: os.setuid(12345)),
        "chown": attempt(lambda: os.chown(job.state, 12345, 12345)),
        "mknod": attempt(lambda: os.mknod(f"{job.state}/device", character_device, 259)),
        "tmp": attempt(append("/tmp/x")),
        "scratch": attempt(append("/scratch/x")),
        "volume": attempt(append("/data/x")),
        "volume_type": [mount[2] for mount in mounts if mount[1] == "/data"],
        "shm_bytes": shared.f_blocks * shared.f_frsize,
        "terminal": sys.stdout.isatty(),
        "environment": dict(os.environ),
        "docker_socket": Path("/var/run/docker.sock").exists(),
    }
    deep = Path(job.state, "deep", "er")
    deep.mkdir(parents=True, exist_ok=True)
    append(str(deep / "file"))()
    bench_driver.write_json(str(Path(job.state, "facts.json")), found)
    bench_driver.write_step(job)


def train(job: Job) -> None:
    """Ten saves; the first try dies after the fourth when asked to."""
    path = Path(job.state, "iteration")
    done = int(path.read_text()) if path.exists() else 0
    first = done == 0
    while done < 10:
        done += 1
        say(f"[12:00:00][#{done:06d}][0052ms][0.{done:04d}][0.5]\r")
        bench_driver.write_json(str(path), done)
        time.sleep(float(job.settings.get("pace_s", 0.0)))
        if first and done == 4 and job.settings.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)
    bench_driver.write_step(job, iterations=done)


def lies(job: Job) -> None:
    """Prints its tool's error, and exits with 0."""
    say("\x1b[31mERROR\x1b[0m: ResourceExhaustedError: OOM when allocating tensor\n")
    say("goodbye\n" * 100)


def lines(job: Job) -> None:
    say(str(job.settings["text"]))
    if "code" in job.settings:
        sys.exit(int(job.settings["code"]))
    bench_driver.write_step(job)


def run(job: Job) -> None:
    globals()[str(job.settings["mode"])](job)


if __name__ == "__main__":
    sys.exit(bench_driver.main(run, steps=bench_driver.STEPS))
