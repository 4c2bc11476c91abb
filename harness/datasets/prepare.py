"""From clips to what a cell needs: a training video, a test video and a reference face.

Follows the 2020 thesis, 4.1.1: all training clips of an actor become one video, one clip per
expression becomes the test video.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from harness.core.errors import StoreError, UnusableInputError, unknown_name
from harness.core.hashing import content_hash, known_sha256
from harness.datasets.material import clips_meet, material_of, used_in
from harness.datasets.pictures import pictures_of, remarks
from harness.datasets.reference import Chosen, best_frame, from_photo, save_png
from harness.media.ffmpeg import ffmpeg_path, ffmpeg_version
from harness.media.join import join_clips
from harness.media.streams import require_file
from harness.media.tone_mapping import RECIPE
from harness.model.dataset import (
    Actor,
    Clip,
    Dataset,
    Donor,
    MediaRef,
    Part,
    Photo,
    PreparedActor,
    PreparedDonor,
    Split,
)
from harness.store.media import MediaStore
from harness.store.records import DamagedError, read_members, set_aside, write_record
from harness.vision.assets import face_landmarker_path

_Prepared = TypeVar("_Prepared", PreparedActor, PreparedDonor)

_RECIPE = 4
"""Counts up when the same clips would be prepared differently; ``tone_mapping.RECIPE`` does when
that is so of HDR clips alone."""

_BESIDE = ("remarks", "tone_mapping")
"""Facts kept of a preparation alongside the person, which decide nothing: remarks on the clips,
and the recipe of tone mapping where one of them is HDR."""


def prepare_actor(dataset: Dataset, actor: int, split: Split, media: MediaStore) -> PreparedActor:
    """Prepare an actor of ``dataset``, or return what an earlier call prepared of the same files.

    Raises UsageError for a number that is not in the dataset, UnusableInputError for files that
    cannot be used, a test clip that is also trained on, or a reference that cannot be chosen.
    """
    person = used_in(split, find_actor(dataset, actor))
    with _naming(f"Actor {actor} of '{dataset.name}'"):
        return _prepare_actor(person, split, media)


def _prepare_actor(person: Actor, split: Split, media: MediaStore) -> PreparedActor:
    training, test = _parts(person.clips)
    if not test:
        raise UnusableInputError(
            "There is no test clip.",
            hint="Mark at least one clip with `part: test` in the manifest.",
        )
    hashes = _hash_clips(person.clips)
    _refuse_overlap(training, test, hashes)
    index = _index(media, person, split)
    stored = _read(index, person, PreparedActor)
    if stored is not None and _all_there(media, stored.training, stored.test, stored.reference):
        return stored
    with media.temporary() as folder:
        held_out = _join(training, folder / "training.mp4", media)
        reference, note = _reference(person.photo, held_out, folder, media)
        trained_on = held_out
        if split is Split.THESIS:
            trained_on = _join(person.clips, folder / "everything.mp4", media)
        test_video = _join(test, folder / "test.mp4", media)
        assert test_video is not None
    prepared = PreparedActor(
        number=person.number,
        sex=person.sex,
        split=split,
        training=trained_on,
        test=test_video,
        reference=reference,
        reference_note=note,
    )
    _write(index, person, prepared)
    return prepared


def prepare_donor(donor: Donor, media: MediaStore) -> PreparedDonor:
    """Prepare a donor, or return what an earlier call prepared of the same files.

    Clips that are marked as test are kept apart: a tool must not be trained on them, nor the
    reference taken from them. Raises UnusableInputError as ``prepare_actor``.
    """
    with _naming(f"Donor {donor.name}"):
        return _prepare_donor(donor, media)


def _prepare_donor(donor: Donor, media: MediaStore) -> PreparedDonor:
    index = _index(media, donor, None)
    stored = _read(index, donor, PreparedDonor)
    if stored is not None and _all_there(media, stored.training, stored.test, stored.reference):
        return stored
    with media.temporary() as folder:
        seen, unseen = _parts(donor.clips)
        training = _join(seen, folder / "training.mp4", media)
        reference, note = _reference(donor.photo, training, folder, media)
        test = _join(unseen, folder / "test.mp4", media)
    prepared = PreparedDonor(
        name=donor.name,
        sex=donor.sex,
        training=training,
        test=test,
        reference=reference,
        reference_note=note,
    )
    _write(index, donor, prepared)
    return prepared


def remarks_on(person: Actor | Donor, split: Split | None, media: MediaStore) -> tuple[str, ...]:
    """Remarks on the material of a person who was prepared, for reports: sentences that name no
    file. ``split`` is an actor's. Raises UnusableInputError for files that are gone.
    """
    own: tuple[str, ...] = ()
    if isinstance(person, Actor):
        assert split is not None
        person = used_in(split, person)
        own = (_sentence(person.remark),) if person.remark else ()
    try:
        stored = read_members(_index(media, person, split))
    except (OSError, DamagedError):
        return own
    return (*own, *stored.get("remarks", ()))


def _sentence(remark: str) -> str:
    return f"{remark[0].upper()}{remark[1:]}."


@contextmanager
def _naming(who: str) -> Iterator[None]:
    """Begin the message of whatever cannot be used with the person whose material it is."""
    try:
        yield
    except UnusableInputError as error:
        raise UnusableInputError(f"{who}: {error.message}", hint=error.hint) from error


def find_actor(dataset: Dataset, number: int) -> Actor:
    """The actor of that number. Raises UsageError."""
    for actor in dataset.actors:
        if actor.number == number:
            return actor
    known = [str(actor.number) for actor in dataset.actors]
    raise unknown_name(
        f"actor in dataset '{dataset.name}'", str(number), known, see="bench data list"
    )


def _parts(clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    training = [clip for clip in clips if clip.part is Part.TRAINING]
    test = [clip for clip in clips if clip.part is Part.TEST]
    return training, test


def _hash_clips(clips: Sequence[Clip]) -> dict[Path, str]:
    paths = dict.fromkeys(clip.path for clip in clips)
    for path in paths:
        require_file(path)
    return {path: known_sha256(path) for path in paths}


def _refuse_overlap(
    training: Sequence[Clip], test: Sequence[Clip], hashes: dict[Path, str]
) -> None:
    for tested in test:
        for trained in training:
            if hashes[tested.path] == hashes[trained.path] and clips_meet(tested, trained):
                raise UnusableInputError(
                    f"{tested.path.name} is a test clip and {trained.path.name} has the same "
                    "content and is trained on, so the test would not be held out.",
                    hint="Give them disjoint spans, or remove one.",
                )


def _index(media: MediaStore, person: Actor | Donor, split: Split | None) -> Path:
    """Path at which the outcome is kept, by everything that decides it."""
    how = {"recipe": _RECIPE, "ffmpeg": ffmpeg_version(ffmpeg_path())}
    key = material_of(person, split) | how
    return media.folder / "index" / f"{content_hash(key)}.json"


def _read(index: Path, person: Actor | Donor, model: type[_Prepared]) -> _Prepared | None:
    try:
        stored = read_members(index)
        beside = {name: stored.pop(name) for name in _BESIDE if name in stored}
        prepared = model.model_validate(stored)
        if not _shows(prepared, person):
            raise DamagedError("is the record of another person")
    except FileNotFoundError:
        return None
    except DamagedError as error:
        set_aside(index, str(error))
        return None
    except ValidationError:
        # Written by another version: what it points to can be prepared again.
        return None
    if not beside:
        return _taken_over(index, person, prepared)
    return prepared if beside.get("tone_mapping") in (None, RECIPE) else None


def _shows(prepared: _Prepared, person: Actor | Donor) -> bool:
    who = person.number if isinstance(person, Actor) else person.name
    return who == (prepared.number if isinstance(prepared, PreparedActor) else prepared.name)


def _taken_over(index: Path, person: Actor | Donor, prepared: _Prepared) -> _Prepared | None:
    """Material that was prepared before clips were looked at for more than their pixels; None when
    it would be prepared differently now."""
    pictures = pictures_of(person.clips)
    if not all(picture.leads and picture.hdr is None for picture in pictures):
        return None
    with suppress(StoreError):
        # A finished study can be looked at on a read-only disk.
        _write(index, person, prepared)
    return prepared


def _write(index: Path, person: Actor | Donor, prepared: _Prepared) -> None:
    pictures = pictures_of(person.clips)
    hdr = any(picture.hdr is not None for picture in pictures)
    beside = {"remarks": remarks(person.clips), "tone_mapping": RECIPE if hdr else None}
    write_record(index, prepared.model_dump(mode="json") | beside)


def _all_there(media: MediaStore, *refs: MediaRef | None) -> bool:
    return all(ref is None or media.is_sound(ref) for ref in refs)


def _join(clips: Sequence[Clip], out: Path, media: MediaStore) -> MediaRef | None:
    if not clips:
        return None
    info = join_clips(clips, out)
    return media.add(out, ".mp4", info)


def _reference(
    photo: Photo | None, training: MediaRef | None, folder: Path, media: MediaStore
) -> tuple[MediaRef, str]:
    """A person's reference face: the photo if there is one, else a frame of ``training``."""
    chosen: Chosen | None = None
    if photo is not None:
        chosen = from_photo(photo)
    elif training is not None:
        assert training.info is not None
        landmarker = face_landmarker_path(media.home)
        chosen = best_frame(media.path(training), training.info, landmarker)
    if chosen is None:
        why = "shows no face" if training else "is missing"
        raise UnusableInputError(
            f"There is no reference face: the training material {why}, and the test video must "
            "not be used for it.",
            hint="Name a photo of the person in the dataset's manifest.",
        )
    file = folder / "reference.png"
    save_png(chosen.picture, file)
    return media.add(file, ".png", None), chosen.note
