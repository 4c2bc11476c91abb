"""Frames and faces for a site: as they are, or pixelated until no face is found in them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import BenchError
from harness.media.frames import read_frames_at
from harness.model.cell import CellSpec
from harness.observe.identity import locate_faces
from harness.store.cells import CellStore
from harness.store.media import MediaStore
from harness.vision.colour import bgr_to_rgb
from reports.collect import kept_previews, wanted_frames
from reports.evidence import PREFIX, Rung, Wanted, jpeg_bytes, read_picture
from reports.model import ReportCell
from reports.site.model import Faces, FramePair, Gallery, Picture
from reports.training import training_pictures

FRAME_PX = 640
FACE_PX = 240
"""Largest widths."""
BLOCKS = 6
"""Blocks across a pixelated region. It is 1.8 faces wide, so a face has three or four: fewer than
the strongest pixelation that a recogniser still gets something out of."""
MARGIN = 0.4
"""Of a face's size, on each side of it."""
HIDDEN_NOTE = "A picture in which a face could still be found after pixelating was left out."
PREVIEWS_NOTE = "Previews of the training are left out: they are sheets of many faces."

Frame = NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""top, right, bottom, left in pixels."""


def take_pictures(home: Path, cell: ReportCell, faces: Faces) -> Gallery:
    """The evidence frames and previews of a scored cell; a note says what is missing and why."""
    spec, score = cell.spec, cell.score
    if faces is Faces.NONE or score is None:
        return Gallery()
    store = CellStore(home)
    wanted = wanted_frames(spec, score)
    numbers = sorted({one.frame for one in wanted})
    try:
        before = dict(read_frames_at(MediaStore(home).path(spec.actor.test), numbers))
        after = dict(read_frames_at(store.swapped_path(spec), numbers))
    except BenchError as error:
        return Gallery(note=str(error))
    both = [one for one in wanted if one.frame in before and one.frame in after]
    pairs = [_pair(spec, one, before[one.frame], after[one.frame], faces) for one in both]
    notes = [] if len(both) == len(wanted) else ["Some frames are not in both videos."]
    notes += [HIDDEN_NOTE] if None in pairs else []
    previews = kept_previews(store, spec)
    if previews and faces is Faces.PIXELATED:
        notes.append(PREVIEWS_NOTE)
    trained = training_pictures(store.folder(spec), previews, _rung(FRAME_PX // 3))
    return Gallery(
        pairs=tuple(pair for pair in pairs if pair is not None),
        note=" ".join(notes),
        previews=tuple(
            (
                one.iteration,
                _from_uri(f"frames/{spec.slug}/training-{one.iteration}.jpg", one.picture),
            )
            for one in (trained if faces is Faces.FULL else ())
        ),
    )


def reference_pictures(home: Path, specs: Sequence[CellSpec], faces: Faces) -> dict[str, Picture]:
    """Reference faces of actors and donors, by the sha256 of the stored file."""
    media = MediaStore(home)
    found: dict[str, Picture] = {}
    for spec in specs:
        for ref in (spec.actor.reference, *([spec.donor.reference] if spec.donor else [])):
            path = media.find(ref)
            image = None if path is None else read_picture(path)
            if ref.sha256 in found or image is None:
                continue
            small = _shrunk(image, FACE_PX)
            data = _encoded(small, FACE_PX)
            if faces is Faces.PIXELATED:
                [data] = hidden_together([small], FACE_PX) or [b""]
            if data:
                place = f"faces/{ref.sha256[:16]}.jpg"
                found[ref.sha256] = Picture(path=place, data=data)
    return found


def _pair(
    spec: CellSpec, one: Wanted, before: Frame, after: Frame, faces: Faces
) -> FramePair | None:
    small = [_shrunk(frame, FRAME_PX) for frame in (before, after)]
    if faces is Faces.PIXELATED:
        data = hidden_together(small, FRAME_PX)
    else:
        data = [_encoded(frame, FRAME_PX) for frame in small]
    if data is None:
        return None
    base = f"frames/{spec.slug}/{one.kind}"
    return FramePair(
        kind=one.kind,
        frame=one.frame,
        distance_l2=one.distance_l2,
        time_s=one.time_s,
        original=Picture(path=f"{base}-original.jpg", data=data[0]),
        swapped=Picture(path=f"{base}-swapped.jpg", data=data[1]),
    )


def hidden_together(frames: Sequence[Frame], width_px: int) -> list[bytes] | None:
    """The frames as JPEG files without a face: what is a face in one of them is pixelated in all.

    A frame in which a face is found all the same, and frames of which none shows a face that the
    detector knows, are pixelated as a whole. None when even that leaves a face.
    """
    boxes = [box for frame in frames for box in locate_faces(bgr_to_rgb(frame))]
    files = []
    for frame in frames:
        whole = (0, frame.shape[1], frame.shape[0], 0)
        tries = [pixelated(frame, boxes)] if boxes else []
        tries.append(pixelated(frame, [*boxes, whole]))
        clean = (data for data in (_encoded(one, width_px) for one in tries) if not _shows(data))
        data = next(clean, None)
        if data is None:
            return None
        files.append(data)
    return files


def pixelated(frame: Frame, boxes: Sequence[Box]) -> Frame:
    """A BGR picture whose boxes, each with a margin, are a few blocks of their mean colours."""
    import cv2

    out = frame.copy()
    height, width = frame.shape[:2]
    for top, right, bottom, left in boxes:
        down, across = round(MARGIN * (bottom - top)), round(MARGIN * (right - left))
        y0, y1 = max(0, top - down), min(height, bottom + down)
        x0, x1 = max(0, left - across), min(width, right + across)
        if y1 <= y0 or x1 <= x0:
            continue
        block = max(1.0, (right - left + 2 * across) / BLOCKS)
        coarse = (max(1, round((x1 - x0) / block)), max(1, round((y1 - y0) / block)))
        few = cv2.resize(out[y0:y1, x0:x1], coarse, interpolation=cv2.INTER_AREA)
        out[y0:y1, x0:x1] = cv2.resize(few, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    return out


def _shows(data: bytes) -> bool:
    """Whether the recogniser finds a face in a JPEG file."""
    import cv2

    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return bool(locate_faces(bgr_to_rgb(np.asarray(image, dtype=np.uint8))))


def _shrunk(frame: Frame, width_px: int) -> Frame:
    import cv2

    if frame.shape[1] <= width_px:
        return frame
    height = max(1, round(frame.shape[0] * width_px / frame.shape[1]))
    small = cv2.resize(frame, (width_px, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def _rung(width_px: int) -> Rung:
    rung = Rung(images=1)
    rung.width_px = width_px
    return rung


def _encoded(frame: Frame, width_px: int) -> bytes:
    return jpeg_bytes(frame, _rung(width_px))


def _from_uri(path: str, uri: str) -> Picture:
    return Picture(path=path, data=base64.b64decode(uri.removeprefix(PREFIX)))
