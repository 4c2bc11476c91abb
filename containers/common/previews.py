"""Training previews, kept at intervals: the loss says little about a swap.

Standard library only and Python 3.6 syntax: copied into old images.
"""

import os
import shutil
from typing import List

from containers.common import frames

_FOLDER = "previews"


class Previews:
    """Pictures named by iteration, in ``state`` for good and in ``out`` for the report.

    Those of earlier attempts are put into ``out`` at once. ``every`` is in iterations; 0 keeps
    none.
    """

    def __init__(self, state: str, out: str, every: int) -> None:
        self._kept = os.path.join(state, _FOLDER)
        self._out = os.path.join(out, _FOLDER)
        self._every = every
        for name in self.names():
            _publish(os.path.join(self._kept, name), os.path.join(self._out, name))

    def names(self) -> List[str]:
        """The file names kept so far, in order."""
        if not os.path.isdir(self._kept):
            return []
        return sorted(one for one in os.listdir(self._kept) if one.endswith(".jpg"))

    def wants(self, iteration: int) -> bool:
        """True when the picture of this iteration is due, given those kept before."""
        if self._every <= 0:
            return False
        names = self.names()
        last = int(names[-1][:8]) if names else None
        return last is None or iteration >= last + self._every

    def keep(self, picture: str, iteration: int) -> bool:
        """Keep a JPEG or PNG file if it is due; false when not, or when it cannot be read."""
        if not self.wants(iteration) or not os.path.isfile(picture):
            return False
        name = "%08d.jpg" % iteration
        kept = os.path.join(self._kept, name)
        if picture.lower().endswith((".jpg", ".jpeg")):
            _publish(picture, kept)
        elif not frames.to_jpeg(picture, kept):
            return False
        _publish(kept, os.path.join(self._out, name))
        return True


def _publish(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    partial = target + ".partial"
    shutil.copyfile(source, partial)
    os.replace(partial, target)
