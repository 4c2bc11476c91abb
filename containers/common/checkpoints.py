"""Copies of a model between its saves, so that a kill in the middle of a save loses no training.

Standard library only and Python 3.6 syntax: copied into old images.
"""

import json
import os
import shutil
import time
from typing import Any, Callable, Dict, List, Optional

from containers.common.bench_driver import emit, write_json

_MANIFEST = "checkpoint.json"
Accepts = Callable[[str], bool]


class Checkpoints:
    """Keeps the last whole copy of ``model`` (a folder) in ``kept`` (another, on the same disk).

    ``accepts`` gets a path relative to ``model`` and says whether it belongs to the model, so that
    histories and summaries are not copied. ``every_s`` spares the disk of tools that save often.
    """

    def __init__(
        self, model: str, kept: str, accepts: Accepts = lambda name: True, every_s: float = 0.0
    ) -> None:
        self._model, self._kept = model, kept
        self._accepts, self._every_s = accepts, every_s
        self._last_s = float("-inf")

    def keep(self, iteration: int, **facts: Any) -> bool:
        """Copy the model just after a save; false when it was too soon or the model changed.

        A model that changes while it is copied is being saved again: the copy is dropped.
        """
        if time.monotonic() - self._last_s < self._every_s:
            return False
        before = self._files(self._model)
        if not before:
            return False
        partial = os.path.join(self._kept, "new.partial")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            for name in before:
                target = os.path.join(partial, name)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy2(os.path.join(self._model, name), target)
        except FileNotFoundError:
            return False
        if self._files(self._model) != before:
            return False
        manifest = {"iteration": iteration, "facts": facts, "files": before}
        write_json(os.path.join(partial, _MANIFEST), manifest)
        self._swap_in(partial)
        self._last_s = time.monotonic()
        return True

    def restore(self) -> Optional[Dict[str, Any]]:
        """Make the model what was last kept, unless it is that already; what ``keep`` was given.

        To be called before a training starts. Files that were written after the copy come from a
        save that nobody saw end, so they are not trusted. Without a copy the model is emptied of
        its files and the answer is None.
        """
        kept = self._newest()
        if kept is None:
            for name in self._files(self._model):
                os.unlink(os.path.join(self._model, name))
            return None
        with open(os.path.join(kept, _MANIFEST), encoding="utf-8") as stream:
            manifest: Dict[str, Any] = json.load(stream)
        if self._files(self._model) != manifest["files"]:
            self._copy_back(kept, manifest["files"])
            emit(
                "note",
                text="The model was put back to its last whole save, at %d iterations."
                % manifest["iteration"],
            )
        return manifest

    def _copy_back(self, kept: str, files: Dict[str, List[int]]) -> None:
        for name in self._files(self._model):
            if name not in files:
                os.unlink(os.path.join(self._model, name))
        for name in files:
            target = os.path.join(self._model, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(os.path.join(kept, name), target + ".partial")
            os.replace(target + ".partial", target)

    def _swap_in(self, partial: str) -> None:
        current, old = os.path.join(self._kept, "current"), os.path.join(self._kept, "old")
        shutil.rmtree(old, ignore_errors=True)
        if os.path.isdir(current):
            os.rename(current, old)
        os.rename(partial, current)
        shutil.rmtree(old, ignore_errors=True)

    def _newest(self) -> Optional[str]:
        for name in ("current", "old"):
            folder = os.path.join(self._kept, name)
            if os.path.isfile(os.path.join(folder, _MANIFEST)):
                return folder
        return None

    def _files(self, folder: str) -> Dict[str, List[int]]:
        """Size and modification time (ns) of the model's files by relative path."""
        found = {}
        for place, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(place, name)
                relative = os.path.relpath(path, folder)
                if self._accepts(relative):
                    facts = os.stat(path)
                    found[relative] = [facts.st_size, facts.st_mtime_ns]
        return found
