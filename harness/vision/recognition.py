"""dlib's models, and a safe way to import face_recognition, which otherwise ends the process with
status 0.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from types import ModuleType
from typing import Any

from harness.core.errors import StoreError, UnfitMachineError
from harness.core.paths import cache_dir
from harness.store.atomic import find_kept, keep

_MODELS = ("pkg_resources", "dlib", "face_recognition_models")
_REPAIR = {
    "pkg_resources": "pip install 'setuptools<81'",
    "dlib": "pip install dlib-bin",
    "face_recognition_models": "pip install face-recognition-models==0.3.0",
    # Its dependencies are here already, but for the dlib of its metadata, which would be compiled.
    "face_recognition": "pip install --no-deps face-recognition==1.3.0",
}


def load_face_recognition() -> Any:
    """The face_recognition module, which the reference path alone needs (decision 36).

    face_recognition calls ``quit()`` when its models (or the pkg_resources they need) cannot be
    imported, so everything it needs is imported first. It also unpacks every model it has, of
    which a use needs half: those come when they are used. Raises UnfitMachineError.
    """
    load_models()
    with _IMPORTING, _models_when_used():
        return _import("face_recognition")


def load_models() -> Any:
    """face_recognition_models: where the weights are, without loading any. Raises
    UnfitMachineError.
    """
    *_, models = (_import(name) for name in _MODELS)
    return models


@lru_cache
def embedding_network() -> Any:
    """dlib's embedding network, once per process; ``compute_face_descriptor`` of an aligned face
    (see ``Aligner``) is what face_recognition gives. Raises UnfitMachineError.
    """
    path = load_models().face_recognition_model_location()
    return _import("dlib").face_recognition_model_v1(path)


@lru_cache
def frontal_detector() -> Any:
    """dlib's frontal face detector, once per process, for face_recognition too.

    dlib carries it compressed and takes half a second to unpack it, so what came out is kept in the
    user's cache, from where it is read in milliseconds.
    """
    dlib = _import("dlib")
    stem, suffix = f"frontal-face-detector-{dlib.__version__}", ".svm"
    kept = find_kept(cache_dir(), stem, suffix)
    if kept is not None:
        return dlib.fhog_object_detector(str(kept))
    detector = dlib.get_frontal_face_detector()
    with suppress(OSError, RuntimeError, StoreError), TemporaryDirectory() as folder:
        saved = Path(folder, stem)
        detector.save(str(saved))
        keep(cache_dir(), stem, suffix, saved.read_bytes())
    return detector


_IMPORTING = Lock()


class _WhenUsed:
    """A landmark predictor that is loaded by its first call. The one of 68 points, which
    face_recognition uses by request only, is 100 MB and 0.7 s in every process.
    """

    def __init__(self, load: Callable[[str], Any], path: str) -> None:
        self._load = lru_cache(lambda: load(path))

    def __call__(self, *args: Any) -> Any:
        return self._load()(*args)


@contextmanager
def _models_when_used() -> Iterator[None]:
    dlib = _import("dlib")
    detector = frontal_detector()
    load, unpack = dlib.shape_predictor, dlib.get_frontal_face_detector
    dlib.shape_predictor = lambda path: _WhenUsed(load, path)  # type: ignore[attr-defined]
    dlib.get_frontal_face_detector = lambda: detector  # type: ignore[attr-defined]
    try:
        yield
    finally:
        dlib.shape_predictor = load  # type: ignore[attr-defined]
        dlib.get_frontal_face_detector = unpack  # type: ignore[attr-defined]


def _import(name: str) -> ModuleType:
    if importlib.util.find_spec(name) is None:
        raise UnfitMachineError(
            f"The Python package that provides '{name}' is not installed, so no face can be "
            "recognised.",
            hint=f"Run `{_REPAIR[name]}` in deid-bench's environment.",
        )
    try:
        with warnings.catch_warnings():
            # face_recognition_models 0.3.0, the last one, still needs pkg_resources.
            warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
            return importlib.import_module(name)
    except (ImportError, SystemExit) as error:
        raise UnfitMachineError(
            f"'{name}' is installed but cannot be imported ({error}), so no face can be "
            "recognised.",
            hint=f"Run `{_REPAIR[name]}` in deid-bench's environment.",
        ) from error
