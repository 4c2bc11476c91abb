"""What the test image runs: it behaves as its setting ``mode`` says. Standard library only."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import bench_driver

SLEEPER = [sys.executable, "-c", "import time; time.sleep(300)"]


def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def mark(job, name="started"):
    with open(os.path.join(job.state, name), "a") as stream:
        stream.write("x")


def good(job):
    say('@bench {"kind": "progress", "done": 1, "total": 2, "unit": "frames"}\n')
    say("first\rsecond\n")
    sys.stderr.write("third\n")
    with open(job.input("test_video"), "rb") as stream:
        content = stream.read()
    with open(os.path.join(job.out, "swapped.mp4"), "wb") as stream:
        stream.write(content)
    bench_driver.write_step(job, frames=1)


def hang(job):
    mark(job)
    time.sleep(300)


def stubborn(job):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hang(job)


def orphan(job):
    subprocess.Popen(SLEEPER, start_new_session=True)
    good(job)


def silent(job):
    """Closes its output, and goes on."""
    for descriptor in (1, 2):
        os.close(descriptor)
        os.open(os.devnull, os.O_WRONLY)
    time.sleep(1)
    good(job)


def flood(job):
    say("first line\n")
    for _ in range(200):
        say(("x" * 99 + "\n") * 500)
    say("y" * 300_000 + "\nlast line\n")
    good(job)


def eat(job):
    held = []
    while True:
        held.append(bytearray(b"x" * (8 << 20)))


def eat_in_child(job):
    code = "x = []\nwhile True: x.append(bytearray(b'x' * (8 << 20)))"
    done = subprocess.run([sys.executable, "-c", code])
    raise bench_driver.ToolFailedError("The child ended with %d." % done.returncode)


def fork(job):
    while True:
        os.fork()


def fill(job):
    with open(os.path.join(job.settings["where"], "big"), "wb") as stream:
        stream.write(b"x" * (8 << 20))
    hang(job)


def attempt(what):
    try:
        return repr(what())
    except OSError as error:
        return "%s" % type(error).__name__


def touch(path):
    with open(path, "a") as stream:
        stream.write("x")


def status():
    with open("/proc/self/status") as stream:
        return dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)


def reach(host):
    with socket.create_connection((host, 53), timeout=2):
        pass


def facts(job):
    """Try everything that must not work, and write down what came of it."""
    video = job.input("test_video")
    mine = status()
    found = {
        "uid": os.getuid(),
        "gid": os.getgid(),
        "groups": os.getgroups(),
        "capabilities": mine["CapEff"] + mine["CapPrm"] + mine["CapBnd"],
        "no_new_privileges": mine["NoNewPrivs"],
        "init": open("/proc/1/comm").read().strip(),
        "interfaces": sorted(name for _, name in socket.if_nameindex()),
        "reach": attempt(lambda: reach("10.255.255.1")),
        "root": attempt(lambda: touch("/opt/bench/x")),
        "etc": attempt(lambda: touch("/etc/x")),
        "input": attempt(lambda: touch(video)),
        "input_mode": attempt(lambda: os.chmod(video, 0o777)),
        "input_gone": attempt(lambda: os.unlink(video)),
        "beside_input": attempt(lambda: touch("/in/x")),
        "job": attempt(lambda: touch("/job/job.json")),
        "setuid": attempt(lambda: os.setuid(12345)),
        "chown": attempt(lambda: os.chown(job.state, 12345, 12345)),
        "mknod": attempt(
            lambda: os.mknod(job.state + "/device", 0o600 | 0o020000, os.makedev(1, 3))
        ),
        "tmp": attempt(lambda: touch("/tmp/x")),
        "scratch": attempt(lambda: touch("/scratch/x")),
        "volume": attempt(lambda: touch("/data/x")),
        "data_type": [line.split()[2] for line in open("/proc/mounts") if " /data " in line],
        "shm_bytes": os.statvfs("/dev/shm").f_blocks * os.statvfs("/dev/shm").f_frsize,
        "terminal": sys.stdout.isatty(),
        "environment": dict(os.environ),
        "docker_socket": os.path.exists("/var/run/docker.sock"),
        "state": os.listdir(job.state),
    }
    os.makedirs(os.path.join(job.state, "deep", "er"))
    touch(os.path.join(job.state, "deep", "er", "file"))
    bench_driver.write_json(os.path.join(job.out, "facts.json"), found)
    bench_driver.write_step(job)


def train(job):
    """Ten saves; dies after the fourth when it is the first try."""
    path = os.path.join(job.state, "iteration")
    done = int(open(path).read()) if os.path.exists(path) else 0
    first = done == 0
    while done < 10:
        done += 1
        say("[12:00:00][#%06d][0052ms][0.%04d][0.5]\r" % (done, done))
        bench_driver.write_json(path, done)
        time.sleep(job.settings.get("pace_s", 0.0))
        if first and done == 4 and job.settings.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)
    bench_driver.write_step(job, iterations=done)


def lies(job):
    """Prints its tool's error, and exits with 0."""
    say("\x1b[31mERROR\x1b[0m: ResourceExhaustedError: OOM when allocating tensor\n")
    say("goodbye\n" * 100)


def lines(job):
    say(job.settings["text"])
    if job.settings.get("code"):
        sys.exit(job.settings["code"])
    bench_driver.write_step(job)


def run(job):
    globals()[job.settings["mode"]](job)


if __name__ == "__main__":
    sys.exit(bench_driver.main(run, steps=bench_driver.STEPS))
