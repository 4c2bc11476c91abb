"""Scoring a finished cell: observe its videos, compare, and store the result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from harness.canonical import content_hash, file_sha256
from harness.errors import StoreError, UnusableInputError, UsageError
from harness.model.base import SCHEMA_VERSION, Frozen
from harness.model.cell import CellSpec
from harness.model.score import Alignment, Attributes, CellScore, Comparison, Identity
from harness.observe import attributes as blendshapes
from harness.observe import identity as embeddings
from harness.observe import openface, thumbnails
from harness.observe.store import set_aside, store_sentences, write_table
from harness.scoring.action_units import MAPPING_VERSION, UNITS, action_units
from harness.scoring.alignment import Mask, align
from harness.scoring.attributes import (
    BLENDSHAPE_SCALE,
    OPENFACE_SCALE,
    score_attributes,
    unpaired,
)
from harness.scoring.frames import sample_frames
from harness.scoring.identity import (
    References,
    choose_references,
    embeddings_of,
    evidence,
    frame_distances,
    summarise,
)
from harness.scoring.protocol import Protocol
from harness.vision.recognition import RECOGNISER

if TYPE_CHECKING:
    import pandas as pd

    from harness.model.dataset import MediaRef, VideoInfo

SCORING_VERSION = 1
"""Raised whenever the same observations would give another score."""

Listen = Callable[[str, int, int], None]
"""Progress: what is being measured, frames done, frames in all."""


class _Video(Frozen):
    """One of the two videos of a cell."""

    label: str
    path: Path
    sha256: str


def score_cell(
    spec: CellSpec, home: Path, protocol: Protocol, listen: Listen | None = None
) -> CellScore:
    """The score of a finished cell; computed again only when what it depends on has changed.

    A swapped video without any face is a score (nothing could be compared), not an error. Raises
    UsageError for a cell without a result, UnusableInputError for a video that cannot be read or a
    reference without a face, StoreError when the store fails.
    """
    from harness.store.media import MediaStore

    media = MediaStore(home)
    original = _Video(
        label="original", path=media.path(spec.actor.test), sha256=spec.actor.test.sha256
    )
    swapped = _swapped(spec, home)
    inputs = _inputs(spec, original, swapped, protocol, home)
    known = load_score(spec, home, protocol.name)
    if known is not None and known.inputs == inputs and frames_path(spec, home, protocol).exists():
        return known
    score, table = _compute(spec, home, protocol, (original, swapped), listen)
    result = CellScore(cell_id=spec.id, protocol=protocol.name, inputs=inputs, **score)
    _store(result, table, spec, home, protocol)
    return result


def score_path(spec: CellSpec, home: Path, protocol_name: str) -> Path:
    """Where the score's JSON is."""
    return home / "scores" / spec.id / f"{protocol_name}.json"


def frames_path(spec: CellSpec, home: Path, protocol: Protocol) -> Path:
    """Where the per-frame values are, beside the score."""
    return home / "scores" / spec.id / f"{protocol.name}-frames.parquet"


def load_score(spec: CellSpec, home: Path, protocol_name: str) -> CellScore | None:
    """The stored score, or None when there is none. A damaged file is set aside and counts as
    none. Raises StoreError for a score of a newer schema version.
    """
    path = score_path(spec, home, protocol_name)
    if not path.exists():
        return None
    with store_sentences(path):
        data = path.read_bytes()
    try:
        content: Any = json.loads(data)
        version = int(content["schema_version"])
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{path} was written by a newer version (schema {version}; this one reads up to "
                f"{SCHEMA_VERSION}).",
                hint="Upgrade deid-bench, or set BENCH_HOME to another folder.",
            )
        return CellScore.model_validate_json(data)
    except (ValueError, KeyError, TypeError, ValidationError):
        set_aside(path)
        return None


def _swapped(spec: CellSpec, home: Path) -> _Video:
    from harness.store.cells import CellStore

    store = CellStore(home)
    result = store.result(spec)
    if result is None:
        raise UsageError(
            f"The cell {spec.slug} has no result, so there is nothing to score.",
            hint=f"See why with `bench logs {spec.id[:12]}`, or run it again.",
        )
    return _Video(label="swapped", path=store.swapped_path(spec), sha256=result.swapped.sha256)


def _inputs(
    spec: CellSpec, original: _Video, swapped: _Video, protocol: Protocol, home: Path
) -> dict[str, str]:
    """All that the score depends on, as hashes and versions."""
    inputs = {
        "original": original.sha256,
        "swapped": swapped.sha256,
        "reference": spec.actor.reference.sha256,
        "protocol": content_hash(protocol.model_dump(mode="json")),
        embeddings.OBSERVER: embeddings.VERSION,
        blendshapes.OBSERVER: f"{blendshapes.attributes_version()}+map{MAPPING_VERSION}",
        thumbnails.OBSERVER: thumbnails.VERSION,
        "scoring": str(SCORING_VERSION),
    }
    if spec.donor is not None:
        inputs["donor"] = spec.donor.reference.sha256
    for video in (original, swapped):
        csv = openface.openface_path(home, video.sha256)
        if csv.exists():
            with store_sentences(csv):
                inputs[f"openface_{video.label}"] = file_sha256(csv)
    return inputs


