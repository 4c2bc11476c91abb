"""Prepared videos and photos, named by their content."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from harness.canonical import file_sha256
from harness.errors import StoreError
from harness.model.dataset import MediaRef, VideoInfo
from harness.store.atomic import publish_file
from harness.store.cells import disk_errors


class MediaStore:
    """``home/media``. A file is written once and never changed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "media"

    def path(self, ref: MediaRef) -> Path:
        """Where the file of ``ref`` lies; raises StoreError when it is gone."""
        path = self._place(ref.sha256, ref.suffix)
        if not path.is_file():
            raise StoreError(
                f"The store has no media file {path.name} (in {self.folder}): it was moved or "
                "deleted after it was prepared.",
                hint="Run the cell again; the file is prepared anew from the dataset.",
            )
        return path

    def has(self, ref: MediaRef) -> bool:
        """Whether the file is there."""
        return self._place(ref.sha256, ref.suffix).is_file()

    def add(self, file: Path, suffix: str, info: VideoInfo | None) -> MediaRef:
        """Move ``file`` into the store under its content's hash; it is gone from where it was.

        Raises StoreError when the disk refuses.
        """
        sha256 = file_sha256(file)
        final = self._place(sha256, suffix)
        if final.is_file():
            file.unlink()
        else:
            self._move(file, final)
        return MediaRef(sha256=sha256, suffix=suffix, info=info)

    def temporary(self) -> tempfile.TemporaryDirectory[str]:
        """A folder on the store's file system for work in progress; removed on exit.

        Raises StoreError when the disk refuses.
        """
        work = self.folder / "tmp"
        with disk_errors(work):
            work.mkdir(parents=True, exist_ok=True)
            return tempfile.TemporaryDirectory(prefix="prepare-", dir=work)

    def _place(self, sha256: str, suffix: str) -> Path:
        return self.folder / f"{sha256}{suffix}"

    def _move(self, file: Path, final: Path) -> None:
        final.parent.mkdir(parents=True, exist_ok=True)
        if file.stat().st_dev == final.parent.stat().st_dev:
            publish_file(file, final)
            return
        # A rename cannot cross file systems: copy beside the final name first.
        with self.temporary() as folder:
            copy = Path(folder) / final.name
            shutil.copyfile(file, copy)
            publish_file(copy, final)
        file.unlink()
