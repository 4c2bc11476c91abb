"""OpenFace 2.2 CSV files: brought in by the user, never computed here (its licence forbids it)."""

from __future__ import annotations

import csv
import re
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
READING = 2
MINIMUM_CONFIDENCE = 0.8
HIGHEST_INTENSITY = 5.0
INTENSITIES = (
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12",
    "AU14", "AU15", "AU17", "AU20", "AU23", "AU25", "AU26", "AU45",
)  # fmt: skip
"""The 17 units OpenFace gives an intensity for."""
PRESENCES = tuple(sorted((*INTENSITIES, "AU28")))
"""The 18 units it calls present or absent; AU28 has no intensity. Kept in the file, not scored."""


_NOT_A_NUMBER = re.compile(r"[-+]?(?:nan|inf|1\.#\w+)(?:\(\w*\))?", re.I)
_MAKE = "Make it with OpenFace 2.2, from that very video: `FeatureExtraction -f VIDEO -aus`."
_NOT_UTF8 = "is not in UTF-8, as OpenFace writes it: another program saved it"
_CONVERT = "Name the file as OpenFace wrote it, or: iconv -f UTF-16 -t UTF-8 OLD > NEW"
_FOLDER = (
    "Have OpenFace read the frames instead of the video: `ffmpeg -i VIDEO -fps_mode passthrough "
    "FOLDER/%06d.png`, then `FeatureExtraction -fdir FOLDER -aus`."
)


def openface_path(home: Path, sha256: str) -> Path:
    """The place of a user's OpenFace CSV of the video with this content."""
    return READER.path(ObservationStore(home), sha256)


def import_openface(file: Path, sha256: str, frames: int, home: Path) -> Imported:
    """Check an OpenFace CSV against a video of ``frames`` frames and copy it into the store, in
    place of one that was there.

    Raises UnusableInputError for a file that is not an OpenFace CSV, or not of such a video;
    StoreError for the store.
    """
    from harness.store.atomic import write_bytes

    table = _load(file)
    _need(table, file, [f"{unit}_c" for unit in PRESENCES])
    numbers = _numbers(table, file)
    _check_frames(numbers["frame"], frames, file)
    _check_range(numbers, file)
    accepted = _accepted(numbers)
    people = _people(_face_ids(table), numbers["frame"], accepted)
    rows = read_openface(file)
    path = openface_path(home, sha256)
    with store_sentences(file):
        data = file.read_bytes()
    write_bytes(path, data)
    return Imported(
        path=path,
        frames=frames,
        usable=int(rows[list(INTENSITIES)].notna().all(axis=1).sum()),
        faces=people[accepted].nunique(),
        missing=frames - numbers["frame"].nunique(),
    )


def read_openface(path: Path) -> pd.DataFrame:
    """One row per listed frame of the main face: frame (from 0) and the 17 intensities (0 to 5).

    Rows that OpenFace marks as failed (success not 1), doubts (confidence under 0.8) or could not
    compute are NaN. Face ids that never share a frame are one face, which OpenFace lost and found
    again; of several faces the main one has the most accepted rows. Raises UnusableInputError that
    names a missing column or a cell that is not a number.
    """
    import pandas as pd

    table = _load(path)
    numbers = _numbers(table, path)
    accepted, face_ids = _accepted(numbers), _face_ids(table)
    twice = pd.DataFrame({"face": face_ids, "frame": numbers["frame"]}).duplicated()
    if twice.any():
        raise _unusable(path, f"has frame {numbers['frame'][twice].iloc[0]:g} twice for one face")
    people = _people(face_ids, numbers["frame"], accepted)
    counts = accepted.groupby(people).sum()
    if len(counts):
        keep = people == counts.index[int(counts.to_numpy().argmax())]
        numbers, accepted = numbers[keep], accepted[keep]
    rows = pd.DataFrame({"frame": numbers["frame"].astype("int64") - 1})
    for unit in INTENSITIES:
        rows[unit] = numbers[f"{unit}_r"].where(accepted)
    # Where an id ends and the next begins, both may list a frame, and one of them has the face.
    ordered: pd.DataFrame = (
        rows.assign(accepted=accepted)
        .sort_values(["frame", "accepted"], kind="stable")
        .drop_duplicates("frame", keep="last")
        .drop(columns="accepted")
        .reset_index(drop=True)
    )
    return ordered


def _accepted(numbers: pd.DataFrame) -> pd.Series[bool]:
    return (numbers["success"] == 1) & (numbers["confidence"] >= MINIMUM_CONFIDENCE)


def _people(
    face_ids: pd.Series[str], frames: pd.Series[int], accepted: pd.Series[bool]
) -> pd.Series[str]:
    """For each row the first of the face ids that are one face.

    An id belongs to the face that it continues: the one without a frame in common that was seen
    last before it. Rows that are not accepted show no face, and keep ids apart no more than
    together.
    """
    found: dict[str, set[int]] = {
        face: set(frames[(face_ids == face) & accepted].astype("int64"))
        for face in face_ids.unique()
    }
    people: dict[str, set[int]] = {}
    first: dict[str, str] = {}
    for face in sorted(found, key=lambda one: (min(found[one], default=0), one)):
        own = found[face]
        apart = [one for one, seen in people.items() if own and seen and not own & seen]
        if apart:
            begin = min(own)
            near = max(apart, key=lambda one: max(f for f in people[one] if f < begin))
            people[near] |= own
            first[face] = near
        else:
            people[face], first[face] = set(own), face
    merged: pd.Series[str] = face_ids.map(first)
    return merged


