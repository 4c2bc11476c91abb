"""A model's weight files, saved as one: a kill leaves the save before or the new one, whole.

Upstream's saves lack the iteration they belong to, so a training that goes on would start its
schedule again; here it lies alongside the weights. Standard library only and Python 3.6 syntax.
"""

import json
import os
import shutil
from typing import Callable, NamedTuple, Optional

from containers.common.bench_driver import write_json

NETWORKS = ("encoder", "decoder_A", "decoder_B", "netDA", "netDB")
"""Upstream's names; each is an attribute of the model and a file with the ending .h5."""

_FACTS = "saved.json"
_NEW, _CURRENT, _OLD = "new.partial", "current", "old"


class Save(NamedTuple):
    """A whole save."""

    folder: str
    iterations: int
    swapped: bool
    """True when the decoders had changed sides by then; see schedule.Phase."""


def weights(folder: str, network: str) -> str:
    """The file of one network."""
    return os.path.join(folder, network + ".h5")


def write(root: str, iterations: int, swapped: bool, network: Callable[[str, str], None]) -> Save:
    """Save below ``root``; ``network`` gets a network's name and the path to write it to."""
    new, current, old = (os.path.join(root, name) for name in (_NEW, _CURRENT, _OLD))
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(new)
    for name in NETWORKS:
        network(name, weights(new, name))
    write_json(os.path.join(new, _FACTS), {"iterations": iterations, "swapped": swapped})
    shutil.rmtree(old, ignore_errors=True)
    if os.path.isdir(current):
        os.rename(current, old)
    os.rename(new, current)
    shutil.rmtree(old, ignore_errors=True)
    return Save(current, iterations, swapped)


def newest(root: str) -> Optional[Save]:
    """The last whole save below ``root``; None when there is none."""
    for name in (_CURRENT, _OLD):
        folder = os.path.join(root, name)
        try:
            with open(os.path.join(folder, _FACTS), encoding="utf-8") as stream:
                facts = json.load(stream)
            found = Save(folder, int(facts["iterations"]), bool(facts["swapped"]))
        except (OSError, ValueError, KeyError):
            continue
        if all(os.path.isfile(weights(folder, one)) for one in NETWORKS):
            return found
    return None
