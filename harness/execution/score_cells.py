"""One cell's score: what it needs is measured, loaded, computed and stored, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import UnusableInputError, UsageError
from harness.core.hashing import content_hash, file_sha256
from harness.execution.requests import ScorableCell
from harness.model.cell import CellSpec
from harness.model.identity import IdentityPath
from harness.model.measurement import MeasurementRequest
from harness.model.observed import EXPRESSIONS
from harness.model.protocol import Protocol
from harness.model.score import Alignment, CellScore
from harness.model.video import ByVideo, VideoRef
from harness.observe import pair
from harness.observe.acceptance import open_recogniser
from harness.observe.face_mesh import Landmarks, expressions_version
from harness.observe.identity import (
    observe_recognised_faces,
    photo_face,
    recognised_faces_version,
)
from harness.observe.measure import Listen, measure, measured_video, stage
from harness.observe.pair import observe_pair
from harness.observe.pictures import Thumbnails
from harness.observe.readers import OutputReader, installed_readers
from harness.observe.recognised import PREFIX, read_recognised, stored_for_all, version_of
from harness.observe.reencoding import known_reencoding, recipe
from harness.observe.video import observe_video, video_info
from harness.scoring.action_units import MAPPING_VERSION
from harness.scoring.alignment import align_videos
from harness.scoring.observations import (
    DonorPhoto,
    Observations,
    OutsideUnits,
    RecogniserRows,
    VideoObservations,
)
from harness.scoring.quality import why_not_side_by_side
from harness.scoring.sampling import sampled_of
from harness.scoring.score import SCORING_VERSION, score
from harness.store.cells import CellStore
from harness.store.media import MediaStore
from harness.store.observations import ObservationStore
from harness.store.score_files import ScoreStore
from harness.store.tables import store_sentences

if TYPE_CHECKING:
    import pandas as pd


def scorable_cell(spec: CellSpec, home: Path, protocol: Protocol) -> ScorableCell:
    """A cell to be scored. Raises UsageError for one without a result, UnusableInputError for an
    original that is no video, StoreError, and as ``open_recogniser``.
    """
    original, swapped = _original(spec, home), _swapped(spec, home)
    if swapped is None:
        raise UsageError(
            f"The cell {spec.slug} has no result, so there is nothing to score.",
            hint=f"See why with `bench logs {spec.id[:12]}`, or run it again.",
        )
    versions = {
        "original": original.sha256,
        "swapped": swapped.sha256,
        "reference": spec.actor.reference.sha256,
        "protocol": content_hash(protocol.model_dump(mode="json")),
        **dict([recognised_faces_version(protocol.identity)]),
        EXPRESSIONS: f"{expressions_version()}+map{MAPPING_VERSION}",
        Thumbnails.name: Thumbnails.version,
        Landmarks.name: Landmarks().version,
        "reencoding": recipe(),
        pair.OBSERVER: pair.VERSION,
        "scoring": str(SCORING_VERSION),
    }
    asked = (open_recogniser(name, home).info for name in protocol.recognisers)
    versions |= {f"{PREFIX}{info.name}@{version_of(info)}": "measured" for info in asked}
    if spec.donor is not None:
        versions["donor"] = spec.donor.reference.sha256
    return ScorableCell(spec, protocol, original, swapped, versions)


def measurement_requests(
    spec: CellSpec, home: Path, protocol: Protocol
) -> tuple[MeasurementRequest, ...]:
    """The measurements that the cell's score needs: of the original video, its re-encoding and, of
    a finished cell, the swapped video. Raises StoreError, and UnusableInputError for an original
    that is no video.
    """
    original, swapped = _original(spec, home), _swapped(spec, home)
    return _requests(spec, home, protocol, original, swapped)


def stored_score(cell: ScorableCell, home: Path) -> CellScore | None:
    """The cell's stored score, when it would come out the same again; else None.

    Raises StoreError.
    """
    return _kept(cell, _inputs(cell, home), home)


def score_cell(cell: ScorableCell, home: Path, listen: Listen | None = None) -> CellScore:
    """The score of a finished cell; computed again only when what it depends on has changed.

    A swapped video without any face is a score (nothing could be compared), not an error. Raises
    UnusableInputError for a video that cannot be read or a reference without a face, StoreError
    when the store fails.
    """
    store = ScoreStore(home)
    with store.locked(cell.spec, cell.protocol.name):
        inputs = _inputs(cell, home)
        known = _kept(cell, inputs, home)
        if known is not None:
            return known
        observations = ObservationStore(home)
        scored = score(load_observations(cell, inputs, observations, listen))
        digests = {"observations": observations.read_digests}
        cell_score = scored.score.model_copy(update=digests)
        store.save(cell.spec, cell_score, scored.frames)
    return cell_score


def _kept(cell: ScorableCell, inputs: Mapping[str, str], home: Path) -> CellScore | None:
    known = ScoreStore(home).load_whole(cell.spec, cell.protocol.name)
    if known is None or known.inputs != inputs:
        return None
    return known if ObservationStore(home).still_reads(known.observations) else None


def load_observations(
    cell: ScorableCell,
    inputs: Mapping[str, str],
    store: ObservationStore,
    listen: Listen | None = None,
) -> Observations:
    """All observations of a cell; what is not in the store is measured. Raises as
    ``score_cell``.
    """
    spec, protocol = cell.spec, cell.protocol
    home, media = store.home, MediaStore(store.home)
    requests = _requests(spec, home, protocol, cell.original, cell.swapped)
    for request, label in zip(requests, ("original", "re-encoded", "swapped"), strict=True):
        measure(request.model_copy(update={"label": f"the {label} video"}), home, listen)
    sampled = sampled_of(protocol, video_info(cell.original, store).frames)
    original = _load_video(cell.original, sampled, protocol, store)
    swapped = _load_video(cell.swapped, sampled, protocol, store)
    reencoded = measured_video(requests[1], home)
    reference = photo_face(media.photo(spec.actor.reference), store)
    if reference is None:
        raise UnusableInputError(
            f"No face was found in the reference photo of actor {spec.actor.number} "
            f"({spec.actor.reference_note}).",
            hint="Name another reference photo for this actor in the dataset.",
        )
    alignment = align_videos(original, swapped)
    pixels = None
    if not why_not_side_by_side(original, swapped, alignment):
        heard = stage(listen, "both videos side by side")
        pixels = observe_pair(cell.original, cell.swapped, store, heard)
    three = ByVideo(cell.original.sha256, cell.swapped.sha256, reencoded.sha256)
    return Observations(
        cell_id=spec.id,
        protocol=protocol,
        inputs=inputs,
        original=original,
        swapped=swapped,
        reencoded=observe_video(reencoded, store),
        sampled=sampled,
        reference=tuple(float(x) for x in reference),
        donor=_donor(spec, media, store),
        alignment=alignment,
        pixels=pixels,
        outside=tuple(_outside(reader, three, alignment, store) for reader in installed_readers()),
        recognisers=_recognisers(cell, store),
    )


def _original(spec: CellSpec, home: Path) -> VideoRef:
    video = MediaStore(home).video(spec.actor.test)
    return replace(video, info=video_info(video, ObservationStore(home)))


def _swapped(spec: CellSpec, home: Path) -> VideoRef | None:
    store = CellStore(home)
    result = store.result(spec)
    return None if result is None else VideoRef(store.swapped_path(spec), result.swapped.sha256)


def _requests(
    spec: CellSpec, home: Path, protocol: Protocol, original: VideoRef, swapped: VideoRef | None
) -> tuple[MeasurementRequest, ...]:
    """Of the original, of its re-encoding and, where there is one, of the swapped video."""
    frames: tuple[int, ...] = ()
    if protocol.identity is IdentityPath.REFERENCE:
        total = video_info(original, ObservationStore(home)).frames
        frames = sampled_of(protocol, total)
    first = MeasurementRequest(
        label=f"actor {spec.actor.number}",
        video=original,
        identity=protocol.identity,
        frames=frames,
        recognisers=protocol.recognisers,
        photo=MediaStore(home).photo(spec.actor.reference),
    )
    bare = {"photo": None, "reencode": True, "frames": ()}
    again = first.model_copy(update={**bare, "label": f"{first.label} re-encoded"})
    if swapped is None:
        return first, again
    changed = {"photo": None, "label": spec.slug, "video": swapped}
    return first, again, first.model_copy(update=changed)


def _inputs(cell: ScorableCell, home: Path) -> dict[str, str]:
    """The hashes and versions that the score depends on; what other recognisers and observers have
    measured meanwhile is part of it.
    """
    store = ObservationStore(home)
    inputs = dict(cell.versions)
    for name in stored_for_all(_contents(cell), store):
        inputs[name.removesuffix(".parquet")] = "measured"
    labelled = {"original": cell.original.sha256, "swapped": cell.swapped.sha256}
    reencoded = known_reencoding(cell.original.sha256, home)
    if reencoded is not None:
        labelled["floor"] = reencoded.sha256
    for reader in installed_readers():
        for label, sha256 in labelled.items():
            path = reader.path(store, sha256)
            if path.exists():
                with store_sentences(path):
                    inputs[f"{reader.source}_{label}"] = file_sha256(path)
                if reader.reading > 1:
                    inputs[f"{reader.source}_reading"] = str(reader.reading)
    return inputs


def _contents(cell: ScorableCell) -> tuple[str, str, str]:
    """Of the original video, the swapped video and the actor's photo."""
    return cell.original.sha256, cell.swapped.sha256, cell.spec.actor.reference.sha256


