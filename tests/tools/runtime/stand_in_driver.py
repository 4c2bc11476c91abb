"""A driver that behaves as its setting ``mode`` says; run as a child by the tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SLEEPER = [sys.executable, "-c", "import time; time.sleep(300)"]


def say_pid(job: dict[str, Any], pid: int) -> None:
    with (Path(job["state"]) / "pids").open("a") as stream:
        stream.write(f"{pid}\n")


def say(text: str) -> None:
    print("@bench " + json.dumps({"kind": "note", "text": text}), flush=True)


def done(job: dict[str, Any], step: str | None = None) -> None:
    report = {"step": step or job["step"], "frames": 1}
    (Path(job["out"]) / "step.json").write_text(json.dumps(report))


def copy_video(job: dict[str, Any]) -> None:
    shutil.copyfile(job["inputs"]["test_video"], Path(job["out"]) / "swapped.mp4")


def good(job: dict[str, Any]) -> None:
    print('@bench {"kind": "progress", "done": 1, "total": 2, "unit": "frames"}')
    print("@bench {not json", end="\rsecond\n")
    copy_video(job)
    done(job)


def slow(job: dict[str, Any]) -> None:
    time.sleep(0.3)
    (Path(job["out"]) / "swapped.mp4").write_bytes(b"half")
    time.sleep(0.3)
    good(job)


def count(job: dict[str, Any]) -> None:
    say_pid(job, os.getpid())
    time.sleep(0.3)
    good(job)


def hang(job: dict[str, Any]) -> None:
    time.sleep(300)


def stubborn(job: dict[str, Any]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("deaf")
    hang(job)


def grandchild(job: dict[str, Any]) -> None:
    child = subprocess.Popen(SLEEPER, start_new_session=True)
    say_pid(job, child.pid)
    good(job)
    os._exit(0)


def hang_with_grandchild(job: dict[str, Any]) -> None:
    child = subprocess.Popen(SLEEPER, start_new_session=True)
    say_pid(job, child.pid)
    say("two of us")
    hang(job)


def flood(job: dict[str, Any]) -> None:
    print("first line")
    for _ in range(200):
        sys.stdout.write(("x" * 99 + "\n") * 500)
    sys.stdout.write("y" * 300_000)
    print("\nlast line")
    copy_video(job)
    done(job)


def events_only(job: dict[str, Any]) -> None:
    """A trainer that says nothing but events, and resumes at 1000 iterations.

    It ends after so many events, or when there is a file ``enough`` in its state.
    """
    for count in range(1000, 1000 + int(job["settings"]["events"])):
        if (Path(job["state"]) / "enough").exists():
            break
        event = {"kind": "progress", "done": count, "total": 100_000, "unit": "iterations"}
        print("@bench " + json.dumps(event), flush=True)
        print('@bench {"kind": "loss", "values": {"a": 0.031, "b": NaN}}', flush=True)
        time.sleep(0.02)
    print('@bench {"kind": "note", "text": "saved \\u001b[2J"}', flush=True)
    time.sleep(float(job["settings"]["linger_s"]))
    copy_video(job)
    done(job)


def numbered(job: dict[str, Any]) -> None:
    """Numbered lines; a pause now and then, or none."""
    for number in range(int(job["settings"]["lines"])):
        print(f"line {number:06d}", flush=True)
        time.sleep(float(job["settings"]["pause_s"]))
    copy_video(job)
    done(job)


def eat(job: dict[str, Any]) -> None:
    held = []
    for _ in range(40):
        held.append(bytearray(b"x" * (10 << 20)))
        time.sleep(0.05)
    hang(job)


def fill(job: dict[str, Any]) -> None:
    (Path(job["out"]) / "big").write_bytes(b"x" * (4 << 20))
    hang(job)


def raze(job: dict[str, Any]) -> None:
    """Remove the folder that it should write to, and go on."""
    shutil.rmtree(job["out"])
    say("gone")
    time.sleep(0.5)


def burn(job: dict[str, Any]) -> None:
    subprocess.run(
        [sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass"], check=True
    )
    good(job)


def burn_and_hang(job: dict[str, Any]) -> None:
    while time.process_time() < 0.2:
        pass
    print("burnt")
    say("burnt")
    hang(job)


def fill_state(job: dict[str, Any]) -> None:
    (Path(job["state"]) / "model").write_bytes(b"x" * (2 << 20))
    hang(job)


def fill_tmp(job: dict[str, Any]) -> None:
    (Path(os.environ["TMPDIR"]) / "scratch").write_bytes(b"x" * (2 << 20))
    hang(job)


def broken(job: dict[str, Any]) -> None:
    (Path(job["out"]) / "swapped.mp4").write_bytes(b"not a video" * 1000)
    done(job)


def other(job: dict[str, Any]) -> None:
    shutil.copyfile(job["settings"]["file"], Path(job["out"]) / "swapped.mp4")
    done(job)


def transient_once(job: dict[str, Any]) -> None:
    marker = Path(job["state"]) / "tried"
    if not marker.exists():
        marker.touch()
        sys.exit(75)
    good(job)


def environment(job: dict[str, Any]) -> None:
    (Path(job["state"]) / "environment").write_text(json.dumps(dict(os.environ)))
    good(job)


def litter(job: dict[str, Any]) -> None:
    """Leave a file in the working folder, as a library does that has no other place."""
    Path("model.cache").write_text("x")
    (Path(job["state"]) / "where").write_text(str(Path.cwd()))
    good(job)


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    mode = job["settings"]["mode"]
    say_pid(job, os.getpid())
    if mode == "crash":
        raise RuntimeError("the stand-in crashed")
    if mode == "exit":
        sys.stderr.write(f"{job['settings'].get('said', '')}\n \n")
        sys.exit(int(job["settings"]["code"]))
    if mode == "abort":
        os.kill(os.getpid(), signal.SIGSEGV)
    if mode == "nothing":
        return
    if mode == "bad_report":
        (Path(job["out"]) / "step.json").write_text('{"steps": 1}')
        return
    if mode == "other_step":
        done(job, "train")
        return
    if mode == "odd_report":
        report = {"step": job["step"], **json.loads(job["settings"]["report"])}
        (Path(job["out"]) / "step.json").write_text(json.dumps(report))
        return
    globals()[mode](job)


if __name__ == "__main__":
    main()
