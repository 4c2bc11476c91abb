"""The reference path: embeddings of chosen frames by the real face_recognition package (dlib)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UnfitMachineError, UnusableInputError
from harness.core.threads import default_jobs
from harness.observe.video import observe_attributes
from harness.store.observations import locked, observation_path, read_table, write_table
from harness.vision.boxes import Box, main_face
from harness.vision.colour import bgr_to_rgb
from harness.vision.recognition import RECOGNISER, load_face_recognition

if TYPE_CHECKING:
    import pandas as pd

OBSERVER = "face_recognition"
PHOTO_OBSERVER = "face_recognition-photo"
VERSION = f"{RECOGNISER.removeprefix('face_recognition-')}-hog-u1-m1"
"""HOG detector, upsampled once, one jitter, choice of the main face version 1."""
_SAVE_EVERY = 250
_POOL_FROM = 80
"""Below this many frames starting a process costs more than it saves."""

Face = tuple[int, int, int, int]
"""top, right, bottom, left in pixels."""
Found = tuple[list[Face], list[NDArray[np.float64]]]
Listen = Callable[[int, int], None]


def observe_identity(
    media: Path, sha256: str, frames: Sequence[int], home: Path, listen: Listen | None = None
) -> pd.DataFrame:
    """Rows for exactly the ``frames`` asked (ascending, those that the video has): frame, faces,
    top, right, bottom, left (pixels; -1 without a face) and embedding (128 numbers or None).

    The choice among several faces depends on the video and the frame alone, never on which other
    frames were asked: the face nearest to the landmark tracker's main face in that frame, else the
    largest. Frames measured before are read from the store; new ones are added to it. Raises
    UnusableInputError, StoreError, UnfitMachineError.
    """
    path = observation_path(home, sha256, OBSERVER, VERSION)
    asked = sorted(set(frames))
    with locked(path):
        rows = _stored(path)
        missing = [frame for frame in asked if frame not in rows]
        done = len(asked) - len(missing)
        if missing:
            tracker = _MainFace(media, sha256, home)
            fresh = 0
            try:
                for frame, found in _detect_all(media, missing):
                    rows[frame] = _row(frame, found, tracker)
                    fresh += 1
                    if listen is not None:
                        listen(done + fresh, len(asked))
                    if fresh % _SAVE_EVERY == 0:
                        write_table(path, _table(rows))
            finally:
                # Also when interrupted: what was measured need not be measured again.
                if fresh:
                    write_table(path, _table(rows))
    result: pd.DataFrame = _table({f: rows[f] for f in asked if f in rows}).to_pandas()
    return result


def photo_face(path: Path, sha256: str, home: Path) -> NDArray[np.float64] | None:
    """``embed_photo`` of a photo with this content, measured once. Raises as it does, and
    StoreError.
    """
    import pyarrow as pa

    stored = observation_path(home, sha256, PHOTO_OBSERVER, VERSION)
    with locked(stored):
        table = read_table(stored)
        if table is None:
            found = embed_photo(path)
            row = {"embedding": None if found is None else found.tolist()}
            schema = pa.schema([("embedding", pa.list_(pa.float64()))])
            table = pa.Table.from_pylist([row], schema=schema)
            write_table(stored, table)
    (vector,) = table.column("embedding").to_pylist()
    return None if vector is None else np.array(vector, np.float64)


def embed_photo(path: Path) -> NDArray[np.float64] | None:
    """The 128-number embedding of the largest face in a photo, or None when it has no face.

    Raises UnusableInputError for a file that is not a picture.
    """
    faces, embeddings = find_faces(read_photo(path))
    chosen = main_face([_box(face) for face in faces], None)
    return None if chosen is None else embeddings[chosen]


def read_photo(path: Path) -> NDArray[np.uint8]:
    """A picture, height x width x 3, RGB. Raises UnusableInputError for a file that is none."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise UnusableInputError(
            f"The photo {path} cannot be read: {error}.", hint="Use a whole PNG or JPEG file."
        ) from error


