"""Scoring a finished cell: observe its videos, compare, and store the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.core.base import Frozen
from harness.core.errors import UnusableInputError, UsageError
from harness.core.hashing import content_hash, file_sha256
from harness.model.cell import CellSpec
from harness.model.identity import IdentityPath
from harness.model.protocol import Protocol
from harness.model.score import CellScore, Comparison, Distances, Identity
from harness.observe import attributes as blendshapes
from harness.observe import landmarks, openface, pair, thumbnails
from harness.observe.identity import photo_face
from harness.observe.info import video_info
from harness.observe.reencoding import known_reencoding, recipe, reencoding
from harness.observe.sighting import Listen, Photo, Sighting, measure, stage
from harness.observe.video import Observed, observe_video
from harness.scoring.action_units import MAPPING_VERSION
from harness.scoring.alignment import Mask, align
from harness.scoring.attributes import Length
from harness.scoring.faces import identity_rows, observer_of, recogniser_of, sampled_of
from harness.scoring.identity import (
    References,
    SwappedFace,
    choose_face,
    donor_face,
    embeddings_of,
    evidence,
    frame_distances,
    medoid_face,
    summarise,
    swapped_identity,
)
from harness.scoring.leaks import distances_to, leak_profile
from harness.scoring.pixels import Seen, observed_quality
from harness.scoring.recognisers import Hashes, recogniser_inputs, recogniser_scores
from harness.scoring.sources import Watched, blendshape_scores, openface_scores
from harness.scoring.utility import utility
from harness.store.observations import locked, store_sentences, write_table
from harness.store.score_files import load_stored

if TYPE_CHECKING:
    import pandas as pd

    from harness.model.dataset import MediaRef
    from harness.model.video import VideoInfo

SCORING_VERSION = 9
"""Raised whenever the same observations would give another score."""


class _Sample(NamedTuple):
    """The sampled frame numbers, the observed faces of both videos there, and the embedding of
    the actor's reference face.
    """

    frames: tuple[int, ...]
    original: pd.DataFrame
    swapped: pd.DataFrame
    reference: tuple[float, ...]


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
    videos = _videos(spec, home)
    inputs = _inputs(spec, *videos, protocol, home)
    # Of two commands at once only one computes, and neither sees half of what is stored.
    with locked(score_path(spec, home, protocol.name)):
        known = _known(spec, home, protocol, inputs)
        if known is not None:
            return known
        score, table = _compute(spec, home, protocol, videos, listen)
        result = CellScore(cell_id=spec.id, protocol=protocol.name, inputs=inputs, **score)
        _store(result, table, spec, home, protocol)
    return result


def stored_score(spec: CellSpec, home: Path, protocol: Protocol) -> CellScore | None:
    """The stored score of a finished cell, when it would come out the same again; else None.

    Raises UsageError for a cell without a result, StoreError when the store fails.
    """
    return _known(spec, home, protocol, _inputs(spec, *_videos(spec, home), protocol, home))


def sightings(spec: CellSpec, home: Path, protocol: Protocol) -> tuple[Sighting, ...]:
    """Measurements needed for the cell's score: the original video, its re-encoding and, of a
    finished cell, the swapped video. Raises StoreError, and UnusableInputError for an original
    that is no video.
    """
    from harness.store.cells import CellStore

    videos = [(_original(spec, home), f"actor {spec.actor.number}")]
    if CellStore(home).result(spec) is not None:
        videos.append((_swapped(spec, home), spec.slug))
    frames = sampled_of(protocol, _info(spec, videos[0][0], home).frames)
    original, *swapped = (_sighting(label, video, protocol, frames) for video, label in videos)
    original = original.model_copy(update={"photo": _photo(spec, home)})
    again = {"label": f"{original.label} re-encoded", "frames": (), "reencode": True, "photo": None}
    return original, original.model_copy(update=again), *swapped


def _sighting(label: str, video: _Video, protocol: Protocol, frames: tuple[int, ...]) -> Sighting:
    return Sighting(
        label=label,
        path=video.path,
        sha256=video.sha256,
        identity=protocol.identity,
        frames=frames if protocol.identity is IdentityPath.REFERENCE else (),
        recognisers=protocol.recognisers,
    )


def _photo(spec: CellSpec, home: Path) -> Photo:
    from harness.store.media import MediaStore

    reference = spec.actor.reference
    return Photo(path=MediaStore(home).path(reference), sha256=reference.sha256)


def score_path(spec: CellSpec, home: Path, protocol_name: str) -> Path:
    """Path of the score's JSON."""
    return home / "scores" / spec.id / f"{protocol_name}.json"


