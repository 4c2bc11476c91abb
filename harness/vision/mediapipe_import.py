"""MediaPipe without its drawing helpers, which bring matplotlib and half a second with them."""

from __future__ import annotations

import os
import sys
import threading
from functools import lru_cache
from types import ModuleType
from typing import Any

_PLOTTING = ("matplotlib", "matplotlib.pyplot")
_lock = threading.Lock()


@lru_cache
def load_mediapipe() -> Any:
    """The mediapipe module, its tasks and its vision tasks imported.

    Its package imports ``drawing_utils`` unasked, and that one matplotlib, which nothing here draws
    with. Every driver and worker pays for it, so it gets an empty module instead, unless matplotlib
    is there already. Whoever imports matplotlib later gets the real one; who does so in another
    thread at this very moment does not.
    """
    # Its C++ writes warnings that mean nothing here.
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _lock:
        empty = {name: ModuleType(name) for name in _PLOTTING if name not in sys.modules}
        sys.modules.update(empty)
        try:
            import mediapipe
            from mediapipe.tasks.python import vision  # noqa: F401
        finally:
            for name, module in empty.items():
                if sys.modules.get(name) is module:
                    del sys.modules[name]
    return mediapipe
