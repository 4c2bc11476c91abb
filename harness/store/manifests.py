"""Records of datasets, images and suites as they were when cells were last made from them.

A cell names its videos and its image by content, and so does not say whether they are still the
ones in use. These records do, on any machine that the results folder is copied to:

manifests/people/<hash>.json    a person of a dataset: which files, and what was prepared of them
manifests/images/<hash>.json    with which image a tool was run
manifests/bases/<hash>.json     which image a base's tag named
manifests/suites/<hash>.json    which cells a suite named
manifests/unprepared/<key>.json a cell that was asked for and whose people could not be prepared
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from harness.core.base import SCHEMA_VERSION, Frozen
from harness.core.hashing import content_hash
from harness.model.dataset import Split
from harness.model.suite import UnpreparedCell
from harness.store.cells import disk_errors, utc_now
from harness.store.records import DamagedError, read_record, warn_left_out, write_record
from harness.store.schema import mark_store


class FileSeen(Frozen):
    """A file's content, and the state by which it is known to be unchanged."""

    path: Path
    state: tuple[int, ...]
    sha256: str


class _Record(Frozen):
    schema_version: int = SCHEMA_VERSION
    used_at: str
    """Time at which it was last the one in use; ISO 8601, UTC."""


class PersonUse(_Record):
    """A person as a dataset showed them to cells."""

    dataset: str
    manifest: Path | None
    """The manifest, or a named folder; None for a dataset that has its own place."""
    who: str
    """An actor's number, or a donor's name."""
    split: Split | None
    """An actor's; None for a donor."""
    material: str
    """The ``fingerprint`` of their files and entries."""
    prepared: str
    """The hash of the prepared actor or donor."""
    face: str = ""
    """The hash of their face in a gallery; actors only."""
    files: tuple[FileSeen, ...] = ()
    remarks: tuple[str, ...] = ()
    """Remarks on the material, for reports; they name no file."""


class ImageUse(_Record):
    """The image that a tool was run with."""

    variant: str
    """The hash of what its cells have in common: dataset, split, tool, version and settings."""
    digest: str | None


class BaseUse(_Record):
    """The image that a base's tag named when something was built on it."""

    reference: str
    """As a recipe or a user names it."""
    digest: str
    """``REPOSITORY@sha256:...``."""


class SuiteUse(_Record):
    """Cells that a suite named."""

    suite: str
    cells: tuple[str, ...]


class UnpreparedUse(_Record):
    """A cell that was asked for, and why it could not be prepared."""

    manifest: Path | None
    """The manifest, or a named folder; None for a dataset that has its own place."""
    asked: UnpreparedCell


Use = TypeVar("Use", bound=_Record)


class ManifestStore:
    """The records below ``home/manifests``. A later use of the same replaces its record, and what
    is in use already is not written again, so a finished study can be looked at on a read-only
    disk.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = home / "manifests"

    @cached_property
    def people(self) -> tuple[PersonUse, ...]:
        """By time, the newest last; damaged records are left out."""
        return self._read("people", PersonUse)

    @cached_property
    def images(self) -> tuple[ImageUse, ...]:
        """By time, the newest last; damaged records are left out."""
        return self._read("images", ImageUse)

    @cached_property
    def bases(self) -> tuple[BaseUse, ...]:
        """By time, the newest last; damaged records are left out."""
        return self._read("bases", BaseUse)

    @cached_property
    def suites(self) -> tuple[SuiteUse, ...]:
        """By time, the newest last; damaged records are left out."""
        return self._read("suites", SuiteUse)

    @cached_property
    def unprepared(self) -> tuple[UnpreparedUse, ...]:
        """By time, the newest last; damaged records are left out."""
        return self._read("unprepared", UnpreparedUse)

    def keep_person(self, use: PersonUse) -> None:
        """Store that ``use`` is the one in use. Raises StoreError when the disk refuses."""
        who = use.dataset, use.split, use.who
        known = [
            person for person in self.people if (person.dataset, person.split, person.who) == who
        ]
        same = use.model_copy(update={"used_at": known[-1].used_at}) if known else None
        if same is None or same != known[-1]:
            self._keep("people", use, {"files"})

    def keep_images(self, digests: Iterable[tuple[str, str | None]]) -> None:
        """Store which image each variant is run with. Raises StoreError."""
        known = {use.variant: use.digest for use in self.images}
        for variant, digest in dict(digests).items():
            if known.get(variant) == digest:
                continue
            self._keep("images", ImageUse(used_at=utc_now(), variant=variant, digest=digest))

    def keep_base(self, reference: str, digest: str) -> None:
        """Store what a base's tag names. Raises StoreError."""
        known = {use.reference: use.digest for use in self.bases}
        if known.get(reference) != digest:
            use = BaseUse(used_at=utc_now(), reference=reference, digest=digest)
            self._keep("bases", use, {"digest"})

    def keep_suite(self, suite: str, cells: Iterable[str]) -> None:
        """Store which cells, by id, the suite names. Raises StoreError."""
        use = SuiteUse(used_at=utc_now(), suite=suite, cells=tuple(sorted(cells)))
        if all((stored.suite, stored.cells) != (use.suite, use.cells) for stored in self.suites):
            self._keep("suites", use)

    def keep_unprepared(self, uses: Iterable[UnpreparedUse]) -> None:
        """Store that these cells could not be prepared. Raises StoreError."""
        known = {use.asked.key: use.asked for use in self.unprepared}
        for use in uses:
            if known.get(use.asked.key) != use.asked:
                mark_store(self._home)
                write_record(self.unprepared_path(use.asked.key), use)

    def drop_unprepared(self, keys: Iterable[str]) -> None:
        """Forget these, since they were prepared. Raises StoreError."""
        for key in {use.asked.key for use in self.unprepared}.intersection(keys):
            path = self.unprepared_path(key)
            with disk_errors(path):
                path.unlink(missing_ok=True)

    def unprepared_path(self, key: str) -> Path:
        """Path of the record of that key."""
        return self._folder / "unprepared" / f"{key}.json"

    def _keep(self, kind: str, use: _Record, apart: Collection[str] = ()) -> None:
        key = use.model_dump(mode="json", exclude={"used_at", *apart})
        mark_store(self._home)
        write_record(self._folder / kind / f"{content_hash(key)}.json", use)

    def _read(self, kind: str, model: type[Use]) -> tuple[Use, ...]:
        uses = []
        for path in (self._folder / kind).glob("[!.]*.json"):
            try:
                uses.append(read_record(path, model))
            except FileNotFoundError:
                continue
            except DamagedError as error:
                warn_left_out(path, str(error))
        return tuple(sorted(uses, key=lambda use: use.used_at))
