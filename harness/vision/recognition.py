"""A safe way to import face_recognition, which otherwise ends the process with status 0."""

from __future__ import annotations

import importlib.util
import warnings
from types import ModuleType
from typing import Any

from harness.errors import UnfitMachineError

RECOGNISER = "face_recognition-1.3.0"
_MODELS = ("pkg_resources", "dlib", "face_recognition_models")
_REPAIR = "pip install 'setuptools<81' face-recognition-models==0.3.0 face-recognition==1.3.0"


def load_face_recognition() -> Any:
    """The face_recognition module.

    face_recognition calls ``quit()`` when its models (or the pkg_resources they need) cannot be
    imported, so everything it needs is imported first. Raises UnfitMachineError.
    """
    load_models()
    return _import("face_recognition")


def load_models() -> Any:
    """face_recognition_models: where the weights are, without loading any. Raises
    UnfitMachineError.
    """
    *_, models = (_import(name) for name in _MODELS)
    return models


def _import(name: str) -> ModuleType:
    if importlib.util.find_spec(name) is None:
        raise UnfitMachineError(
            f"The Python package that provides '{name}' is not installed, so no face can be "
            "recognised.",
            hint=f"Run `{_REPAIR}`.",
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
            hint=f"Run `{_REPAIR}`.",
        ) from error
