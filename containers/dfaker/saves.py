"""DFaker's three weight files, replaced together: a kill leaves all old ones or all new ones.

Upstream writes one after the other in place. Here each goes alongside; when all are written,
a list of them is, and then they are renamed. A list that is there is carried out at the next start.

Standard library only and Python 3.6 syntax.
"""

import json
import os
from typing import List, Optional

from containers.common.bench_driver import write_json

FILES = ("encoder.h5", "decoder_A.h5", "decoder_B.h5")
_NEW = ".new"
_LIST = "replacing.json"
_SAVED = "saved.json"


def beside(path: str) -> str:
    """Path a file is written to before it takes its place."""
    return path + _NEW


def commit(folder: str, iterations: int) -> None:
    """Let the new files, all written, take their places as the model of so many iterations."""
    write_json(os.path.join(folder, _LIST), {"iterations": iterations})
    _carry_out(folder)


def recover(folder: str) -> Optional[int]:
    """Bring the folder in order after a kill; the saved model's iterations, None without one."""
    if os.path.exists(os.path.join(folder, _LIST)):
        _carry_out(folder)
    for name in os.listdir(folder):
        if name.endswith(_NEW):
            os.unlink(os.path.join(folder, name))
    if not all(os.path.isfile(os.path.join(folder, name)) for name in FILES):
        return None
    try:
        with open(os.path.join(folder, _SAVED), encoding="utf-8") as stream:
            return int(json.load(stream)["iterations"])
    except (OSError, ValueError, KeyError):
        return None


def discard(folder: str) -> None:
    """Remove a model that is not whole, so that a training starts at nothing."""
    names: List[str] = [*FILES, _SAVED]
    for name in names:
        if os.path.exists(os.path.join(folder, name)):
            os.unlink(os.path.join(folder, name))


def _carry_out(folder: str) -> None:
    listed = os.path.join(folder, _LIST)
    with open(listed, encoding="utf-8") as stream:
        iterations = int(json.load(stream)["iterations"])
    for name in FILES:
        path = os.path.join(folder, name)
        if os.path.exists(beside(path)):
            os.replace(beside(path), path)
    write_json(os.path.join(folder, _SAVED), {"iterations": iterations})
    os.unlink(listed)