def find_faces(rgb: NDArray[np.uint8]) -> Found:
    """All faces of one picture (height x width x 3, RGB) and their embeddings, same order."""
    faces = locate_faces(rgb)
    return faces, load_face_recognition().face_encodings(rgb, known_face_locations=faces)


def locate_faces(rgb: NDArray[np.uint8]) -> list[Face]:
    """All faces of one picture, as ``find_faces`` gives them; their embeddings take longer."""
    faces: list[Face] = load_face_recognition().face_locations(
        rgb, number_of_times_to_upsample=1, model="hog"
    )
    return faces


class _MainFace:
    """Chooses which of several faces counts; asks the landmark tracker only for several."""

    def __init__(self, media: Path, sha256: str, home: Path) -> None:
        self._source = (media, sha256, home)
        self._boxes: dict[int, Box] | None = None

    def choose(self, frame: int, faces: Sequence[Face]) -> int | None:
        near = self._near(frame) if len(faces) > 1 else None
        return main_face([_box(face) for face in faces], near)

    def _near(self, frame: int) -> Box | None:
        if self._boxes is None:
            table = observe_attributes(*self._source)
            seen = table[table["faces"] > 0]
            columns = seen[["box_x0", "box_y0", "box_x1", "box_y1"]].to_numpy(float)
            self._boxes = {
                int(number): (float(b[0]), float(b[1]), float(b[2]), float(b[3]))
                for number, b in zip(seen["frame"], columns, strict=True)
            }
        return self._boxes.get(frame)


def _box(face: Face) -> Box:
    top, right, bottom, left = face
    return (left, top, right, bottom)


def _row(frame: int, found: Found, tracker: _MainFace) -> dict[str, Any]:
    faces, embeddings = found
    chosen = tracker.choose(frame, faces)
    box = (-1, -1, -1, -1) if chosen is None else faces[chosen]
    return {
        "frame": frame,
        "faces": len(faces),
        **dict(zip(("top", "right", "bottom", "left"), box, strict=True)),
        "embedding": None if chosen is None else [float(x) for x in embeddings[chosen]],
    }


def _table(rows: dict[int, dict[str, Any]]) -> Any:
    import pyarrow as pa

    whole = ("frame", "faces", "top", "right", "bottom", "left")
    schema = pa.schema(
        [*((name, pa.int64()) for name in whole), ("embedding", pa.list_(pa.float64()))]
    )
    return pa.Table.from_pylist([rows[frame] for frame in sorted(rows)], schema=schema)


def _stored(path: Path) -> dict[int, dict[str, Any]]:
    table = read_table(path)
    return {} if table is None else {row["frame"]: row for row in table.to_pylist()}


def _detect_all(media: Path, frames: Sequence[int]) -> Iterator[tuple[int, Found]]:
    """Faces of the frames, in order; over two processes when there are many."""
    from harness.media.frames import read_frames_at

    load_face_recognition()
    pictures = ((frame, bgr_to_rgb(picture)) for frame, picture in read_frames_at(media, frames))
    workers = min(4, default_jobs())
    if len(frames) < _POOL_FROM or workers < 2:
        for frame, rgb in pictures:
            yield frame, find_faces(rgb)
        return
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start_worker, initargs=(os.getpid(),)
    ) as pool:
        waiting: deque[tuple[int, Future[Found]]] = deque()
        for frame, rgb in pictures:
            waiting.append((frame, pool.submit(find_faces, rgb)))
            # Bounded, so that a long video is never in memory as a whole.
            if len(waiting) >= 2 * workers:
                yield _taken(*waiting.popleft())
        while waiting:
            yield _taken(*waiting.popleft())


def _taken(frame: int, future: Future[Found]) -> tuple[int, Found]:
    try:
        return frame, future.result()
    except BrokenProcessPool as error:
        raise UnfitMachineError(
            "A process that looks for faces ended unexpectedly, most likely for lack of memory.",
            hint="Free some memory and run the same command again: it goes on where it stopped.",
        ) from error


def _start_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when the parent was killed: nothing else would."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
