"""Puts a tool's weights into its image at build time: ``python3 fetch_weights.py version.json``.

``version.json`` lies in every build's context and lists the weights of versions.yaml: url, sha256
and path. Each file is downloaded, compared with its recorded checksum and only then given its name.
Standard library only and Python 3.6 syntax: old images run this.
"""

import hashlib
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any, Callable, Dict, List, Optional, Sequence

TRIES = 5
FIRST_PAUSE_S = 2.0
SILENCE_S = 60.0
CHUNK_BYTES = 1 << 20
FINAL_ANSWERS = (400, 401, 403, 404, 405, 410)
"""HTTP answers that asking again does not change."""


class FetchError(Exception):
    """An unavailable file; the message says which, why, and what to do."""


def fetch_all(weights: Sequence[Dict[str, Any]], pause_s: float = FIRST_PAUSE_S) -> None:
    """Fetch each of ``weights`` (url, sha256, path) unless it is there; raises FetchError."""
    for item in weights:
        url, wanted, path = item["url"], item["sha256"], item["path"]
        if os.path.isfile(path) and checksum(path) == wanted:
            print("%s is there already." % path)
            continue
        fetch(url, wanted, path, pause_s)
        print("%s: %d bytes, checksum as recorded." % (path, os.path.getsize(path)))


def fetch(url: str, wanted: str, path: str, pause_s: float = FIRST_PAUSE_S) -> None:
    """Download ``url`` to ``path``, again when the connection fails, each time waiting longer.

    Raises FetchError when the server refuses, when ``TRIES`` downloads failed, or when the content
    is not the recorded one: a changed file is not asked for again.
    """
    partial = path + ".partial"
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    try:
        _retry(lambda: _download(url, partial), url, pause_s)
        found = checksum(partial)
        if found != wanted:
            raise FetchError(
                "%s has SHA-256 %s, but %s is recorded: the file was changed there or on the way. "
                "Compare both with its publisher before you change versions.yaml."
                % (url, found, wanted)
            )
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.unlink(partial)


def checksum(path: str) -> str:
    """SHA-256 of a file, as 64 hex digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _retry(attempt: Callable[[], None], url: str, pause_s: float) -> None:
    for number in range(1, TRIES + 1):
        try:
            attempt()
            return
        except urllib.error.HTTPError as error:
            if error.code in FINAL_ANSWERS:
                raise FetchError(
                    "%s is unavailable: the server answered %d %s. Look for another copy with the "
                    "recorded checksum and name it in versions.yaml." % (url, error.code, error.msg)
                ) from error
            reason = "the server answered %d %s" % (error.code, error.msg)
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
        if number < TRIES:
            print("%s: %s; trying again in %.0f s." % (url, reason, pause_s), file=sys.stderr)
            time.sleep(pause_s)
            pause_s *= 2
    raise FetchError(
        "%s could not be downloaded in %d tries: %s. Check the network, and the proxy and "
        "certificates of the machine that builds." % (url, TRIES, reason)
    )


def _download(url: str, path: str) -> None:
    """One try; raises OSError when the connection ends before the announced length."""
    with urllib.request.urlopen(url, timeout=SILENCE_S) as answer, open(path, "wb") as stream:
        announced = answer.headers.get("Content-Length")
        got = 0
        for chunk in iter(lambda: answer.read(CHUNK_BYTES), b""):
            stream.write(chunk)
            got += len(chunk)
    if announced is not None and got != int(announced):
        raise OSError("only %d of %s bytes came" % (got, announced))


def main(argv: Optional[List[str]] = None) -> int:
    """Fetch what the file named by the only argument lists; returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1:
        print("usage: fetch_weights.py version.json", file=sys.stderr)
        return 2
    with open(arguments[0], encoding="utf-8") as stream:
        weights = json.load(stream)["weights"]
    try:
        fetch_all(weights)
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