def frames_path(spec: CellSpec, home: Path, protocol: Protocol) -> Path:
    """Path of the per-frame values, alongside the score."""
    return home / "scores" / spec.id / f"{protocol.name}-frames.parquet"


def load_score(spec: CellSpec, home: Path, protocol_name: str) -> CellScore | None:
    """The stored score, or None when there is none. A damaged file is set aside and counts as
    none. Raises StoreError for a score of a newer schema version.
    """
    return load_stored(score_path(spec, home, protocol_name), CellScore)


def _known(
    spec: CellSpec, home: Path, protocol: Protocol, inputs: dict[str, str]
) -> CellScore | None:
    known = load_score(spec, home, protocol.name)
    if known is None or known.inputs != inputs or not frames_path(spec, home, protocol).exists():
        return None
    return known


def _videos(spec: CellSpec, home: Path) -> tuple[_Video, _Video]:
    return _original(spec, home), _swapped(spec, home)


def _original(spec: CellSpec, home: Path) -> _Video:
    from harness.store.media import MediaStore

    test = spec.actor.test
    return _Video(label="original", path=MediaStore(home).path(test), sha256=test.sha256)


def _info(spec: CellSpec, original: _Video, home: Path) -> VideoInfo:
    return spec.actor.test.info or video_info(original.path, original.sha256, home)


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
        **dict([observer_of(protocol)]),
        blendshapes.OBSERVER: f"{blendshapes.attributes_version()}+map{MAPPING_VERSION}",
        thumbnails.OBSERVER: thumbnails.VERSION,
        landmarks.OBSERVER: landmarks.Landmarks().version,
        "reencoding": recipe(),
        pair.OBSERVER: pair.VERSION,
        "scoring": str(SCORING_VERSION),
    }
    inputs |= recogniser_inputs(_hashes(spec, original, swapped), protocol.recognisers, home)
    if spec.donor is not None:
        inputs["donor"] = spec.donor.reference.sha256
    reencoded = known_reencoding(original.sha256, home)
    measured = {video.label: video.sha256 for video in (original, swapped)}
    for label, sha256 in (measured | ({"floor": reencoded.sha256} if reencoded else {})).items():
        csv = openface.openface_path(home, sha256)
        if csv.exists():
            with store_sentences(csv):
                inputs[f"openface_{label}"] = file_sha256(csv)
    return inputs


def _hashes(spec: CellSpec, original: _Video, swapped: _Video) -> Hashes:
    return Hashes(original.sha256, swapped.sha256, spec.actor.reference.sha256)


class _Measured(NamedTuple):
    """Observations of the three videos of a cell, and the face that is looked for."""

    hashes: Watched[str]
    infos: Watched[VideoInfo]
    seen: Watched[Observed]
    faces: tuple[pd.DataFrame, pd.DataFrame]
    """Of the original and of the swapped video: those that the protocol looks at, and all that the
    fast path saw alongside them."""
    frames: tuple[int, ...]
    """The sampled ones."""
    reference: tuple[float, ...]

    @property
    def sample(self) -> _Sample:
        """The faces of the sampled frames alone."""
        original, swapped = (rows[rows["frame"].isin(self.frames)] for rows in self.faces)
        return _Sample(self.frames, original, swapped, self.reference)


def _measure(
    spec: CellSpec,
    home: Path,
    protocol: Protocol,
    videos: tuple[_Video, _Video],
    listen: Listen | None,
) -> _Measured:
    from harness.store.media import MediaStore

    original, swapped = videos
    again = reencoding(original.path, original.sha256, home)
    reencoded = _Video(label="re-encoded", path=MediaStore(home).path(again), sha256=again.sha256)
    info = _info(spec, original, home)
    infos = Watched(info, video_info(swapped.path, swapped.sha256, home), info)
    frames = sampled_of(protocol, info.frames)
    for video in videos:
        sighting = _sighting(f"the {video.label} video", video, protocol, frames)
        measure(sighting.model_copy(update={"photo": _photo(spec, home)}), home, listen)

    def faces(video: _Video, total: int) -> pd.DataFrame:
        known = tuple(frame for frame in frames if frame < total)
        return identity_rows(video.path, video.sha256, known, protocol, home)

    three = Watched(original, swapped, reencoded)
    return _Measured(
        hashes=Watched(*(video.sha256 for video in three)),
        infos=infos,
        seen=Watched(
            *(
                observe_video(video.path, video.sha256, home, probed)
                for video, probed in zip(three, infos, strict=True)
            )
        ),
        faces=(faces(original, infos.original.frames), faces(swapped, infos.swapped.frames)),
        frames=frames,
        reference=_original_face(spec, home),
    )


