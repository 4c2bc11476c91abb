"""The parent of a driver: starts it, and outlives it only to see that nothing of it is left.

Run as ``python launch.py CONTROL_FD REPORT_FD LOCK_FD COMMAND...`` with the standard library alone.

Bench holds the other end of the control pipe. ``T`` on it asks the tree to end, ``K`` kills it,
and the end of the pipe kills it too: the kernel closes a pipe however bench ends, kill -9
included, which no handler in bench could promise. As a subreaper this process inherits every
orphan of the tree, so none escapes by being daemonised. At the end one JSON object
``{"exit", "cpu_s", "peak_memory_bytes"}`` goes to REPORT_FD. LOCK_FD is only
kept open: the file is locked until this process ends.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Inherit orphans (Linux); elsewhere only the process group is under control."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def parents() -> dict[int, int]:
    """Parent of every living process; zombies are left out."""
    parents = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:  # noqa: PTH208, PTH112
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as stream:  # noqa: PTH123
            # The command's name may hold spaces and brackets; the fields follow its last bracket.
            state, parent = stream.read().rsplit(b")", 1)[1].split()[:2]
            if state != b"Z":
                parents[int(name)] = int(parent)
    return parents


def descendants() -> set[int]:
    """Living processes below this one."""
    tree = parents()
    family = {os.getpid()}
    grown = True
    while grown:
        more = {pid for pid, parent in tree.items() if parent in family} | family
        grown = len(more) > len(family)
        family = more
    return family - {os.getpid()}


def signal_tree(group: int, number: int) -> None:
    """Send a signal to the driver's group and to whatever left that group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
    for pid in descendants():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def kill_tree(group: int) -> None:
    """Kill until nothing is left; a tree that forks while it is killed needs several rounds."""
    for _ in range(200):
        signal_tree(group, signal.SIGKILL)
        if not descendants():
            return
        time.sleep(0.01)


def obey(control: int, group: int) -> None:
    """Carry out bench's orders until the pipe ends."""
    while order := os.read(control, 1):
        if order == b"T":
            signal_tree(group, signal.SIGTERM)
        elif order == b"K":
            kill_tree(group)
    kill_tree(group)


def reap(driver: int, group: int) -> int:
    """Wait for the driver, then end and reap its leftovers; returns its exit code or -signal."""
    while True:
        pid, status = os.wait()
        if pid == driver:
            break
    kill_tree(group)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    return os.waitstatus_to_exitcode(status)


def main(arguments: list[str]) -> int:
    control, report, lock = (int(argument) for argument in arguments[:3])
    command = arguments[3:]
    for descriptor in (control, report, lock):
        os.set_inheritable(descriptor, False)
    become_subreaper()
    driver = os.posix_spawn(command[0], command, os.environ, setpgroup=0)
    threading.Thread(target=obey, args=(control, driver), daemon=True).start()
    code = reap(driver, driver)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024
    end = {
        "exit": code,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_memory_bytes": used.ru_maxrss * unit,
    }
    with contextlib.suppress(BrokenPipeError):
        os.write(report, json.dumps(end).encode())
    return 0


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Not SIG_IGN, which the driver would inherit.
        signal.signal(number, lambda *_: None)
    sys.exit(main(sys.argv[1:]))
