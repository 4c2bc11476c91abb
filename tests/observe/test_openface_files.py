"""OpenFace's CSV as it is written, and as it can be broken."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from harness.errors import UnusableInputError
from harness.observe.openface import INTENSITIES, import_openface, openface_path, read_openface


def written(path: Path, rows: list[tuple[int, int, float, int, float]]) -> Path:
    """A CSV with OpenFace's spaced headers; rows are frame, face_id, confidence, success, value."""
    names = ["frame", "face_id", "confidence", "success", *(f"{u}_r" for u in INTENSITIES)]
    lines = [", ".join(names)]
    for frame, face, confidence, success, value in rows:
        lines.append(", ".join(map(str, [frame, face, confidence, success] + [value] * 17)))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.clips
def test_a_real_file_gives_seventeen_units_counted_from_zero(sample_dir: Path) -> None:
    path = sample_dir / "OpenFace_Test.csv"
    if not path.exists():
        pytest.skip("the sample does not hold OpenFace_Test.csv")
    table = read_openface(path)
    assert list(table.columns) == ["frame", *INTENSITIES]
    assert table["frame"].iloc[0] == 0
    assert table["AU01"].iloc[0] == 0.6773
    assert "AU28" not in table


def test_failed_and_doubtful_rows_have_no_values(tmp_path: Path) -> None:
    rows = [(1, 0, 0.95, 1, 2.0), (2, 0, 0.95, 0, 2.0), (3, 0, 0.5, 1, 2.0)]
    table = read_openface(written(tmp_path / "a b.csv", rows))
    assert table["AU12"].notna().tolist() == [True, False, False]


def test_the_main_face_is_the_one_seen_most(tmp_path: Path) -> None:
    rows = [(1, 0, 0.9, 1, 1.0), (1, 1, 0.9, 1, 3.0), (2, 1, 0.9, 1, 3.0)]
    table = read_openface(written(tmp_path / "two.csv", rows))
    assert table["AU12"].tolist() == [3.0, 3.0]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [(1, 0, 0.9, 1, 1.0)])
    table = pd.read_csv(path, skipinitialspace=True).drop(columns=["AU26_r"])
    table.to_csv(path, index=False)
    with pytest.raises(UnusableInputError, match="lacks the column AU26_r"):
        read_openface(path)


@pytest.mark.parametrize("content", ["", "frame, success\n1, x\n", "\x00\x01"])
def test_a_file_of_another_kind_is_refused_in_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(content)
    with pytest.raises(UnusableInputError, match="The OpenFace file"):
        read_openface(path)


def test_a_bad_cell_is_named_by_line_and_column(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", [(1, 0, 0.9, 1, 1.0)])
    path.write_text(path.read_text().replace("0.9", "much"))
    with pytest.raises(UnusableInputError, match="column confidence, line 2"):
        read_openface(path)


def test_an_imported_file_lies_with_the_observations(tmp_path: Path) -> None:
    path = import_openface(written(tmp_path / "a.csv", [(1, 0, 0.9, 1, 1.0)]), "ab12", tmp_path)
    assert path == openface_path(tmp_path, "ab12")
    assert len(read_openface(path)) == 1