def _compute(
    spec: CellSpec,
    home: Path,
    protocol: Protocol,
    videos: tuple[_Video, _Video],
    listen: Listen | None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The parts of a CellScore, and the per-frame table."""
    original, swapped = videos
    measured = _measure(spec, home, protocol, videos, listen)
    infos, seen = measured.infos, measured.seen
    length = Length(frames=infos.original.frames, fps=float(infos.original.rate))
    alignment = align(
        infos.original,
        infos.swapped,
        (seen.original.pictures, seen.swapped.pictures),
        outside_faces(seen.original.expressions, infos.original),
    )
    identity, table = _identity(spec, home, protocol, measured.sample, length.frames)
    swapped_length = infos.swapped.frames, float(infos.swapped.rate)
    parts = {
        "alignment": alignment,
        "recognisers": recogniser_scores(_hashes(spec, *videos), measured.frames, home),
        "identity": identity,
        "leaks": leak_profile(
            distances_to(measured.faces[1], measured.reference, *swapped_length),
            protocol.threshold,
        ),
        "attributes": (
            blendshape_scores(
                Watched(*(observed.expressions for observed in seen)), alignment, length
            ),
            *openface_scores(home, measured.hashes, alignment, length),
        ),
        "utility": utility(seen, alignment, length.fps),
        "quality": observed_quality(
            Seen(original.path, original.sha256, seen.original, measured.faces[0]),
            Seen(swapped.path, swapped.sha256, seen.swapped, measured.faces[1]),
            alignment,
            length.fps,
            home,
            stage(listen, "both videos side by side"),
        ),
    }
    return parts, table


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


def _identity(
    spec: CellSpec, home: Path, protocol: Protocol, sample: _Sample, total: int
) -> tuple[Identity, pd.DataFrame]:
    """The four comparisons under the chosen reading, both readings alongside each other, and the
    per-frame table of the chosen one.
    """
    donor = donor_face(
        _embed(spec.donor.reference, home) if spec.donor else None,
        spec.donor.name if spec.donor else None,
    )
    medoid = medoid_face(embeddings_of(sample.swapped))
    chosen = choose_face(donor, medoid)

    def compare(face: SwappedFace) -> tuple[pd.DataFrame, dict[Comparison, Distances]]:
        references = References(original=sample.reference, swapped=face)
        rows = frame_distances(sample.frames, sample.original, sample.swapped, references)
        return rows, summarise(rows, protocol.threshold, face.frame)

    table, comparisons = compare(chosen)
    leak = table[np.isfinite(table[Comparison.SWAPPED_ORIGINAL.value].to_numpy(float))]
    identity = Identity(
        recogniser=recogniser_of(protocol),
        threshold=protocol.threshold,
        comparisons=comparisons,
        swapped_reading=chosen.reading,
        swapped_note=chosen.note,
        swapped_identities=tuple(
            swapped_identity(face, compare(face)[1]) for face in (donor, medoid)
        ),
        evidence=evidence(dict(zip(leak["frame"].tolist(), leak["sw_or"].tolist(), strict=True))),
        seed=protocol.seed,
        frames=total,
    )
    return identity, table


def _original_face(spec: CellSpec, home: Path) -> tuple[float, ...]:
    original = _embed(spec.actor.reference, home)
    if original is None:
        raise UnusableInputError(
            f"No face was found in the reference photo of actor {spec.actor.number} "
            f"({spec.actor.reference_note}).",
            hint="Name another reference photo for this actor in the dataset.",
        )
    return tuple(float(x) for x in original)


def _embed(photo: MediaRef, home: Path) -> NDArray[np.float64] | None:
    from harness.store.media import MediaStore

    return photo_face(MediaStore(home).path(photo), photo.sha256, home)


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
