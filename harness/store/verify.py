"""Looks at every file of a results folder: is it what was stored? Nothing is changed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.core.paths import media_dir
from harness.store.archives import Archive
from harness.store.atomic import is_kept
from harness.store.cells import (
    ATTEMPT_FILE,
    RESULT_FILE,
    SPEC_FILE,
    read_attempt,
    read_result,
    read_spec,
)
from harness.store.manifests import BaseUse, ImageUse, PersonUse, SuiteUse, UnpreparedUse
from harness.store.media import gallery_damage
from harness.store.nights import OpenNight, read_night
from harness.store.observations import read_video_info
from harness.store.records import (
    DamagedError,
    is_content,
    read_members,
    read_record,
    set_aside,
    warn_left_out,
)
from harness.store.schema import STORE_FILE, StoreVersion, check_store
from harness.store.score_files import read_cohort, read_score
from harness.store.sources import DatasetSources
from harness.store.tables import stored_digest, table_damage

if TYPE_CHECKING:
    from pydantic import BaseModel

AGAIN = "the `bench run` it is of"
SCORE = "bench score"
NEVER = "restore it from a copy, since no command makes a night again"
ITSELF = ""
"""The next command that needs the file makes it again."""

Damage = Callable[[Path], str | None]
"""The damage of a file as a predicate; None for a sound one. Raises StoreError."""


class Finding(NamedTuple):
    """A file that is not what was stored, or is gone."""

    path: Path
    damage: str
    """A predicate: "is no JSON"."""
    remedy: str
    """The command that makes it again; empty when any that needs it does."""


@dataclass(frozen=True)
class Verification:
    """``verify_store``'s answer."""

    files: int
    findings: tuple[Finding, ...]
    aside: tuple[Path, ...]
    """Files that commands set aside earlier: nothing reads them."""


class _Kind(NamedTuple):
    pattern: str
    damage: Damage
    remedy: str


def verify_store(
    home: Path,
    archives: Iterable[tuple[Archive, str]],
    listen: Callable[[int, int], None] = lambda done, total: None,
) -> Verification:
    """Every file whose content something vouches for: records and tables by their own digest,
    media, faces of galleries and converted networks by their names, videos of results by the
    result, members of ``archives`` by what is recorded of them (each with the command that fetches
    it), scores by the observations that they were computed from.

    Logs, reports, and what a tool keeps in ``state`` are not looked at. ``listen`` hears files done
    and in all. Raises StoreError for a store of a newer version, or when the disk refuses.
    """
    check_store(home, looking_only=True)
    checks = [*_checks(home), *_archive_checks(home, archives)]
    findings = []
    for done, (path, damage, remedy) in enumerate(checks):
        listen(done, len(checks))
        if (what := damage(path)) is not None:
            findings.append(Finding(path, what, remedy))
    return Verification(
        files=len(checks),
        findings=tuple(findings),
        aside=tuple(sorted(_aside(home))),
    )


def set_findings_aside(verification: Verification) -> None:
    """Rename what was found damaged, so that it is made again by whoever needs it. Nights, which
    nothing makes again, stay for their user to look at. Each file is warned of.
    """
    for finding in verification.findings:
        if finding.remedy != NEVER and os.path.lexists(finding.path):
            set_aside(finding.path, finding.damage)


def sound_files(home: Path, pattern: str) -> list[Path]:
    """The files of a kind (its pattern below ``home``) that are what was stored; the others are
    warned of. Raises StoreError.
    """
    [kind] = [kind for kind in _KINDS if kind.pattern == pattern]
    sound = []
    for path in sorted(home.glob(pattern)):
        if (damage := kind.damage(path)) is None:
            sound.append(path)
        else:
            warn_left_out(path, damage)
    return sound


def _record(read: Callable[[Path], object]) -> Damage:
    """The damage that a reader names; a file that goes meanwhile has none."""

    def damage(path: Path) -> str | None:
        try:
            read(path)
        except FileNotFoundError:
            return None
        except DamagedError as error:
            return str(error)
        return None

    return damage


def _of(model: type[BaseModel]) -> Damage:
    return _record(lambda path: read_record(path, model))


def _content(sha256: str, path: Path) -> str | None:
    """Damage of a file whose SHA-256 is known."""
    if not path.exists():
        return "is gone"
    return None if is_content(path, sha256) else "is not what was stored: its SHA-256 is another"


def _kept(path: Path) -> str | None:
    named = re.fullmatch(r".*\.[0-9a-f]{16}\.\w+", path.name)
    return None if named is None or is_kept(path) else "is not what its name says"


