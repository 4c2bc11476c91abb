"""JSON records that carry their own digest: what a disk changed is damage, never another number."""

from __future__ import annotations

import json
import math
import os
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.core.base import SCHEMA_VERSION
from harness.core.errors import BenchWarning, StoreError
from harness.core.hashing import content_hash, file_state, known_sha256
from harness.store.atomic import write_json

if TYPE_CHECKING:
    from pydantic import BaseModel

DIGEST = "record_digest"
"""Member with the SHA-256 of the canonical JSON of all others. Records of earlier versions have
none, and are believed as far as their model can check them."""
PLACE = "record_place"
"""Member with the name of the file and its folder, so that no record passes for another."""
_MOST_BYTES = 256 << 20

Model = TypeVar("Model", bound="BaseModel")


class DamagedError(ValueError):
    """A stored file is not what was stored; the text is a predicate."""


def write_record(
    path: Path, value: BaseModel | dict[str, Any], *, in_any_folder: bool = False
) -> None:
    """Write a model, or the members of a JSON object, with its place and digest, by atomic rename.

    ``in_any_folder`` is for a folder that its user names. Raises ValueError for NaN or infinity,
    StoreError when the disk refuses.
    """
    plain = value if isinstance(value, dict) else value.model_dump(mode="json")
    # Hashed as it will be read: a tuple is a list there, a number that is a key a text.
    members = json.loads(json.dumps(plain, allow_nan=False))
    if not in_any_folder:
        members[PLACE] = _place_of(path)
    write_json(path, {**members, DIGEST: content_hash(members)})


def read_members(path: Path) -> dict[str, Any]:
    """The members of a record, without its digest and place, which are checked where it has them.

    Raises FileNotFoundError, DamagedError, and StoreError when the disk refuses.
    """
    try:
        data = _content(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(
            f"{path} cannot be read: {error.strerror or error}.",
            hint="Check the rights of this file and its folder, or set BENCH_HOME to another.",
        ) from error
    members = _parsed(data)
    if members.pop(PLACE, None) not in (None, _place_of(path)):
        raise DamagedError("is the record of something else")
    return members


def _place_of(path: Path) -> str:
    # A name that is no UTF-8 has no spelling in JSON.
    return f"{path.parent.name}/{path.name}".encode(errors="replace").decode()


def _content(path: Path) -> bytes:
    """The bytes of a plain file; no pipe is waited for."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise DamagedError("is no file")
        if status.st_size > _MOST_BYTES:
            raise DamagedError("is too large for a record")
        with os.fdopen(handle, "rb", closefd=False) as stream:
            return stream.read()
    finally:
        os.close(handle)


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        members = json.loads(
            data.decode(),
            parse_constant=_no_constant,
            parse_float=_finite,
            object_pairs_hook=_unique_members,
        )
    except (ValueError, RecursionError) as error:
        raise DamagedError("is no JSON") from error
    if not isinstance(members, dict):
        raise DamagedError("holds no record")
    digest = members.pop(DIGEST, None)
    if digest is None and PLACE in members:
        raise DamagedError("has lost its digest")
    if digest is not None and digest != content_hash(members):
        raise DamagedError("is not what was stored: its digest is another one")
    return members


def read_record(path: Path, kind: type[Model]) -> Model:
    """A record as a model. Raises as ``read_members``; a model that does not hold is damage too."""
    return model_of(read_members(path), kind)


def model_of(members: dict[str, Any], kind: type[Model]) -> Model:
    """Members as a model. Raises DamagedError when it does not hold."""
    try:
        # By way of JSON, where a model takes texts and lists for what they stand for.
        return kind.model_validate_json(json.dumps(members))
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"does not hold: {_first_words(error)}") from error


def read_about(path: Path, kind: type[Model], about: Callable[[Model], bool]) -> Model:
    """``read_record`` for a record whose place says what it is about; another's is damage.

    Raises StoreError for one of a newer schema version too.
    """
    members = read_members(path)
    refuse_newer(path, members.get("schema_version"))
    record = model_of(members, kind)
    if not about(record):
        raise DamagedError("is the record of something else")
    return record


def refuse_newer(path: Path, version: object) -> None:
    """Raise StoreError for a file whose schema version is above the one that is read here."""
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer version (schema {version}; this one reads up to "
            f"{SCHEMA_VERSION}).",
            hint="Upgrade deid-bench, or set BENCH_HOME to another folder.",
        )


def set_aside(path: Path, damage: str) -> None:
    """Rename a damaged file to the first free ``<name>.corrupt-<n>``, and warn, with the reason.

    It stays where the disk refuses: a finished study can be looked at on a read-only one.
    """
    number = 1
    while os.path.lexists(aside := path.with_name(f"{path.name}.corrupt-{number}")):
        number += 1
    text = f"{path} {damage}. "
    try:
        path.rename(aside)
        text += f"It was renamed to {aside.name}, and is made again by the command that needs it."
    except OSError as error:
        text += f"It is left out, and could not be set aside: {error.strerror}."
    warnings.warn(text, BenchWarning, stacklevel=2)


def is_content(path: Path, sha256: str) -> bool:
    """True when a file is there and has that SHA-256, looked at once for each state of the file.

    Raises StoreError when the disk refuses.
    """
    try:
        # A pipe in its place would be waited for.
        return path.is_file() and known_sha256(path) == sha256
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError(
            f"{path} cannot be read: {error.strerror or error}.",
            hint="Check the rights of this file and its folder, or set BENCH_HOME to another.",
        ) from error


def is_sound(path: Path, sha256: str) -> bool:
    """``is_content``; a file that has another SHA-256 is set aside, for what makes it again."""
    if is_content(path, sha256):
        return True
    if path.exists():
        set_aside(path, "is not what was stored: its SHA-256 is another one")
    return False


class VerifiedFile:
    """A file that is measured: it is what its SHA-256 says, from before to after."""

    def __init__(self, path: Path, sha256: str) -> None:
        """Raises StoreError for a file that is gone, or is another one: it is set aside."""
        self._path = path
        if not is_sound(path, sha256):
            raise StoreError(
                f"{path} is gone or damaged, so nothing was measured in it.",
                hint="Run the same `bench run` again: it makes the file again, from the dataset "
                "or by running the tool.",
            )
        self._state = file_state(path)

    def check(self) -> None:
        """Raise StoreError when the file was changed meanwhile; call it before storing."""
        if not self._path.exists() or file_state(self._path) != self._state:
            raise StoreError(
                f"{self._path} was changed while it was measured, so nothing of it was stored.",
                hint="Let nothing else write to the results folder, then run the command again.",
            )


def warn_left_out(path: Path, damage: str) -> None:
    """Warn of a damaged file that stays where it is and is left out."""
    warnings.warn(f"{path} {damage}; it is left out.", BenchWarning, stacklevel=2)


def _first_words(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    first = errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large")
    return number


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member comes twice")
    return members
