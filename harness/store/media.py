"""Prepared videos and photos, named by their content."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from harness.core.errors import StoreError
from harness.core.hashing import content_hash, file_sha256
from harness.core.paths import media_dir
from harness.core.trees import remove_tree
from harness.model.dataset import GalleryFace, MediaRef
from harness.model.video import PhotoRef, VideoInfo, VideoRef
from harness.store.atomic import publish_file
from harness.store.cells import disk_errors
from harness.store.records import is_content, is_sound
from harness.store.work_folders import work_folder

_GALLERY = "gallery.json"


class MediaStore:
    """``home/media``. A file is written once and never changed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = media_dir(home)

    def path(self, ref: MediaRef) -> Path:
        """Path of the file of ``ref``; raises StoreError when it is gone, or damaged. It is hashed
        once for each state of the file.
        """
        path = self.find(ref)
        if path is None:
            raise StoreError(
                f"The store has no sound media file {ref.sha256}{ref.suffix} (in {self.folder}): "
                "it was moved, deleted or damaged after it was prepared.",
                hint="Run the cell again; the file is prepared again from the dataset.",
            )
        return path

    def find(self, ref: MediaRef) -> Path | None:
        """``path``; None for a file that is gone or damaged."""
        path = self._place(ref.sha256, ref.suffix)
        return path if is_content(path, ref.sha256) else None

    def video(self, ref: MediaRef) -> VideoRef:
        """A prepared video; raises as ``path``."""
        return VideoRef(self.path(ref), ref.sha256, ref.info)

    def photo(self, ref: MediaRef) -> PhotoRef:
        """A prepared photo; raises as ``path``."""
        return PhotoRef(self.path(ref), ref.sha256)

    def has(self, ref: MediaRef) -> bool:
        """True when the file is there."""
        return self._place(ref.sha256, ref.suffix).is_file()

    def is_sound(self, ref: MediaRef) -> bool:
        """True when the file is there and is what its name, a hash, says; a damaged one is set
        aside, for what prepares it again. Raises StoreError.
        """
        return is_sound(self._place(ref.sha256, ref.suffix), ref.sha256)

    def unchanged(self, ref: MediaRef) -> bool:
        """True when the file is what its name, a hash, says; one that is gone is not wrong."""
        return not self.has(ref) or self.find(ref) is not None

    def add(self, file: Path, suffix: str, info: VideoInfo | None) -> MediaRef:
        """Move ``file`` into the store under its content's hash; it is gone from where it was.

        Raises StoreError when the disk refuses.
        """
        sha256 = file_sha256(file)
        final = self._place(sha256, suffix)
        if is_content(final, sha256):
            file.unlink()
        else:
            self._move(file, final)
        return MediaRef(sha256=sha256, suffix=suffix, info=info)

    def gallery(self, faces: Sequence[GalleryFace]) -> Path:
        """A folder with the faces and ``gallery.json``, which names them; made when it is missing.

        Raises StoreError when a face is gone or the disk refuses.
        """
        people = [
            {
                "number": face.number,
                "sex": face.sex.value,
                "file": f"actor{face.number:02d}{face.reference.suffix}",
                "sha256": face.reference.sha256,
            }
            for face in faces
        ]
        text = json.dumps(people, indent=1)
        final = self.folder / "galleries" / content_hash(people)

        def is_whole() -> bool:
            return all(
                is_content(final / str(person["file"]), str(person["sha256"])) for person in people
            ) and is_content(final / _GALLERY, hashlib.sha256(text.encode()).hexdigest())

        if is_whole():
            return final
        with self.temporary() as work, disk_errors(final):
            gallery = work / "gallery"
            gallery.mkdir()
            for face, person in zip(faces, people, strict=True):
                shutil.copyfile(self.path(face.reference), gallery / str(person["file"]))
            (gallery / _GALLERY).write_text(text, encoding="utf-8")
            final.parent.mkdir(exist_ok=True)
            try:
                gallery.rename(final)
            except OSError:
                # Another lane was faster, or files were deleted from the one that is there.
                if not is_whole():
                    remove_tree(final)
                    gallery.rename(final)
        return final

    def temporary(self) -> AbstractContextManager[Path]:
        """A folder on the store's file system for work in progress; see ``work_folder``."""
        return work_folder(self.folder / "tmp")

    def _place(self, sha256: str, suffix: str) -> Path:
        return self.folder / f"{sha256}{suffix}"

    def _move(self, file: Path, final: Path) -> None:
        final.parent.mkdir(parents=True, exist_ok=True)
        if file.stat().st_dev == final.parent.stat().st_dev:
            publish_file(file, final)
            return
        # A rename cannot cross file systems: copy alongside the final name first.
        with self.temporary() as folder:
            copy = folder / final.name
            shutil.copyfile(file, copy)
            publish_file(copy, final)
        file.unlink()


def gallery_damage(folder: Path) -> str | None:
    """The damage of a gallery as a predicate; None where it is what its name, a hash, says."""
    try:
        people = json.loads((folder / _GALLERY).read_bytes())
        whole = content_hash(people) == folder.name and all(
            is_content(folder / person["file"], person["sha256"]) for person in people
        )
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    return None if whole else "is not the gallery that its name says"
