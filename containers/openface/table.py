"""OpenFace's CSV as the driver judges it: columns, rows, frames with a face.

Standard library only and Python 3.6 syntax.
"""

from typing import Dict, List, NamedTuple

from containers.common.bench_driver import ToolFailedError

_UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
COLUMNS = (
    ["frame", "timestamp", "confidence", "success"]
    + ["AU%02d_r" % unit for unit in _UNITS]
    + ["AU%02d_c" % unit for unit in sorted([*_UNITS, 28])]
)
"""Columns that must be there: 17 intensities, and 18 presences (AU28 has no intensity)."""


class Table(NamedTuple):
    """A CSV in numbers."""

    rows: int
    with_face: int
    last: int
    """The number of the last frame, from 1; a frame may have no row."""


def read(path: str) -> Table:
    """Count the rows; raises ToolFailedError for a file that is no such table.

    Builds write spaces after commas: up to 2.1 in the header, all of them in the rows.
    """
    with open(path, encoding="utf-8", errors="replace") as stream:
        names = _cells(stream.readline())
        lacking = [name for name in COLUMNS if name not in names]
        if lacking:
            raise ToolFailedError(
                "OpenFace's table lacks %d columns, the first is %s: are the action units' models "
                "in the image?" % (len(lacking), lacking[0])
            )
        place = {name: names.index(name) for name in ("frame", "success")}
        return _count(stream.read().splitlines(), len(names), place)


def _count(lines: List[str], width: int, place: Dict[str, int]) -> Table:
    with_face = last = 0
    for number, line in enumerate(lines, 1):
        cells = _cells(line)
        try:
            frame = int(float(cells[place["frame"]]))
            whole = len(cells) == width and frame > last
            last = frame
            with_face += whole and float(cells[place["success"]]) == 1
        except ValueError:
            whole = False
        if not whole:
            raise ToolFailedError("OpenFace's table is broken in line %d." % (number + 1))
    return Table(len(lines), with_face, last)


def _cells(line: str) -> List[str]:
    return [cell.strip() for cell in line.rstrip("\r\n").split(",")]
