"""RAVDESS (Livingstone and Russo, 2018): 24 actors who speak and sing two statements.

A file's name has seven parts: modality (01 audio and video, 02 video, 03 audio), channel
(01 speech, 02 song), emotion, intensity, statement, repetition, actor.
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.core.base import Frozen
from harness.core.errors import UnusableInputError
from harness.datasets.manifest import donors_beside
from harness.model.dataset import Actor, Clip, Dataset, Part, Sex, Source

ACTORS = range(1, 25)
WITHOUT_SONG = frozenset({18})
VIDEO_ONLY = 2
SPEECH, SONG = 1, 2
SPEECH_CLIPS, SONG_CLIPS = 60, 44

_EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
_TEST_STATEMENT, _TEST_REPETITION, _NORMAL = 2, 2, 1

SOURCE = Source(
    name="RAVDESS, Ryerson Audio-Visual Database of Emotional Speech and Song",
    url="https://doi.org/10.5281/zenodo.1188976",
    licence="CC BY-NC-SA 4.0",
    note="Livingstone and Russo (2018), PLoS ONE 13(5): e0196391.",
)


class Take(Frozen):
    """The fields of a file's name."""

    modality: int
    channel: int
    emotion: int
    intensity: int
    statement: int
    repetition: int
    actor: int

    @property
    def expression(self) -> str:
        """``speech-happy``."""
        channel = "speech" if self.channel == SPEECH else "song"
        return f"{channel}-{_EMOTIONS[self.emotion - 1]}"

    @property
    def performance(self) -> tuple[int, ...]:
        """The same for a take's video-only file and its copy with sound."""
        return (self.channel, self.emotion, self.intensity, self.statement, self.repetition)

    @property
    def is_test_trial(self) -> bool:
        """True when the take belongs to the trial that is kept from training."""
        return (self.statement, self.repetition) == (_TEST_STATEMENT, _TEST_REPETITION)


def ravdess_dir(home: Path) -> Path:
    """Folder in which RAVDESS is kept; may not exist."""
    return home / "datasets" / "ravdess"


def sex_of(actor: int) -> Sex:
    """Odd numbers are men, even numbers women."""
    return Sex.MALE if actor % 2 else Sex.FEMALE


def parse_name(name: str) -> Take | None:
    """The take a file name stands for, or None when it is not a RAVDESS name."""
    parts = name.rsplit(".", 1)[0].split("-")
    if len(parts) != 7 or not all(len(part) == 2 and part.isdigit() for part in parts):
        return None
    modality, channel, emotion, intensity, statement, repetition, actor = map(int, parts)
    in_range = (
        modality in (1, 2, 3)
        and channel in (SPEECH, SONG)
        and 1 <= emotion <= len(_EMOTIONS)
        and {intensity, statement, repetition} <= {1, 2}
        and actor in ACTORS
    )
    if not in_range:
        return None
    return Take(
        modality=modality,
        channel=channel,
        emotion=emotion,
        intensity=intensity,
        statement=statement,
        repetition=repetition,
        actor=actor,
    )


def find_takes(root: Path) -> dict[Path, Take]:
    """Every MP4 below ``root`` with a RAVDESS name, sorted by name."""
    paths: list[Path] = []
    # os.walk, unlike rglob, passes over a folder that vanishes or may not be read meanwhile.
    for folder, _, names in os.walk(root):
        paths += [Path(folder, name) for name in names if name.endswith(".mp4")]
    takes = {path: parse_name(path.name) for path in sorted(paths, key=_by_name)}
    return {path: take for path, take in takes.items() if take is not None}


def expected_takes(actor: int) -> set[tuple[int, ...]]:
    """The ``performance`` of every take RAVDESS has of an actor: 60 spoken, 44 sung.

    Neutral has no strong intensity; disgust and surprise are not sung; actor 18 does not sing.
    """
    channels = (SPEECH,) if actor in WITHOUT_SONG else (SPEECH, SONG)
    return {
        (channel, emotion, intensity, statement, repetition)
        for channel in channels
        for emotion in range(1, 9 if channel == SPEECH else 7)
        for intensity in ((1,) if emotion == 1 else (1, 2))
        for statement in (1, 2)
        for repetition in (1, 2)
    }


def load_ravdess(root: Path) -> Dataset:
    """RAVDESS below ``root``, video-only files, for the actors that are there.

    Held out by trial: of statement 2, repetition 2, the normal-intensity take of each expression
    is the test clip; its strong take is trained on in the thesis split only. Donors come from
    ``root/donors.yaml``. Raises UnusableInputError when no clip is found.
    """
    takes = {p: t for p, t in find_takes(root).items() if t.modality == VIDEO_ONLY}
    if not takes:
        raise UnusableInputError(
            f"There is no RAVDESS video below {root}: it was not fetched, or lies elsewhere.",
            hint="Run `bench data fetch ravdess --actor 3` (about 1 GB an actor).",
        )
    clips: dict[int, dict[tuple[int, ...], Clip]] = {}
    for path, take in takes.items():
        # A take that lies in two folders counts once.
        clip = Clip(path=path.resolve(), expression=take.expression, part=_part(take))
        clips.setdefault(take.actor, {}).setdefault(take.performance, clip)
    return Dataset(
        name="ravdess",
        actors=tuple(
            Actor(
                number=number,
                sex=sex_of(number),
                clips=tuple(own.values()),
                source=SOURCE,
                remark=_remark(number, set(own)),
            )
            for number, own in sorted(clips.items())
        ),
        donors=donors_beside(root),
        sources=(SOURCE,),
    )


def _remark(actor: int, there: set[tuple[int, ...]]) -> str:
    expected = expected_takes(actor)
    missing = len(expected - there)
    if not missing:
        return ""
    return f"{missing} of {len(expected)} clips are missing; see `bench data verify`"


def _part(take: Take) -> Part:
    if not take.is_test_trial:
        return Part.TRAINING
    return Part.TEST if take.intensity == _NORMAL else Part.THESIS_ONLY


def _by_name(path: Path) -> tuple[str, str]:
    return path.name, str(path)
