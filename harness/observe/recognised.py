"""The embeddings of another recogniser: a plug-in, or a user's own ONNX file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import UnusableInputError
from harness.observe.faces import FaceFinder, box_of
from harness.observe.identity import find_faces, read_photo
from harness.observe.observer import Row
from harness.observe.store import locked, observation_path, read_table, write_table
from harness.observe.tracking import Seen, mesh_at, meshes_in
from harness.recognisers.base import Alignment, Recogniser, RecogniserInfo
from harness.vision.aligning import aligned
from harness.vision.chips import Aligner, open_aligner
from harness.vision.hog import Face

PREFIX = "recogniser-"
MEASURE_VERSION = 1
_KEY = b"recogniser"
_BATCH = 16


def version_of(info: RecogniserInfo) -> str:
    """As in the observation's file name."""
    return f"{info.version}-m{MEASURE_VERSION}"


class RecogniserEmbeddings:
    """One row per frame: frame, embedding (null without a face). A face counts where it does for
    dlib's (see ``FaceFinder``), so that recognisers are compared on the same frames; where the
    alignment needs MediaPipe's points, the tracker must see it too.
    """

    def __init__(self, recogniser: Recogniser, finder: FaceFinder) -> None:
        self.name = f"{PREFIX}{recogniser.info.name}"
        self.version = version_of(recogniser.info)
        self._recogniser, self._finder = recogniser, finder
        self._cutter = _Cutter(recogniser.info)
        self._rows: list[dict[str, Any]] = []
        self._chips: list[NDArray[np.uint8]] = []

    def schema(self) -> Any:
        return _schema(self._recogniser.info)

    def see(self, seen: Seen) -> Iterator[Row]:
        faces, chosen = self._finder.find(seen)
        chip = None
        if chosen is not None:
            chip = self._cutter.cut(
                seen.rgb, faces[chosen], mesh_at(seen.meshes, box_of(faces[chosen]))
            )
        row = {"frame": seen.frame, "embedding": None if chip is None else len(self._chips)}
        self._rows.append(row)
        if chip is not None:
            self._chips.append(chip)
        if len(self._rows) >= _BATCH:
            yield from self.rest()

    def rest(self) -> Iterator[Row]:
        rows, chips = self._rows, self._chips
        self._rows, self._chips = [], []
        if chips:
            found = self._recogniser.embed(np.stack(chips))
            for row in rows:
                if row["embedding"] is not None:
                    row["embedding"] = found[row["embedding"]]
        yield from rows


class _Cutter:
    """Cuts faces out as a recogniser wants them."""

    def __init__(self, info: RecogniserInfo) -> None:
        self._info = info
        self._aligner: Aligner | None = None

    def cut(
        self, rgb: NDArray[np.uint8], face: Face, mesh: NDArray[np.float64] | None
    ) -> NDArray[np.uint8] | None:
        """size x size x 3; None when the points that it needs are not known."""
        if self._info.alignment is Alignment.FIVE_POINTS:
            return None if mesh is None else aligned(rgb, mesh, self._info.chip_px)
        self._aligner = self._aligner or open_aligner()
        return self._aligner.chip(rgb, face)


def observe_photo(photo: Path, sha256: str, recogniser: Recogniser, home: Path) -> None:
    """Store the embedding of the largest face in a photo, or that it has none.

    Raises UnusableInputError for a file that is not a picture.
    """
    info = recogniser.info
    path = observation_path(home, sha256, f"{PREFIX}{info.name}", version_of(info))
    with locked(path):
        if read_table(path) is not None:
            return
        import pyarrow as pa

        vector = _photo_vector(read_photo(photo), recogniser, home)
        row = {"frame": 0, "embedding": vector}
        write_table(path, pa.Table.from_pylist([row], schema=_schema(info)))


def _photo_vector(
    rgb: NDArray[np.uint8], recogniser: Recogniser, home: Path
) -> NDArray[np.float32] | None:
    faces, _ = find_faces(rgb)
    if not faces:
        return None
    face = max(faces, key=lambda one: (one[2] - one[0]) * (one[1] - one[3]))
    mesh = None
    if recogniser.info.alignment is Alignment.FIVE_POINTS:
        mesh = mesh_at(meshes_in(rgb, home), box_of(face))
    chip = _Cutter(recogniser.info).cut(rgb, face, mesh)
    return None if chip is None else recogniser.embed(chip[None])[0]


def stored_recognisers(sha256: str, home: Path) -> dict[str, Path]:
    """File name to file of every recogniser's observation of a video or photo."""
    folder = observation_path(home, sha256, "", "").parent
    return {path.name: path for path in sorted(folder.glob(f"{PREFIX}*.parquet"))}


def read_recognised(path: Path) -> tuple[RecogniserInfo, Any]:
    """What the recogniser says of itself, and the rows (a DataFrame). Raises UnusableInputError for
    a damaged file (it has been set aside), StoreError.
    """
    table = read_table(path)
    if table is None:
        raise UnusableInputError(
            f"{path} is damaged; it was set aside.",
            hint="Run the same command again with --recogniser: it is measured again.",
        )
    return RecogniserInfo.model_validate_json(table.schema.metadata[_KEY]), table.to_pandas()


def _schema(info: RecogniserInfo) -> Any:
    import pyarrow as pa

    columns = [("frame", pa.int64()), ("embedding", pa.list_(pa.float32()))]
    return pa.schema(columns, metadata={_KEY: info.model_dump_json().encode()})