_KINDS = (
    _Kind(STORE_FILE, _of(StoreVersion), ITSELF),
    _Kind(f"cells/*/{SPEC_FILE}", _record(read_spec), AGAIN),
    _Kind(f"cells/*/attempts/*/{ATTEMPT_FILE}", _record(read_attempt), ITSELF),
    _Kind(f"cells/*/{RESULT_FILE}", _record(read_result), ITSELF),
    _Kind("scores/*/[!.]*.json", _record(read_score), SCORE),
    _Kind("scores/*/[!.]*-frames.parquet", table_damage, SCORE),
    _Kind("scores/cohorts/*/[!.]*.json", _record(read_cohort), SCORE),
    _Kind("observations/*/[!.]*.parquet", table_damage, SCORE),
    _Kind("observations/*/video-info@*.json", _record(read_video_info), ITSELF),
    _Kind("observations/*/*.failed.json", _record(read_members), ITSELF),
    _Kind("manifests/people/[!.]*.json", _of(PersonUse), AGAIN),
    _Kind("manifests/images/[!.]*.json", _of(ImageUse), AGAIN),
    _Kind("manifests/bases/[!.]*.json", _of(BaseUse), "bench images build"),
    _Kind("manifests/suites/[!.]*.json", _of(SuiteUse), AGAIN),
    _Kind("manifests/unprepared/[!.]*.json", _of(UnpreparedUse), AGAIN),
    _Kind("sources/[!.]*.json", _of(DatasetSources), AGAIN),
    _Kind("nights/open-*.json", _of(OpenNight), ITSELF),
    _Kind(
        "nights/*/[!.]*.json",
        _record(read_night),
        "restore it from a copy, since no command makes a night again",
    ),
    _Kind("media/galleries/*", gallery_damage, ITSELF),
    _Kind("media/index/[!.]*.json", _record(read_members), AGAIN),
    _Kind("models/[!.]*.onnx", _kept, ITSELF),
    _Kind("models/[!.]*.json", _record(read_members), ITSELF),
)


def _aside(home: Path) -> Iterator[Path]:
    """Files set aside, alongside those of every kind; what a tool left is not gone through."""
    folders = {kind.pattern.rpartition("/")[0] for kind in _KINDS} | {"media"}
    for folder in (*folders, "cells/*/attempts/*/out"):
        yield from home.glob(f"{folder}/*.corrupt-*".lstrip("/"))


def _checks(home: Path) -> Iterator[tuple[Path, Damage, str]]:
    for kind in _KINDS:
        for path in sorted(home.glob(kind.pattern)):
            yield path, kind.damage, kind.remedy
    if (home / "cells").exists() and not (home / STORE_FILE).exists():
        yield home / STORE_FILE, lambda path: "is gone", AGAIN
    for path in sorted(media_dir(home).glob("[!.]*.*")):
        if path.is_file() and ".corrupt-" not in path.name:
            yield path, partial(_content, path.name.partition(".")[0]), AGAIN
    for folder in sorted((home / "cells").glob("*")):
        yield from _artifact_checks(folder)
    for pattern in ("scores/*/[!.]*.json", "scores/cohorts/*/[!.]*.json"):
        for path in sorted(home.glob(pattern)):
            yield path, partial(_outdated, home), SCORE


def _artifact_checks(folder: Path) -> Iterator[tuple[Path, Damage, str]]:
    """The files that a cell's result names, and its spec, which its other files need."""
    try:
        result = read_result(folder / RESULT_FILE)
    except (FileNotFoundError, DamagedError):
        result = None
    files = () if result is None else (result.swapped, *result.previews)
    for file in files:
        yield folder / file.path, partial(_content, file.sha256), AGAIN
    if (files or (folder / "attempts").exists()) and not (folder / SPEC_FILE).exists():
        yield folder / SPEC_FILE, lambda path: "is gone", AGAIN


def _outdated(home: Path, path: Path) -> str | None:
    """Damage of a sound score whose observations are no longer those that it was computed from."""
    read = read_cohort if path.parents[1].name == "cohorts" else read_score
    try:
        score = read(path)
    except (FileNotFoundError, DamagedError):
        return None
    for place, digest in score.observations.items():
        table = home / "observations" / place
        # A damaged one is named on its own.
        if table.exists() and table_damage(table) is None and stored_digest(table) != digest:
            return "was computed from other observations than are stored now"
    return None


def _archive_checks(
    home: Path, archives: Iterable[tuple[Archive, str]]
) -> Iterator[tuple[Path, Damage, str]]:
    for archive, remedy in archives:
        if archive.folder(home).is_dir():
            for member in archive.members:
                path = archive.folder(home) / member.name
                yield path, partial(_content, member.sha256), remedy
