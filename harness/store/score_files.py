"""Scores as JSON files: read back whole, or counted as missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from harness.core.base import SCHEMA_VERSION, Frozen
from harness.core.errors import StoreError
from harness.store.observations import set_aside, store_sentences

Stored = TypeVar("Stored", bound=Frozen)


def load_stored(path: Path, model: type[Stored]) -> Stored | None:
    """The file as ``model``, or None when there is none. A damaged file is set aside and counts as
    none. Raises StoreError for one of a newer schema version, or that the disk refuses.
    """
    if not path.exists():
        return None
    with store_sentences(path):
        data = path.read_bytes()
    try:
        content: Any = json.loads(data)
        version = int(content["schema_version"])
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{path} was written by a newer version (schema {version}; this one reads up to "
                f"{SCHEMA_VERSION}).",
                hint="Upgrade deid-bench, or set BENCH_HOME to another folder.",
            )
        return model.model_validate_json(data)
    except (ValueError, KeyError, TypeError, ValidationError):
        set_aside(path)
        return None