def _compute(
    spec: CellSpec,
    home: Path,
    protocol: Protocol,
    videos: tuple[_Video, _Video],
    listen: Listen | None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The parts of a CellScore, and the per-frame table."""
    from harness.media.probe import probe

    original, swapped = videos
    infos = (spec.actor.test.info or probe(original.path), probe(swapped.path))
    units = [_observe_units(video, home, listen) for video in videos]
    alignment = _alignment(videos, infos, units[0], home)
    frames = sample_frames(infos[0].frames, protocol.frames, protocol.seed)
    seen = [
        embeddings.observe_identity(
            video.path,
            video.sha256,
            [frame for frame in frames if frame < info.frames],
            home,
            _stage(listen, f"faces of the {video.label} video"),
        )
        for video, info in zip(videos, infos, strict=True)
    ]
    references = _references(spec, home, seen[1])
    table = frame_distances(frames, seen[0], seen[1], references)
    identity = _identity(table, references, protocol, infos[0].frames)
    parts = {
        "alignment": alignment,
        "identity": identity,
        "attributes": (
            _blendshape_scores(units, alignment),
            *_openface_scores(videos, alignment, home),
        ),
    }
    return parts, table


def _observe_units(video: _Video, home: Path, listen: Listen | None) -> pd.DataFrame:
    return blendshapes.observe_attributes(
        video.path, video.sha256, home, _stage(listen, f"expression in the {video.label} video")
    )


def _stage(listen: Listen | None, name: str) -> Callable[[int, int], None] | None:
    if listen is None:
        return None
    return lambda done, total: listen(name, done, total)


def _alignment(
    videos: tuple[_Video, _Video],
    infos: tuple[VideoInfo, VideoInfo],
    faces: pd.DataFrame,
    home: Path,
) -> Alignment:
    original, swapped = (
        thumbnails.observe_thumbnails(video.path, video.sha256, home) for video in videos
    )
    return align(*infos, (original, swapped), outside_faces(faces, infos[0]))


def outside_faces(observed: pd.DataFrame, info: VideoInfo) -> Mask:
    """Thumbnail pixels that the main face never touches, with half a face's size around it."""
    mask = np.ones((thumbnails.HEIGHT, thumbnails.WIDTH), dtype=bool)
    seen = observed[observed["faces"] > 0]
    if seen.empty:
        return mask
    x0, y0, x1, y1 = (seen[f"box_{side}"].to_numpy(float) for side in ("x0", "y0", "x1", "y1"))
    width, height = (x1 - x0) / 2, (y1 - y0) / 2
    across, down = thumbnails.WIDTH / info.width, thumbnails.HEIGHT / info.height
    left, right = int((x0 - width).min() * across), int(np.ceil((x1 + width).max() * across))
    top, bottom = int((y0 - height).min() * down), int(np.ceil((y1 + height).max() * down))
    mask[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = False
    return mask


def _references(spec: CellSpec, home: Path, swapped: pd.DataFrame) -> References:
    original = _embed(spec.actor.reference, home)
    if original is None:
        raise UnusableInputError(
            f"No face was found in the reference photo of actor {spec.actor.number} "
            f"({spec.actor.reference_note}).",
            hint="Name another reference photo for this actor in the dataset.",
        )
    donor = _embed(spec.donor.reference, home) if spec.donor is not None else None
    return choose_references(original, donor, embeddings_of(swapped))


def _embed(photo: MediaRef, home: Path) -> Any:
    from harness.store.media import MediaStore

    return embeddings.embed_photo(MediaStore(home).path(photo))


def _identity(
    table: pd.DataFrame, references: References, protocol: Protocol, frames: int
) -> Identity:
    leak = table[np.isfinite(table[Comparison.SWAPPED_ORIGINAL.value].to_numpy(float))]
    return Identity(
        recogniser=RECOGNISER,
        threshold=protocol.threshold,
        comparisons=summarise(table, protocol.threshold, references.excluded),
        swapped_reading=references.reading,
        evidence=evidence(
            {
                int(frame): float(value)
                for frame, value in zip(leak["frame"], leak["sw_or"], strict=True)
            }
        ),
        seed=protocol.seed,
        frames=frames,
    )


def _blendshape_scores(units: list[pd.DataFrame], alignment: Alignment) -> Attributes:
    names = [source.unit for source in UNITS]
    frames = alignment.frames_original
    if not alignment.aligned:
        return unpaired(blendshapes.OBSERVER, BLENDSHAPE_SCALE, frames, names, alignment.reason)
    original, swapped = (action_units(table) for table in units)
    return score_attributes(blendshapes.OBSERVER, BLENDSHAPE_SCALE, frames, original, swapped)


def _openface_scores(
    videos: tuple[_Video, _Video], alignment: Alignment, home: Path
) -> tuple[Attributes, ...]:
    """One entry when the user brought OpenFace files of both videos, none otherwise."""
    paths = [openface.openface_path(home, video.sha256) for video in videos]
    if not all(path.exists() for path in paths):
        return ()
    frames = alignment.frames_original
    if not alignment.aligned:
        reason = alignment.reason
        names = openface.INTENSITIES
        return (unpaired(openface.OBSERVER, OPENFACE_SCALE, frames, names, reason),)
    original, swapped = (openface.read_openface(path) for path in paths)
    return (score_attributes(openface.OBSERVER, OPENFACE_SCALE, frames, original, swapped),)


def _store(
    score: CellScore, table: pd.DataFrame, spec: CellSpec, home: Path, protocol: Protocol
) -> None:
    """The frames first: a score is there only when everything of it is."""
    import pyarrow as pa

    from harness.store.atomic import write_json

    write_table(
        frames_path(spec, home, protocol), pa.Table.from_pandas(table, preserve_index=False)
    )
    path = score_path(spec, home, protocol.name)
    with store_sentences(path):
        write_json(path, score)
