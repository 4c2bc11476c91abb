"""OpenFace 2.2 CSV files: brought in by the user, never computed here (its licence forbids it)."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UnusableInputError
from harness.observe.store import store_sentences

if TYPE_CHECKING:
    import pandas as pd

OBSERVER = "openface"
VERSION = "2.2"
MINIMUM_CONFIDENCE = 0.8
INTENSITIES = (
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12",
    "AU14", "AU15", "AU17", "AU20", "AU23", "AU25", "AU26", "AU45",
)  # fmt: skip
"""The 17 units OpenFace gives an intensity for (AU28 has only a presence)."""


def openface_path(home: Path, sha256: str) -> Path:
    """Where a user's OpenFace CSV of the video with this content belongs."""
    return home / "observations" / sha256 / f"{OBSERVER}@{VERSION}.csv"


def import_openface(csv: Path, sha256: str, home: Path) -> Path:
    """Check an OpenFace CSV and copy it into the store; returns where it is.

    Raises UnusableInputError for a file that is not an OpenFace CSV, StoreError for the store.
    """
    read_openface(csv)
    path = openface_path(home, sha256)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    with store_sentences(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(csv, partial)
        partial.replace(path)
    return path


def read_openface(path: Path) -> pd.DataFrame:
    """One row per frame of the main face: frame (from 0) and the 17 intensities (0 to 5).

    Rows that OpenFace marks as failed (success not 1) or doubts (confidence under 0.8) are NaN.
    Of several faces the main one is the face_id with the most accepted rows. Raises
    UnusableInputError that names a missing column or a cell that is not a number.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, skipinitialspace=True)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise _unusable(path, f"cannot be read: {error}") from error
    table.columns = table.columns.str.strip()
    wanted = ["frame", "confidence", "success", *(f"{unit}_r" for unit in INTENSITIES)]
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise _unusable(path, f"lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}")
    face_ids = table["face_id"] if "face_id" in table.columns else pd.Series(0, table.index)
    numbers = _numbers(table[wanted], path)
    accepted = (numbers["success"] == 1) & (numbers["confidence"] >= MINIMUM_CONFIDENCE)
    counts = accepted.groupby(face_ids).sum()
    if len(counts):
        keep = face_ids == counts.index[int(counts.to_numpy().argmax())]
        numbers, accepted = numbers[keep], accepted[keep]
    rows = pd.DataFrame({"frame": numbers["frame"].astype("int64") - 1})
    for unit in INTENSITIES:
        rows[unit] = numbers[f"{unit}_r"].where(accepted)
    if rows["frame"].duplicated().any():
        twice = int(rows["frame"][rows["frame"].duplicated()].iloc[0]) + 1
        raise _unusable(path, f"has frame {twice} twice for one face")
    ordered: pd.DataFrame = rows.sort_values("frame", ignore_index=True)
    return ordered


def _numbers(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    import pandas as pd

    numbers: pd.DataFrame = table.apply(pd.to_numeric, errors="coerce")
    for name in numbers.columns:
        bad = numbers[name].isna()
        if name.startswith("AU"):
            # OpenFace writes nan for the units of a frame in which it lost the face.
            bad &= numbers["success"] == 1
        if bad.any():
            line = int(bad.to_numpy().argmax()) + 2
            raise _unusable(path, f"has no number in column {name}, line {line}")
    return numbers


def _unusable(path: Path, what: str) -> UnusableInputError:
    return UnusableInputError(
        f"The OpenFace file {path} {what}.",
        hint="Make it with OpenFace 2.2: `FeatureExtraction -f VIDEO -aus`.",
    )
