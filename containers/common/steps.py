"""Work that is done once: a step killed halfway starts again, a finished one is used again.

Standard library only and Python 3.6 syntax: copied into old images.
"""

import hashlib
import json
import os
import shutil
from typing import Any, Callable, Dict, Mapping, Optional

from containers.common.bench_driver import emit, write_json

Facts = Dict[str, Any]
"""Facts of a step worth knowing afterwards; JSON."""


def key_of(files: Mapping[str, str], **settings: Any) -> str:
    """A hash of the content of ``files`` (names to paths) and of settings; raises OSError."""
    parts = {name: _file_hash(path) for name, path in files.items()}
    text = json.dumps({"files": parts, "settings": settings}, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def once(state: str, name: str, key: str, work: Callable[[str], Facts]) -> Facts:
    """The facts of a step whose results lie in ``state/name``; done now unless done before.

    ``work`` gets an empty folder, fills it and returns its facts; the folder gets its name when
    ``work`` returns, so what is there is whole. Results made with another key are thrown away.
    """
    folder, marker = os.path.join(state, name), _marker(state, name)
    facts = finished(state, name, key)
    if facts is not None and os.path.isdir(folder):
        emit("note", text="The step '%s' was done before and is used again." % name)
        return facts
    _forget(marker)
    partial = folder + ".partial"
    for leftover in (folder, partial):
        shutil.rmtree(leftover, ignore_errors=True)
    os.makedirs(partial)
    facts = work(partial)
    os.rename(partial, folder)
    finish(state, name, key, facts)
    return facts


def lasting(state: str, name: str, key: str) -> str:
    """A folder that is worked on over several attempts, such as a model in training.

    It is emptied when it was begun with another key.
    """
    folder, begun = os.path.join(state, name), name + ".begun"
    if finished(state, begun, key) is None:
        _forget(_marker(state, name))
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        finish(state, begun, key, {})
    return folder


def finished(state: str, name: str, key: str) -> Optional[Facts]:
    """The facts of a finished step; None when it was not finished with this key."""
    try:
        with open(_marker(state, name), encoding="utf-8") as stream:
            marker = json.load(stream)
    except (OSError, ValueError):
        return None
    if not isinstance(marker, dict) or marker.get("key") != key:
        return None
    facts = marker.get("facts")
    return facts if isinstance(facts, dict) else {}


def finish(state: str, name: str, key: str, facts: Facts) -> None:
    """Note that a step is done; raises OSError."""
    write_json(_marker(state, name), {"key": key, "facts": facts})


def _marker(state: str, name: str) -> str:
    return os.path.join(state, name + ".done.json")


def _forget(marker: str) -> None:
    if os.path.exists(marker):
        os.unlink(marker)


def _file_hash(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
