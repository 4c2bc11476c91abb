"""The reference path: embeddings of chosen frames by the real face_recognition package (dlib); and
the faces of photos, the same numbers without the package.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UnusableInputError
from harness.core.interpreters import ended_by_itself, importing_safely
from harness.core.threads import default_jobs
from harness.datasets.photo_files import FORMATS
from harness.model.identity import RECOGNISER, IdentityPath
from harness.model.observed import FACE_BOX
from harness.model.video import PhotoRef, VideoRef
from harness.observe import faces as fast
from harness.observe.video import observe_attributes, observe_faces
from harness.store.observations import ObservationKey, ObservationStore
from harness.store.records import VerifiedFile
from harness.vision.aligning import open_aligner
from harness.vision.boxes import Box, box_of, main_face
from harness.vision.colour import bgr_to_rgb
from harness.vision.hog import open_hog
from harness.vision.recognition import embedding_network, load_face_recognition

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


def observe_recognised_faces(
    video: VideoRef,
    frames: Sequence[int],
    identity: IdentityPath,
    store: ObservationStore,
    listen: Listen | None = None,
) -> pd.DataFrame:
    """Rows of recognised faces, one per frame, ascending: frame, faces, top, right, bottom, left
    (pixels; -1 without a face) and embedding (128 numbers, or None without a face).

    The fast path has a row for EVERY frame of the video, the reference path for those of
    ``frames`` that the video has: take the rows of sampled frames where a number is to be the same
    sample for both. Both follow the same main face, and both store what they measured under the
    video's content hash, so that a second call only reads. Raises UnusableInputError, StoreError,
    UnfitMachineError.
    """
    if identity is IdentityPath.FAST:
        return observe_faces(video, store, listen)
    return observe_identity(video, frames, store, listen)


def recognised_faces_version(identity: IdentityPath) -> tuple[str, str]:
    """Name and version of the observation that ``observe_recognised_faces`` reads."""
    if identity is IdentityPath.FAST:
        return fast.OBSERVER, fast.fast_version()
    return OBSERVER, VERSION


def observe_identity(
    video: VideoRef,
    frames: Sequence[int],
    store: ObservationStore,
    listen: Listen | None = None,
) -> pd.DataFrame:
    """Rows for exactly the ``frames`` asked (ascending, those that the video has): frame, faces,
    top, right, bottom, left (pixels; -1 without a face) and embedding (128 numbers or None).

    The choice among several faces depends on the video and the frame alone, never on which other
    frames were asked: the face nearest to the landmark tracker's main face in that frame, else the
    largest. Frames measured before are read from the store; new ones are added to it. Raises
    UnusableInputError, StoreError, UnfitMachineError.
    """
    key = ObservationKey(video.sha256, OBSERVER, VERSION)
    asked = sorted(set(frames))
    with store.locked(key):
        rows = _stored(key, store)
        missing = [frame for frame in asked if frame not in rows]
        done = len(asked) - len(missing)
        if missing:
            content = VerifiedFile(video.path, video.sha256)
            tracker = _MainFace(video, store)
            fresh = 0
            try:
                for frame, detected in _detect_all(video.path, missing):
                    rows[frame] = _row(frame, detected, tracker)
                    fresh += 1
                    if listen is not None:
                        listen(done + fresh, len(asked))
                    if fresh % _SAVE_EVERY == 0:
                        content.check()
                        store.write(key, _table(rows))
            finally:
                # Also when interrupted: what was measured need not be measured again.
                if fresh:
                    content.check()
                    store.write(key, _table(rows))
    result: pd.DataFrame = _table({f: rows[f] for f in asked if f in rows}).to_pandas()
    return result


def photo_face(photo: PhotoRef, store: ObservationStore) -> NDArray[np.float64] | None:
    """``embed_photo`` of a photo with this content, measured once. Raises as it does, and
    StoreError.
    """
    import pyarrow as pa

    key = ObservationKey(photo.sha256, PHOTO_OBSERVER, VERSION)
    with store.locked(key):
        table = store.read(key)
        if table is None:
            content = VerifiedFile(photo.path, photo.sha256)
            embedding = embed_photo(photo.path)
            content.check()
            row = {"embedding": None if embedding is None else embedding.tolist()}
            schema = pa.schema([("embedding", pa.list_(pa.float64()))])
            table = pa.Table.from_pylist([row], schema=schema)
            store.write(key, table)
    (vector,) = table.column("embedding").to_pylist()
    return None if vector is None else np.array(vector, np.float64)


def embed_photo(path: Path) -> NDArray[np.float64] | None:
    """The 128-number embedding of the largest face in a photo, or None when it has no face.

    Raises UnusableInputError for a file that is not a picture.
    """
    photo = read_photo(path)
    faces = locate_faces(photo)
    chosen = main_face([box_of(face) for face in faces], None)
    if chosen is None:
        return None
    chip = open_aligner().chip(photo, faces[chosen])
    return np.array(embedding_network().compute_face_descriptor(chip))


def read_photo(path: Path) -> NDArray[np.uint8]:
    """A picture, height x width x 3, RGB. Raises UnusableInputError for a file that is none."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=FORMATS) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise UnusableInputError(
            f"The photo {path} cannot be read: {error}.", hint="Use a whole PNG or JPEG file."
        ) from error


