"""The embeddings of another recogniser: a plug-in, or a user's own ONNX file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UnusableInputError
from harness.model.video import PhotoRef
from harness.observe.faces import FaceFinder, finder_version
from harness.observe.identity import locate_faces, read_photo
from harness.observe.observer import Chip, EmbeddingBatch, Row
from harness.observe.tracking import TrackedFrame, mesh_at, meshes_in
from harness.store.observations import ObservationKey, ObservationStore
from harness.store.records import VerifiedFile
from harness.vision.aligning import aligned, open_aligner
from harness.vision.boxes import box_of, main_face
from harness.vision.hog import Face
from harness.vision.recognisers.base import Alignment, Recogniser, RecogniserInfo

PREFIX = "recogniser-"
MEASURE_VERSION = 2
"""2: a user's file is used only with pixels by which it distinguishes faces; dlib's chip has the
size that the recogniser asks for."""
_KEY = b"recogniser"


def version_of(info: RecogniserInfo) -> str:
    """The recogniser's version and how it is measured, as in the observation's file name."""
    return f"{info.version}-{_measured_by()}"


def _measured_by() -> str:
    return f"{finder_version()}-m{MEASURE_VERSION}"


class RecogniserEmbeddings:
    """One row per frame: frame, embedding (null without a face). A face counts where it does for
    dlib's (see ``FaceFinder``), so that recognisers are compared on the same frames; where the
    alignment needs MediaPipe's points, the tracker must see it too.
    """

    def __init__(self, recogniser: Recogniser, finder: FaceFinder) -> None:
        self.name = f"{PREFIX}{recogniser.info.name}"
        self.version = version_of(recogniser.info)
        self._info, self._finder = recogniser.info, finder
        self._batch = EmbeddingBatch(recogniser.embed)

    def schema(self) -> Any:
        return _schema(self._info)

    def see(self, seen: TrackedFrame) -> Iterator[Row]:
        faces, chosen = self._finder.find(seen)
        chip = None
        if chosen is not None:
            face = faces[chosen]
            chip = cut(self._info, seen.rgb, face, mesh_at(seen.meshes, box_of(face)))
        yield from self._batch.add({"frame": seen.frame}, chip)

    def rest(self) -> Iterator[Row]:
        yield from self._batch.rest()


def cut(
    info: RecogniserInfo, rgb: NDArray[np.uint8], face: Face, mesh: NDArray[np.float64] | None
) -> Chip | None:
    """The face as a recogniser wants it (size x size x 3); None when the points that it needs are
    not known.
    """
    if info.alignment is Alignment.FIVE_POINTS:
        return None if mesh is None else aligned(rgb, mesh, info.chip_px)
    return open_aligner().chip(rgb, face, info.chip_px)


def observe_photo(photo: PhotoRef, recogniser: Recogniser, store: ObservationStore) -> None:
    """Store the embedding of the largest face in a photo, or that it has none.

    Raises UnusableInputError for a file that is not a picture.
    """
    info = recogniser.info
    key = ObservationKey(photo.sha256, f"{PREFIX}{info.name}", version_of(info))
    with store.locked(key):
        if store.read(key) is not None:
            return
        import pyarrow as pa

        content = VerifiedFile(photo.path, photo.sha256)
        vector = _photo_vector(read_photo(photo.path), recogniser, store)
        content.check()
        row = {"frame": 0, "embedding": vector}
        store.write(key, pa.Table.from_pylist([row], schema=_schema(info)))


def _photo_vector(
    rgb: NDArray[np.uint8], recogniser: Recogniser, store: ObservationStore
) -> NDArray[np.float32] | None:
    faces = locate_faces(rgb)
    largest = main_face([box_of(face) for face in faces], None)
    if largest is None:
        return None
    face = faces[largest]
    mesh = None
    if recogniser.info.alignment is Alignment.FIVE_POINTS:
        mesh = mesh_at(meshes_in(rgb, store.home), box_of(face))
    chip = cut(recogniser.info, rgb, face, mesh)
    return None if chip is None else recogniser.embed(chip[None])[0]


def stored_recognisers(sha256: str, store: ObservationStore) -> dict[str, ObservationKey]:
    """File name to every recogniser's observation of a video or photo, as it is measured today:
    numbers of an older way of measuring are not shown alongside it.
    """
    return store.found(sha256, PREFIX, f"-{_measured_by()}")


def stored_for_all(
    contents: Sequence[str], store: ObservationStore
) -> dict[str, tuple[ObservationKey, ...]]:
    """The observations of every recogniser that has measured all of these contents, by file name;
    one for each content, in their order."""
    stored = [stored_recognisers(sha256, store) for sha256 in contents]
    names = sorted(set[str].intersection(*(set(keys) for keys in stored)))
    return {name: tuple(keys[name] for keys in stored) for name in names}


def read_recognised(key: ObservationKey, store: ObservationStore) -> tuple[RecogniserInfo, Any]:
    """The recogniser's description of itself, and the rows (a DataFrame). Raises UnusableInputError
    for a damaged file (it has been set aside), StoreError.
    """
    table = store.read(key)
    if table is None:
        raise UnusableInputError(
            f"{store.path(key)} is damaged; it was set aside.",
            hint="Run the same command again with --recogniser: it is measured again.",
        )
    return RecogniserInfo.model_validate_json(table.schema.metadata[_KEY]), table.to_pandas()


def _schema(info: RecogniserInfo) -> Any:
    import pyarrow as pa

    columns = [("frame", pa.int64()), ("embedding", pa.list_(pa.float32()))]
    return pa.schema(columns, metadata={_KEY: info.model_dump_json().encode()})