def _load_video(
    video: VideoRef, sampled: tuple[int, ...], protocol: Protocol, store: ObservationStore
) -> VideoObservations:
    info = video_info(video, store)
    own = tuple(frame for frame in sampled if frame < info.frames)
    return VideoObservations(
        info=info,
        frames=observe_video(video, store),
        faces=observe_recognised_faces(video, own, protocol.identity, store),
    )


def _donor(spec: CellSpec, media: MediaStore, store: ObservationStore) -> DonorPhoto | None:
    if spec.donor is None:
        return None
    return DonorPhoto(spec.donor.name, photo_face(media.photo(spec.donor.reference), store))


def _recognisers(cell: ScorableCell, store: ObservationStore) -> tuple[RecogniserRows, ...]:
    """Of every recogniser that has measured both videos and the actor's photo."""
    rows = []
    for keys in stored_for_all(_contents(cell), store).values():
        (info, original), (_, swapped), (_, photo) = (read_recognised(key, store) for key in keys)
        vector = photo["embedding"].iloc[0]
        rows.append(RecogniserRows(info, original, swapped, vector))
    return tuple(rows)


def _outside(
    reader: OutputReader, contents: ByVideo[str], alignment: Alignment, store: ObservationStore
) -> OutsideUnits:
    """The files of one source. They are read only where they are compared, so that a damaged one
    is no fault of videos that are not."""
    import pandas as pd

    paths = ByVideo(*(reader.path(store, sha256) for sha256 in contents))
    compared = alignment.aligned and paths.original.exists() and paths.swapped.exists()

    def rows(path: Path) -> pd.DataFrame | None:
        if not path.exists():
            return None
        return reader.read(path) if compared else pd.DataFrame()

    return OutsideUnits(
        source=reader.source,
        title=reader.title,
        scale=reader.scale,
        units=reader.units,
        rows=ByVideo(*(rows(path) for path in paths)),
    )
