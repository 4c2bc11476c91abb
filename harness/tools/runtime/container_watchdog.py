"""Sees that a container is removed however bench ends.

Run as ``python container_watchdog.py CONTROL_FD SOCKET NAME`` with the standard library alone.

Bench holds the other end of the control pipe. The pipe's end means that the container must go:
the kernel closes it however bench ends, kill -9 included. ``C`` on it says that the engine is being
asked to make the container, ``M`` and its id that it is made: from then on that one is removed, as
the name may soon be another bench's, when the store was deleted meanwhile. Other open files that
this process inherits are locks: they are held until the container is gone. Exits with 0 once it is,
with 1 when the engine did not answer for a minute.
"""

import contextlib
import http.client
import os
import signal
import socket
import sys
import time
from urllib.parse import quote

PATIENCE_S = 60.0
UNBORN_S = 5.0
POLL_S = 0.1
CALL_S = 60.0
GONE = 404
REMOVED = 204


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=CALL_S)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path: str, method: str, url: str) -> int:
    """The HTTP status of the answer; 0 when there is none."""
    connection = Connection(path)
    try:
        connection.request(method, url)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
    return answer.status


def remove(path: str, name: str, unborn: bool) -> bool:
    """Kill and remove the container with its volumes; True once it is gone.

    ``unborn``: the engine may still be making it, so that its absence proves nothing at first.
    """
    there = f"/containers/{quote(name)}"
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_S:
        # Podman would first give it ten seconds to end by itself.
        ask(path, "POST", f"{there}/kill?signal=KILL")
        status = ask(path, "DELETE", f"{there}?force=1&v=1")
        waited_s = time.monotonic() - began
        if status == REMOVED or (status == GONE and (not unborn or waited_s > UNBORN_S)):
            return True
        time.sleep(POLL_S)
    return False


def wait_for_end(control: int) -> tuple[str, bool]:
    """Read the pipe to its end; returns the container's id, if it has one, and whether it may be
    half-made.
    """
    orders = b""
    while order := os.read(control, 256):
        orders += order
    return orders.partition(b"M")[2].decode(), orders == b"C"


def main(arguments: list[str]) -> int:
    control, path, name = int(arguments[0]), arguments[1], arguments[2]
    made, unborn = wait_for_end(control)
    return 0 if remove(path, made or name, unborn) else 1


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with contextlib.suppress(ValueError):
            signal.signal(number, signal.SIG_IGN)
    sys.exit(main(sys.argv[1:]))
