"""RAVDESS (Livingstone and Russo, 2018): 24 actors who speak and sing two statements.

A file's name has seven parts: modality (01 audio and video, 02 video, 03 audio), channel
(01 speech, 02 song), emotion, intensity, statement, repetition, actor.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from harness.core.base import Frozen
from harness.core.errors import UnusableInputError
from harness.datasets.manifest import donors_beside
from harness.model.dataset import Actor, Clip, Dataset, Part, Sex, Source

ACTORS = range(1, 25)
WITHOUT_SONG = frozenset({18})
WITH_SOUND, VIDEO_ONLY, SOUND_ONLY = 1, 2, 3
SPEECH, SONG = 1, 2
SPEECH_CLIPS, SONG_CLIPS = 60, 44

_EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
_SOUND_ENDINGS = frozenset({".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aac"})
_VIDEO_ENDINGS = frozenset({".avi", ".mov", ".mkv", ".webm", ".m4v", ".flv", ".wmv", ".mpg"})
_ARCHIVE = re.compile(
    r"(?:Video_(?:Speech|Song)_Actors?_\d\d.*|1188976.*|.*ravdess.*)\.zip", re.I | re.A
)
_TEST_STATEMENT, _TEST_REPETITION, _NORMAL = 2, 2, 1

_NAME = re.compile(
    r"(?P<fields>\d\d(?:-\d\d){6})"
    r"(?P<copy>(?:[ _]?\(\d+\)| - copy(?: \(\d+\))?| copy(?: \d+)?)?)"
    r"(?P<ending>\.\w+)",
    re.I | re.A,
)

_SOUND_ARCHIVE = re.compile(r"Audio_(?:Speech|Song)_Actors?_\d\d.*\.zip", re.I | re.A)
_FIELDS = re.compile(r"(?<!\d)\d\d(?:-\d\d){6}(?!\d)", re.A)

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
    """The take a file name stands for, or None when it is not a RAVDESS name.

    The ending may be any, in any case, and what browsers and file managers add to the name of a
    second copy is passed over: ``... (1).mp4``, ``... - Copy.mp4``, ``... copy 2.mp4``.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    modality, channel, emotion, intensity, statement, repetition, actor = map(
        int, match["fields"].split("-")
    )
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


class RavdessFiles(NamedTuple):
    """Files below a folder that have RAVDESS names, or look like its archives."""

    takes: dict[Path, Take]
    """The MP4 files that hold pictures, the one to use before others of its take."""
    sounds: int
    """Files of sound alone: of modality 03, or by their ending."""
    converted: tuple[Path, ...]
    """Takes in another format: encoded again, so not what RAVDESS has, and not used."""
    archives: tuple[Path, ...]
    """Zips that nobody unpacked."""
    renamed: tuple[Path, ...] = ()
    """Videos with a take's fields and more in their names: copies, or something made of a take,
    which a name cannot tell apart, so not used."""

    def chosen(self) -> dict[tuple[int, tuple[int, ...]], Path]:
        """The file to use of each take, by actor and ``performance``."""
        found: dict[tuple[int, tuple[int, ...]], Path] = {}
        for path, take in self.takes.items():
            found.setdefault((take.actor, take.performance), path)
        return found


def find_files(root: Path) -> RavdessFiles:
    """Files of RAVDESS below ``root``; links to folders are followed.

    Of several files of a take the video-only one comes first, then that with sound, which shows
    the same pictures; of equals the largest, since downloads end early, then the one whose name
    is not a copy's. An empty file comes last.
    """
    takes: dict[Path, Take] = {}
    sounds, converted, archives, renamed = 0, [], [], []
    for path in _walk(root):
        take, ending = parse_name(path.name), path.suffix.lower()
        if take is None:
            archives += [path] if _ARCHIVE.fullmatch(path.name) else []
            sounds += bool(_SOUND_ARCHIVE.fullmatch(path.name))
            shown = ending in {".mp4", *_VIDEO_ENDINGS} and not path.name.startswith(".")
            renamed += [path] if shown and _FIELDS.search(path.name) else []
        elif take.modality == SOUND_ONLY or ending in _SOUND_ENDINGS:
            sounds += 1
        elif ending == ".mp4":
            takes[path] = take
        elif ending in _VIDEO_ENDINGS:
            converted.append(path)
    order = sorted(takes, key=lambda path: _rank(path, takes[path]))
    return RavdessFiles(
        {path: takes[path] for path in order},
        sounds,
        tuple(converted),
        tuple(archives),
        tuple(sorted(renamed)),
    )