def find_faces(rgb: NDArray[np.uint8]) -> Found:
    """All faces of one picture (height x width x 3, RGB) and their embeddings, same order, by the
    face_recognition package. Raises UnfitMachineError without it.
    """
    package = load_face_recognition()
    faces: list[Face] = package.face_locations(rgb, number_of_times_to_upsample=1, model="hog")
    return faces, package.face_encodings(rgb, known_face_locations=faces)


def locate_faces(rgb: NDArray[np.uint8]) -> list[Face]:
    """All faces of one picture, as ``find_faces`` gives them, without its package."""
    return [found.face for found in open_hog().whole(rgb)]


class _MainFace:
    """Chooses which of several faces counts; asks the landmark tracker only for several."""

    def __init__(self, video: VideoRef, store: ObservationStore) -> None:
        self._video, self._store = video, store
        self._boxes: dict[int, Box] | None = None

    def choose(self, frame: int, faces: Sequence[Face]) -> int | None:
        near = self._near(frame) if len(faces) > 1 else None
        return main_face([box_of(face) for face in faces], near)

    def _near(self, frame: int) -> Box | None:
        if self._boxes is None:
            table = observe_attributes(self._video, self._store)
            seen = table[table["faces"] > 0]
            columns = seen[list(FACE_BOX)].to_numpy(float)
            self._boxes = {
                int(number): (float(b[0]), float(b[1]), float(b[2]), float(b[3]))
                for number, b in zip(seen["frame"], columns, strict=True)
            }
        return self._boxes.get(frame)


def _row(frame: int, detected: Found, tracker: _MainFace) -> dict[str, Any]:
    faces, embeddings = detected
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


def _stored(key: ObservationKey, store: ObservationStore) -> dict[int, dict[str, Any]]:
    table = store.read(key)
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
        started: set[BaseProcess] = set()
        try:
            waiting: deque[tuple[int, Future[Found]]] = deque()
            for frame, rgb in pictures:
                with importing_safely():
                    waiting.append((frame, pool.submit(find_faces, rgb)))
                started |= set(active_children())
                # Bounded, so that a long video is never in memory as a whole.
                if len(waiting) >= 2 * workers:
                    number, future = waiting.popleft()
                    yield number, future.result()
            for number, future in waiting:
                yield number, future.result()
        except BrokenProcessPool as error:
            raise ended_by_itself("A process that looks for faces", _end_of(started)) from error


def _end_of(processes: set[BaseProcess]) -> int | None:
    """Exit code of the process that broke a pool; the pool itself then ends the others."""
    codes = {process.exitcode for process in processes} - {None, 0, -signal.SIGTERM}
    return min((code for code in codes if code is not None), default=None)


def _start_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when the parent was killed: nothing else would."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
