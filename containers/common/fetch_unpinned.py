"""Puts a file into an image whose publisher names no checksum, and says which file it was.

    python3 fetch_unpinned.py PATH RECORD --bytes LOW HIGH [--begins HEX] [--sha256 TEXT] URL ...

The addresses are tried in order. What came must have a length within the bounds and begin with the
bytes of HEX: a page that says "not found" is no model. Its SHA-256 is printed and added to RECORD
(lines as of sha256sum); with ``--sha256`` it must be that. Without, the line is also added to
``unverified.sha256`` alongside RECORD: the image's label then names the file as a trusted one.
Standard library only and Python 3.6 syntax: runs in old images.
"""

import argparse
import hashlib
import os
import sys
import urllib.request
from typing import List, Optional, Sequence, Tuple

CHUNK_BYTES = 1 << 20
UNVERIFIED = "unverified.sha256"


class FetchError(Exception):
    """The file is unavailable, or is not what was expected; one sentence."""


def fetch(urls: Sequence[str], path: str, bounds: Tuple[int, int], begins: bytes) -> None:
    """Download the first of ``urls`` that gives such a file; raises FetchError with all reasons."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    partial, reasons = path + ".partial", []
    for url in urls:
        try:
            _download(url, partial)
            _check(partial, bounds, begins)
        except (OSError, FetchError) as error:
            reasons.append("%s: %s" % (url, error))
            continue
        os.chmod(partial, 0o644)
        os.replace(partial, path)
        return
    if os.path.exists(partial):
        os.unlink(partial)
    raise FetchError("%s is unavailable. %s" % (os.path.basename(path), "; ".join(reasons)))


def _download(url: str, path: str) -> None:
    with urllib.request.urlopen(url, timeout=300) as answer, open(path, "wb") as stream:
        for chunk in iter(lambda: answer.read(CHUNK_BYTES), b""):
            stream.write(chunk)


def _check(path: str, bounds: Tuple[int, int], begins: bytes) -> None:
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        head = stream.read(len(begins))
    if not bounds[0] <= size <= bounds[1] or head != begins:
        raise FetchError("what came has %d bytes and begins with %r" % (size, head))


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
            digest.update(chunk)
    return digest.hexdigest()


def main(argv: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("path", "record"):
        parser.add_argument(name)
    parser.add_argument("--bytes", nargs=2, type=int, required=True, metavar=("LOW", "HIGH"))
    parser.add_argument("--begins", default="")
    parser.add_argument("--sha256", default="")
    parser.add_argument("urls", nargs="+")
    asked = parser.parse_args(argv)
    low, high = asked.bytes
    try:
        fetch(asked.urls, asked.path, (low, high), bytes.fromhex(asked.begins))
        found = _sha256(asked.path)
        if asked.sha256 and asked.sha256 != found:
            os.unlink(asked.path)
            raise FetchError("%s has SHA-256 %s, not %s." % (asked.path, found, asked.sha256))
    except FetchError as error:
        sys.stderr.write("%s\n" % error)
        return 1
    line = "%s  %s\n" % (found, asked.path)
    sys.stdout.write(line)
    folder = os.path.dirname(os.path.abspath(asked.record))
    os.makedirs(folder, exist_ok=True)
    records = [asked.record] if asked.sha256 else [asked.record, os.path.join(folder, UNVERIFIED)]
    for path in records:
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