def _load(path: Path) -> pd.DataFrame:
    """The file's table, all cells as text, names and cells stripped: OpenFace writes spaces after
    commas. Rows are named by their lines in the file; empty lines, and a last one that was cut off,
    are left out.
    """
    import pandas as pd

    try:
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.reader(text.splitlines(), skipinitialspace=True)
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if cells]
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise _unusable(path, _NOT_UTF8, hint=_CONVERT) from error
    except csv.Error as error:
        raise _unusable(path, f"cannot be read: {str(error).strip()}") from error
    if "\0" in text[:1000]:
        raise _unusable(path, _NOT_UTF8, hint=_CONVERT)
    names, rows = (lines[0][1], lines[1:]) if lines else ([], [])
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise _unusable(path, f"has the column {twice[0]} more than once")
    if len(names) == 1 and ";" in names[0]:
        raise _spreadsheet(path, "has semicolons between its cells")
    if rows and len(rows[-1][1]) < len(names):
        rows.pop()
    for line, cells in rows:
        while len(cells) > len(names) and not cells[-1]:
            cells.pop()
        if len(cells) > len(names):
            raise _spreadsheet(
                path, f"has {len(cells)} cells in line {line} for {len(names)} names"
            )
        if len(cells) < len(names):
            raise _unusable(path, f"is broken in line {line}: cells are missing there")
    table = pd.DataFrame(
        [cells for _, cells in rows],
        index=[line for line, _ in rows],
        columns=pd.Index(names, dtype=object),
        dtype=object,
    )
    _need(table, path, ["frame", "confidence", "success", *(f"{unit}_r" for unit in INTENSITIES)])
    return table


def _need(table: pd.DataFrame, path: Path, names: list[str]) -> None:
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise _unusable(path, f"lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}")


def _face_ids(table: pd.DataFrame) -> pd.Series[str]:
    """FeatureExtraction writes no face_id, or 0; FaceLandmarkVidMulti one for each face."""
    import pandas as pd

    return table["face_id"] if "face_id" in table.columns else pd.Series("0", table.index)


def _numbers(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    import pandas as pd

    wanted = ["frame", "confidence", "success", *(f"{unit}_r" for unit in INTENSITIES)]
    numbers: pd.DataFrame = table[wanted].apply(pd.to_numeric, errors="coerce")
    for name in numbers.columns:
        bad = numbers[name].isna()
        if name not in ("frame", "success"):
            # OpenFace writes nan, as the compiler spells it, for what it cannot compute, and
            # leaves out the units of a frame in which it lost the face.
            bad &= ~table[name].str.fullmatch(_NOT_A_NUMBER)
            bad &= (numbers["success"] == 1) | (table[name] != "")
        if bad.any():
            cell, line = table[name][bad].iloc[0], _line(bad)
            if re.fullmatch(r"[-+]?\d+,\d+", cell):
                raise _spreadsheet(path, f"has {cell} in column {name}, line {line}")
            raise _unusable(path, f"has no number in column {name}, line {line}")
    numbers = numbers.where(numbers.abs() != float("inf"))
    odd = ~(numbers["frame"] >= 1) | (numbers["frame"] % 1 != 0)
    if odd.any():
        number = numbers["frame"][odd].iloc[0]
        raise _unusable(
            path, f"has a frame {number:g} in line {_line(odd)}; OpenFace counts frames from 1"
        )
    return numbers


def _line(bad: pd.Series[bool]) -> int:
    """The number in the file of the first bad row, as ``_load`` noted it."""
    return int(bad.index[int(bad.to_numpy().argmax())])


def _check_frames(numbers: pd.Series[int], frames: int, path: Path) -> None:
    """Frames without a row are frames without a face; a file that ends in the first half of the
    video is not of this one."""
    if numbers.empty:
        raise _unusable(path, "has no rows")
    last = int(numbers.max())
    if last > frames:
        raise _unusable(
            path,
            f"goes up to frame {last}, but the video has {frames}: it is of another video, or "
            "OpenFace counts its frames otherwise",
            hint=_FOLDER,
        )
    if last <= frames // 2:
        raise _unusable(
            path,
            f"ends with frame {last} of the video's {frames}: it was broken off, or is of another "
            "video",
            hint=_FOLDER,
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


def _spreadsheet(path: Path, fault: str) -> UnusableInputError:
    return _unusable(
        path,
        f"{fault}: its decimals are written with commas, as a spreadsheet or another language does",
        hint="Name the file as OpenFace wrote it, or save it with points in the numbers and commas "
        "between the cells.",
    )


def _unusable(path: Path, fault: str, *, hint: str = _MAKE) -> UnusableInputError:
    return UnusableInputError(f"The OpenFace file {path} {fault}.", hint=hint)


READER = OutputReader(
    source=OBSERVER,
    title="OpenFace",
    version=VERSION,
    ending=".csv",
    scale=FACS_INTENSITY,
    units=INTENSITIES,
    bring_in=import_openface,
    read=read_openface,
    reading=READING,
)