def _walk(root: Path) -> Iterator[Path]:
    """Every file below ``root``, each folder once however it is reached."""
    seen: set[str] = set()
    # os.walk, unlike rglob, passes over a folder that vanishes or may not be read meanwhile.
    for folder, inner, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        yield from (Path(folder, name) for name in names)


def _rank(path: Path, take: Take) -> tuple[object, ...]:
    match = _NAME.fullmatch(path.name)
    copied = match is not None and bool(match["copy"])
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    plain = (take.actor, take.performance)
    return plain, size == 0, take.modality != VIDEO_ONLY, -size, copied, path.name, str(path)


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
    """RAVDESS below ``root`` for the actors that are there: video-only files, and the copy with
    sound of a take of which there is no other.

    Held out by trial: of statement 2, repetition 2, the normal-intensity take of each expression
    is the test clip; its strong take is trained on in the thesis split only. Donors come from
    ``root/donors.yaml``. Raises UnusableInputError when no clip is found.
    """
    files = find_files(root)
    if not files.takes:
        raise UnusableInputError(
            f"There is no RAVDESS video below {root}: {_instead(files)}",
            hint="Run `bench data fetch ravdess --actor 3` (about 1 GB an actor)."
            if not files.archives
            else "Unpack them next to where they are, and run the command again.",
        )
    clips: dict[int, list[Clip]] = {}
    for (actor, _), path in sorted(files.chosen().items()):
        take = files.takes[path]
        clip = Clip(path=path.resolve(), expression=take.expression, part=_part(take))
        clips.setdefault(actor, []).append(clip)
    return Dataset(
        name="ravdess",
        actors=tuple(
            Actor(
                number=number,
                sex=sex_of(number),
                clips=tuple(own),
                source=SOURCE,
                remark=_remark(number, files),
            )
            for number, own in sorted(clips.items())
        ),
        donors=donors_beside(root),
        sources=(SOURCE,),
    )


def _instead(files: RavdessFiles) -> str:
    """Content of a folder without videos, as the end of a sentence."""
    if files.archives:
        return f"{files.archives[0].name} is there, and was not unpacked."
    if files.converted:
        return (
            f"{files.converted[0].name} is not the MP4 that RAVDESS has, and a copy that was "
            "encoded again is another video."
        )
    if files.renamed:
        first = files.renamed[0]
        fields = _FIELDS.search(first.name)
        assert fields is not None
        return (
            f"{first.name} has more in its name than RAVDESS gives a file. If it is the original, "
            f"rename it {fields[0]}{first.suffix.lower()}."
        )
    if files.sounds:
        if files.sounds == 1:
            return "the 1 file with a RAVDESS name is sound alone."
        return f"the {files.sounds} files with RAVDESS names are sound alone."
    return "it was not fetched, or lies elsewhere."


def _remark(actor: int, files: RavdessFiles) -> str:
    used = {key: files.takes[path] for key, path in files.chosen().items() if key[0] == actor}
    expected = expected_takes(actor)
    missing = expected - {performance for _, performance in used}
    parts = []
    if missing:
        parts.append(f"{len(missing)} of {len(expected)} clips are missing")
        converted = {
            take.performance
            for take in map(parse_name, (path.name for path in files.converted))
            if take is not None and take.actor == actor
        }
        if number := len(missing & converted):
            there = f"{number} of them {'is' if number == 1 else 'are'} there"
            parts[0] += f" ({there} in another format than MP4, encoded again)"
        parts[0] += "; see `bench data verify`"
    if sound := sum(take.modality != VIDEO_ONLY for take in used.values()):
        parts.append(
            f"{sound} of {len(used)} clips are the copies with sound, which show the same pictures"
        )
    return "; ".join(parts)


def _part(take: Take) -> Part:
    if not take.is_test_trial:
        return Part.TRAINING
    return Part.TEST if take.intensity == _NORMAL else Part.THESIS_ONLY
