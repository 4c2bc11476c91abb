"""One spelling for every value, so that equal things have equal hashes."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, no spaces and no NaN, as UTF-8.

    Raises ValueError for NaN or infinity, which have no JSON spelling.
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def file_state(path: Path) -> tuple[int, ...]:
    """State of a file that a write changes: with its path, a key for what was read from it."""
    now = path.stat()
    return now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hex digits; reads in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def known_sha256(path: Path) -> str:
    """``file_sha256``, computed once for each state of the file in this process."""
    return _known_sha256(path, *file_state(path))


@lru_cache(maxsize=4096)
def _known_sha256(path: Path, *_state: int) -> str:
    return file_sha256(path)
