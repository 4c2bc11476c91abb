"""Wishes in the environment's STAND_IN, and what the stand-in writes down."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

WISH: dict[str, Any] = {
    "faceless": [],  # roles in which no face is found
    "blind": [],  # numbers of test frames without a face
    "crowd": [],  # numbers of frames with two faces
    "iteration_s": 0.001,
    "nan_at": None,
    "die_at": None,  # the whole process, as if by kill -9; an iteration of this process
    "die_saving": None,  # while it writes this network
    "interrupted_from": None,  # from this iteration on SIGINT comes until the process is gone
    "no_masks": False,
    "unaligned": [],  # faces of the conversion, by number, that cannot be aligned
    "small": [],  # numbers of test frames whose face has no room for a crop
    "no_memory": False,  # the network has none, in the conversion
    "error_converting": None,
    **json.loads(os.environ.get("STAND_IN", "{}")),
}


def note(kind: str, value: Any) -> None:
    """Leave a line for the test to read."""
    with open(os.environ["STAND_IN_ANSWERS"], "a", encoding="utf-8") as stream:  # noqa: PTH123
        stream.write(json.dumps([kind, value]) + "\n")


def asked_for(word: str) -> bool:
    """True when this process was started for ``word``: a program's name, or a role in a path."""
    return any(word in argument for argument in sys.orig_argv)
