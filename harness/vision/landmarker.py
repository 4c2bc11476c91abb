"""MediaPipe's FaceLandmarker: 478 landmarks, 52 blendshapes and a head matrix per face."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.vision.colour import bgr_to_rgb

_PLOTTING = ("matplotlib", "matplotlib.pyplot")
_import_lock = threading.Lock()


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
    _keep_from_calling_home()
    with _import_lock:
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


def _keep_from_calling_home() -> None:
    """Give the C library's environment a proxy that no client can speak to.

    MediaPipe reports its use to its makers and has no switch for it. Its HTTP client asks the C
    library for a proxy and gives up before it resolves a name; Python's own environment, and so
    every download of this process, stays as it is.
    """
    library = ctypes.CDLL(None)
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"):
        library.setenv(name.encode(), b"none://none", 1)
    for name in ("no_proxy", "NO_PROXY"):
        library.unsetenv(name.encode())


class Landmarker:
    """Finds faces in BGR frames (HxWx3 uint8). Made by ``open_landmarker``."""

    def __init__(self, detector: Any, *, tracking: bool) -> None:
        self._detector = detector
        self._tracking = tracking
        self._last_ms = -1
        self._first = True

    def find(self, picture: NDArray[np.uint8], at_ms: int = 0) -> Any:
        """MediaPipe's FaceLandmarkerResult; ``at_ms`` matters only when tracking."""
        return self.find_rgb(bgr_to_rgb(picture), at_ms)

    def find_rgb(self, rgb: NDArray[np.uint8], at_ms: int = 0) -> Any:
        """``find`` for a picture whose colours are in that order already."""
        if self._first:
            self._first = False
            with silent_stderr():
                return self._find(rgb, at_ms)
        return self._find(rgb, at_ms)

    def _find(self, rgb: NDArray[np.uint8], at_ms: int) -> Any:
        mediapipe = load_mediapipe()
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)
        if not self._tracking:
            return self._detector.detect(image)
        # MediaPipe refuses a time that does not grow, and above 1000 frames/s it would not.
        self._last_ms = max(at_ms, self._last_ms + 1)
        return self._detector.detect_for_video(image, self._last_ms)


@contextmanager
def open_landmarker(model: Path, *, faces: int, tracking: bool) -> Iterator[Landmarker]:
    """A landmarker for up to ``faces`` faces; ``tracking`` follows them through one video."""
    load_mediapipe()
    from mediapipe.tasks.python import BaseOptions, vision

    mode = vision.RunningMode.VIDEO if tracking else vision.RunningMode.IMAGE
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model)),
        running_mode=mode,
        num_faces=faces,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    with silent_stderr():
        detector = vision.FaceLandmarker.create_from_options(options)
    try:
        yield Landmarker(detector, tracking=tracking)
    finally:
        detector.close()


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Send file descriptor 2 nowhere: MediaPipe's C++ writes there whatever its log level is."""
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
