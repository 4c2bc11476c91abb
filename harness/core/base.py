"""The base of all models that cross a boundary."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1
"""Version of every file the store holds. A store written by a newer version is refused."""


class Frozen(BaseModel):
    """Immutable, and strict about unknown fields: a misspelt one is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")
