"""Runs DFaker's align_images_masked.py with today's face_alignment.

    python -m containers.dfaker.align_launcher SOURCE gpu|cpu [the script's own arguments]

The script calls face_alignment as it was before 1.0, and puts dlib's HOG detector in the place of
its CNN. This gives it a module of that shape: HOG with one upsampling, then FAN.
"""

import os
import runpy
import sys
import types
from importlib import import_module
from typing import Any, List, Optional


def old_shape(real: Any, detect: Any, device: str) -> types.ModuleType:
    """A module with the names that the script imports, made of today's ``face_alignment``.

    ``detect`` is dlib's detector, ``device`` as torch calls it.
    """

    class FaceAlignment:
        """Takes what the script gives; whether to use CUDA is decided here."""

        def __init__(self, kind: Any, enable_cuda: bool = True, flip_input: bool = False) -> None:
            # The detector 'folder' loads nothing: the boxes are given.
            self._fan = real.FaceAlignment(
                kind, device=device, flip_input=flip_input, face_detector="folder"
            )

        def get_landmarks(self, image: Any) -> Optional[List[Any]]:
            """68 points for each face in an image; None when there is none."""
            boxes = [[one.left(), one.top(), one.right(), one.bottom()] for one in detect(image, 1)]
            if not boxes:
                return None
            found: List[Any] = self._fan.get_landmarks_from_image(image, detected_faces=boxes)
            return found

    module = types.ModuleType("face_alignment")
    vars(module).update(FaceAlignment=FaceAlignment, LandmarksType=real.LandmarksType)
    return module


def main() -> None:
    """Put the old shape in place, and run the script."""
    source, device = sys.argv[1:3]
    real, dlib = import_module("face_alignment"), import_module("dlib")
    # The package looks its detectors up by its own name, which is another module from here on.
    import_module("face_alignment.detection.folder")
    module = old_shape(real, dlib.get_frontal_face_detector(), "cuda" if device == "gpu" else "cpu")
    module.__path__ = real.__path__
    sys.modules["face_alignment"] = module
    script = os.path.join(source, "align_images_masked.py")
    sys.path.insert(0, source)
    sys.argv = [script, *sys.argv[3:]]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
