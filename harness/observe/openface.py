"""OpenFace 2.2 CSV files: brought in by the user, never computed here (its licence forbids it)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import UnusableInputError
from harness.model.observed import FACS_INTENSITY
from harness.observe.readers import Imported, OutputReader
from harness.store.observations import ObservationStore
from harness.store.tables import store_sentences

if TYPE_CHECKING:
    import pandas as pd

OBSERVER = "openface"
VERSION = "2.2"
MINIMUM_CONFIDENCE = 0.8
HIGHEST_INTENSITY = 5.0
INTENSITIES = (
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12",
    "AU14", "AU15", "AU17", "AU20", "AU23", "AU25", "AU26", "AU45",
)  # fmt: skip
"""The 17 units OpenFace gives an intensity for."""
PRESENCES = tuple(sorted((*INTENSITIES, "AU28")))
"""The 18 units it calls present or absent; AU28 has no intensity. Kept in the file, not scored."""


def openface_path(home: Path, sha256: str) -> Path:
    """The place of a user's OpenFace CSV of the video with this content."""
    return READER.path(ObservationStore(home), sha256)


def import_openface(csv: Path, sha256: str, frames: int, home: Path) -> Imported:
    """Check an OpenFace CSV against a video of ``frames`` frames and copy it into the store, in
    place of one that was there.

    Raises UnusableInputError for a file that is not an OpenFace CSV, or not of such a video;
    StoreError for the store.
    """
    from harness.store.atomic import write_bytes

    table = _load(csv)
    _need(table, csv, [f"{unit}_c" for unit in PRESENCES])
    numbers = _numbers(table, csv)
    faces = _face_ids(table)
    _check_frames(numbers["frame"], faces.nunique(), frames, csv)
    _check_range(numbers, csv)
    rows = read_openface(csv)
    path = openface_path(home, sha256)
    with store_sentences(csv):
        data = csv.read_bytes()
    write_bytes(path, data)
    usable = int(rows[list(INTENSITIES)].notna().all(axis=1).sum())
    return Imported(path=path, frames=frames, usable=usable, faces=faces.nunique())


def read_openface(path: Path) -> pd.DataFrame:
    """One row per frame of the main face: frame (from 0) and the 17 intensities (0 to 5).

    Rows that OpenFace marks as failed (success not 1) or doubts (confidence under 0.8) are NaN.
    Of several faces the main one is the face_id with the most accepted rows. Raises
    UnusableInputError that names a missing column or a cell that is not a number.
    """
    import pandas as pd

    table = _load(path)
    numbers = _numbers(table, path)
    accepted = (numbers["success"] == 1) & (numbers["confidence"] >= MINIMUM_CONFIDENCE)
    face_ids = _face_ids(table)
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


def _load(path: Path) -> pd.DataFrame:
    """The file's table with its columns' names stripped: OpenFace writes spaces after commas."""
    import pandas as pd

    try:
        table = pd.read_csv(path, skipinitialspace=True)
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise _unusable(path, f"cannot be read: {str(error).strip()}") from error
    table.columns = table.columns.str.strip()
    _need(table, path, ["frame", "confidence", "success", *(f"{unit}_r" for unit in INTENSITIES)])
    return table


def _need(table: pd.DataFrame, path: Path, names: list[str]) -> None:
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise _unusable(path, f"lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}")


def _face_ids(table: pd.DataFrame) -> pd.Series[int]:
    """FeatureExtraction writes no face_id, or 0; FaceLandmarkVidMulti one for each face."""
    import pandas as pd

    return table["face_id"] if "face_id" in table.columns else pd.Series(0, table.index)


def _numbers(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    import pandas as pd

    wanted = ["frame", "confidence", "success", *(f"{unit}_r" for unit in INTENSITIES)]
    numbers: pd.DataFrame = table[wanted].apply(pd.to_numeric, errors="coerce")
    for name in numbers.columns:
        bad = numbers[name].isna()
        if name.startswith("AU"):
            # OpenFace writes nan for the units of a frame in which it lost the face.
            bad &= numbers["success"] == 1
        if bad.any():
            raise _unusable(path, f"has no number in column {name}, line {_line(bad)}")
    odd = (numbers["frame"] < 1) | (numbers["frame"] % 1 != 0)
    if odd.any():
        number = numbers["frame"][odd].iloc[0]
        raise _unusable(
            path, f"has a frame {number:g} in line {_line(odd)}; OpenFace counts frames from 1"
        )
    return numbers


def _line(bad: pd.Series[bool]) -> int:
    """The number in the file of the first bad row; the header is line 1."""
    return int(bad.to_numpy().argmax()) + 2


def _check_frames(numbers: pd.Series[int], faces: int, frames: int, path: Path) -> None:
    seen = set(numbers.astype("int64"))
    if not seen:
        raise _unusable(path, "has no rows")
    if max(seen) > frames:
        raise _unusable(
            path,
            f"goes up to frame {max(seen)}, but the video has {frames}: it is of another video",
        )
    if faces == 1 and len(seen) < frames:
        lost = next(frame for frame in range(1, frames + 1) if frame not in seen)
        raise _unusable(
            path,
            f"has rows for {len(seen)} of the video's {frames} frames (the first one missing is "
            f"{lost}): it was broken off, or is of another video",
        )


def _check_range(numbers: pd.DataFrame, path: Path) -> None:
    for unit in INTENSITIES:
        values = numbers[f"{unit}_r"].where(numbers["success"] == 1)
        odd = (values < 0) | (values > HIGHEST_INTENSITY)
        if odd.any():
            raise _unusable(
                path,
                f"has {values[odd].iloc[0]:g} in column {unit}_r, line {_line(odd)}; OpenFace's "
                f"intensities go from 0 to {HIGHEST_INTENSITY:g}",
            )


def _unusable(path: Path, fault: str) -> UnusableInputError:
    return UnusableInputError(
        f"The OpenFace file {path} {fault}.",
        hint="Make it with OpenFace 2.2, from that very video: `FeatureExtraction -f VIDEO -aus`.",
    )


READER = OutputReader(
    source=OBSERVER,
    title="OpenFace",
    version=VERSION,
    ending=".csv",
    scale=FACS_INTENSITY,
    units=INTENSITIES,
    bring_in=import_openface,
    read=read_openface,
)
