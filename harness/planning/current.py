"""Finds the cells of a store that are still what was asked for, and why the others are not.

A cell is *current* when its actor, donor and gallery are those of today's manifest and its image is
the one that its tool was last run with. The rest are *earlier*: numbers of them stand for another
photo, clip or image, and are never averaged with those of current cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from harness.core.errors import BenchError
from harness.core.hashing import content_hash, file_state, known_sha256
from harness.datasets.material import files_of, fingerprint
from harness.datasets.registry import load_dataset
from harness.model.cell import CellSpec
from harness.model.dataset import (
    Actor,
    Dataset,
    Donor,
    GalleryFace,
    PreparedActor,
    PreparedDonor,
    Split,
)
from harness.planning.plan import find_donor
from harness.store.cells import CellStore, utc_now
from harness.store.manifests import FileSeen, ManifestStore, PersonUse
from harness.store.media import MediaStore


class Reason(StrEnum):
    """Reasons why a cell is earlier."""

    MANIFEST = "manifest"
    IMAGE = "image"
    SUITE = "suite"
    """The suite does not name the cell any more."""

    def phrase(self, number: int) -> str:
        """``2 cells of an earlier manifest``."""
        cells = f"{number} cell{'s' * (number != 1)}"
        if self is Reason.SUITE:
            return f"{cells} run for the suite that it does not name now"
        return f"{cells} of an earlier {self.value}"


def earlier_cells(
    store: CellStore, specs: Sequence[CellSpec], named: Iterable[Dataset] = ()
) -> dict[str, Reason]:
    """Cells of ``specs``, all cells of the store, that are earlier.

    A dataset's manifest is one of ``named``, else where its cells were last made from. Files are
    read only when their state changed, and none is decoded. Where the manifest or the clips are
    not on this machine, what cells were last made from counts; of cells from before there were
    records of that, the newest attempt. Raises StoreError.
    """
    records = ManifestStore(store.home)
    given = {dataset.name: dataset for dataset in named}
    reasons: dict[str, Reason] = {}
    for name in dict.fromkeys(spec.dataset for spec in specs):
        uses = [use for use in records.people if use.dataset == name]
        now = given.get(name)
        if now is None and uses:
            now = manifest_now(name, uses[-1].manifest, store.home)
        people = _People(uses, now)
        same = [spec for spec in specs if spec.dataset == name]
        reasons |= {spec.id: Reason.MANIFEST for spec in same if people.differ(spec)}
    last = {use.variant: use.digest for use in records.images}
    images = _groups((s for s in specs if s.id not in reasons), variant_key)
    for variant, group in images.items():
        digests = {spec.image_digest for spec in group}
        if len(digests) == 1:
            continue
        digest = last.get(variant)
        if digest not in digests or variant not in last:
            digest = max(group, key=lambda spec: last_tried(store, spec)).image_digest
        reasons |= {spec.id: Reason.IMAGE for spec in group if spec.image_digest != digest}
    for group in _groups((s for s in specs if s.id not in reasons), _name_key).values():
        newest = (
            max(group, key=lambda spec: last_tried(store, spec)) if len(group) > 1 else group[0]
        )
        reasons |= {spec.id: Reason.MANIFEST for spec in group if spec is not newest}
    return reasons


def suite_earlier(home: Path, suite: str) -> set[str]:
    """Ids of all cells that were ever run for the suite."""
    uses = ManifestStore(home).suites
    return {cell for use in uses if use.suite == suite for cell in use.cells}


def record_asked(home: Path, suite: str, specs: Sequence[CellSpec]) -> None:
    """Store that these cells are asked for now: with which images, and by which suite (empty for
    none). Raises StoreError when the disk refuses.
    """
    records = ManifestStore(home)
    records.keep_images((variant_key(s), s.image_digest) for s in specs if s.image_digest)
    if suite:
        records.keep_suite(suite, (spec.id for spec in specs))


def record_person(
    home: Path,
    dataset: Dataset,
    person: Actor | Donor,
    split: Split | None,
    prepared: PreparedActor | PreparedDonor,
) -> None:
    """Store that ``prepared`` is what ``dataset`` now shows of the person; ``split`` is an actor's.

    Raises UnusableInputError as ``fingerprint``, StoreError when the disk refuses.
    """
    from harness.datasets.prepare import remarks_on

    use = PersonUse(
        used_at=utc_now(),
        dataset=dataset.name,
        manifest=dataset.path,
        who=_who(person),
        split=split,
        material=fingerprint(person, split),
        prepared=_hash(prepared),
        face=_face_of(prepared),
        files=tuple(
            FileSeen(path=path, state=file_state(path), sha256=known_sha256(path))
            for path in files_of(person)
        ),
        remarks=remarks_on(person, split, MediaStore(home)),
    )
    ManifestStore(home).keep_person(use)


def material_remarks(home: Path, specs: Iterable[CellSpec]) -> list[str]:
    """Remarks on the material of these cells, each once with the people whom it is about:
    ``Actors 1 and 2: 3 of 14 clips are HDR ...``.
    """
    # Of several uses that prepared the same, the newest has the last word.
    remarks = {use.prepared: use.remarks for use in ManifestStore(home).people}
    actors: dict[str, set[int]] = {}
    donors: dict[str, set[str]] = {}
    for spec in specs if remarks else ():
        for remark in remarks.get(_hash(spec.actor), ()):
            actors.setdefault(remark, set()).add(spec.actor.number)
        for remark in remarks.get(_hash(spec.donor), ()) if spec.donor else ():
            donors.setdefault(remark, set()).add(spec.donor.name if spec.donor else "")
    told = [_about("Actor", [str(n) for n in sorted(who)], what) for what, who in actors.items()]
    return told + [_about("Donor", sorted(who), what) for what, who in donors.items()]


def _about(kind: str, names: Sequence[str], remark: str) -> str:
    if len(names) == 1:
        return f"{kind} {names[0]}: {remark}"
    return f"{kind}s {', '.join(names[:-1])} and {names[-1]}: {remark}"


def variant_key(spec: CellSpec) -> str:
    """The same for cells of a dataset that differ in people, seed, limits and image only."""
    parts = (spec.dataset, spec.split.value, spec.tool, spec.version, spec.config)
    return content_hash([*parts, spec.settings])


@dataclass
class _People:
    """The people that a dataset shows today."""

    uses: Sequence[PersonUse]
    dataset: Dataset | None
    _known: dict[tuple[Split | None, str], tuple[bool, PersonUse | None]] = field(
        default_factory=dict
    )

    def differ(self, spec: CellSpec) -> bool:
        """True when the cell shows somebody otherwise than the dataset does today."""
        shown: list[tuple[Split | None, str, str]] = [
            (spec.split, str(spec.actor.number), _hash(spec.actor))
        ]
        if spec.donor is not None:
            shown.append((None, spec.donor.name, _hash(spec.donor)))
        for split, who, prepared in shown:
            known, use = self._today(split, who)
            if known and (use is None or use.prepared != prepared):
                return True
        return bool(spec.gallery) and self._gallery_differs(spec)

    def _gallery_differs(self, spec: CellSpec) -> bool:
        faces = {str(face.number): content_hash(face.model_dump()) for face in spec.gallery}
        for who, face in faces.items():
            known, use = self._today(spec.split, who)
            if known and (use is None or use.face != face):
                return True
        if self.dataset is None:
            return False
        others = (str(actor.number) for actor in self.dataset.actors)
        return any(self._today(spec.split, who)[1] for who in others if who not in faces)

    def _today(self, split: Split | None, who: str) -> tuple[bool, PersonUse | None]:
        """(whether anything is known of the person, their use that holds today)."""
        if (split, who) not in self._known:
            own = [use for use in self.uses if (use.split, use.who) == (split, who)]
            self._known[split, who] = bool(own), self._holds(own) if own else None
        return self._known[split, who]

    def _holds(self, own: Sequence[PersonUse]) -> PersonUse | None:
        if self.dataset is None:
            return own[-1]
        person = _find(self.dataset, own[-1])
        if person is None:
            return None
        seen = {(file.path, file.state): file.sha256 for use in own for file in use.files}

        def sha256_of(path: Path) -> str:
            return seen.get((path, file_state(path))) or known_sha256(path)

        try:
            material = fingerprint(person, own[-1].split, sha256_of)
        except (BenchError, OSError):
            # The files are not here. What was last made of them is all that is known, unless the
            # manifest names others by now.
            last = own[-1]
            before = _named_files((file.path for file in last.files), last.manifest)
            return last if _named_files(files_of(person), self.dataset.path) == before else None
        return next((use for use in reversed(own) if use.material == material), None)


def _named_files(paths: Iterable[Path], manifest: Path | None) -> set[Path]:
    """Files as a manifest names them, so that it may lie elsewhere together with them."""
    folder = manifest.parent if manifest else None
    return {
        path.relative_to(folder) if folder and path.is_relative_to(folder) else path
        for path in paths
    }


def manifest_now(name: str, place: Path | None, home: Path) -> Dataset | None:
    """The dataset as it is now at ``place``, where its people were last read; None when it is not
    there."""
    try:
        dataset = load_dataset(str(place) if place else name, home)
    except BenchError:
        return None
    return dataset if dataset.name == name else None


def _find(dataset: Dataset, use: PersonUse) -> Actor | Donor | None:
    if use.split is not None:
        return next((actor for actor in dataset.actors if str(actor.number) == use.who), None)
    try:
        return find_donor(dataset, use.who)
    except BenchError:
        return None


def _who(person: Actor | Donor) -> str:
    return str(person.number) if isinstance(person, Actor) else person.name


def _hash(prepared: PreparedActor | PreparedDonor) -> str:
    return content_hash(prepared.model_dump(mode="json"))


def _face_of(prepared: PreparedActor | PreparedDonor) -> str:
    if isinstance(prepared, PreparedDonor):
        return ""
    face = GalleryFace(number=prepared.number, sex=prepared.sex, reference=prepared.reference)
    return content_hash(face.model_dump())


def _groups(specs: Iterable[CellSpec], key: Callable[[CellSpec], str]) -> dict[str, list[CellSpec]]:
    groups: dict[str, list[CellSpec]] = {}
    for spec in specs:
        groups.setdefault(key(spec), []).append(spec)
    return groups


def _name_key(spec: CellSpec) -> str:
    """The same for cells that are asked for with the same words."""
    donor = spec.donor.name if spec.donor else None
    limits = spec.limits.model_dump(mode="json")
    return content_hash([variant_key(spec), spec.actor.number, donor, spec.seed, limits])


def last_tried(store: CellStore, spec: CellSpec) -> str:
    """Time at which the cell's last attempt ended; empty for one that was never tried."""
    attempts = store.attempts(spec)
    return attempts[-1].ended_at if attempts else ""
