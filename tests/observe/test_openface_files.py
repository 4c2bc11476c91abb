"""OpenFace's CSV as it is written, and as it can be broken."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from harness.core.errors import UnusableInputError
from harness.observe.openface import (
    INTENSITIES,
    PRESENCES,
    import_openface,
    openface_path,
    read_openface,
)


def written(path: Path, rows: list[tuple[int, int, float, int, float]]) -> Path:
    """A CSV with OpenFace's spaced headers; rows are frame, face_id, confidence, success, value."""
    names = ["frame", "face_id", "confidence", "success", *(f"{u}_r" for u in INTENSITIES)]
    names += [f"{u}_c" for u in PRESENCES]
    lines = [", ".join(names)]
    for frame, face, confidence, success, value in rows:
        units = [value] * 17 + [1.0] * 18
        lines.append(", ".join(map(str, [frame, face, confidence, success, *units])))
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


@pytest.mark.clips
def test_the_real_file_has_all_units_that_an_import_needs(sample_dir: Path, tmp_path: Path) -> None:
    found = import_openface(sample_dir / "OpenFace_Test.csv", "ab12", 100, tmp_path)
    assert (found.frames, found.usable, found.faces) == (100, 100, 1)
    assert found.path == openface_path(tmp_path, "ab12")
    assert found.path.read_bytes() == (sample_dir / "OpenFace_Test.csv").read_bytes()


def test_a_refused_file_leaves_the_imported_one_as_it_was(tmp_path: Path) -> None:
    good = written(tmp_path / "a.csv", [(1, 0, 0.9, 1, 1.0), (2, 0, 0.2, 1, 1.0)])
    kept = import_openface(good, "ab12", 2, tmp_path)
    assert kept.usable == 1
    with pytest.raises(UnusableInputError):
        import_openface(written(tmp_path / "b.csv", [(1, 0, 0.9, 1, 1.0)]), "ab12", 2, tmp_path)
    assert kept.path.read_bytes() == good.read_bytes()


ROW = (1, 0, 0.9, 1, 1.0)


@pytest.mark.parametrize(
    ("rows", "frames", "message"),
    [
        ([ROW], 3, "rows for 1 of the video's 3 frames (the first one missing is 2)"),
        ([ROW, (2, 0, 0.9, 1, 1.0)], 1, "goes up to frame 2, but the video has 1"),
        ([(0, 0, 0.9, 1, 1.0)], 1, "a frame 0 in line 2; OpenFace counts frames from 1"),
        ([ROW, ROW], 1, "frame 1 twice for one face"),
        ([(1, 0, 0.9, 1, 7.5)], 1, "7.5 in column AU01_r, line 2"),
        ([], 1, "has no rows"),
    ],
)
def test_a_file_that_is_not_of_the_video_is_refused(
    tmp_path: Path, rows: list[tuple[int, int, float, int, float]], frames: int, message: str
) -> None:
    path = written(tmp_path / "x.csv", rows)
    with pytest.raises(UnusableInputError) as caught:
        import_openface(path, "ab12", frames, tmp_path)
    assert message in caught.value.message
    assert not openface_path(tmp_path, "ab12").exists()


@pytest.mark.parametrize("column", ["AU26_r", "AU28_c", "success", "confidence"])
def test_each_missing_column_is_named_on_import(tmp_path: Path, column: str) -> None:
    path = written(tmp_path / "a.csv", [ROW])
    pd.read_csv(path, skipinitialspace=True).drop(columns=[column]).to_csv(path, index=False)
    with pytest.raises(UnusableInputError, match=f"lacks the column {column}"):
        import_openface(path, "ab12", 1, tmp_path)


def test_a_file_of_several_faces_may_skip_frames_of_each(tmp_path: Path) -> None:
    rows = [(1, 0, 0.9, 1, 1.0), (1, 1, 0.9, 1, 3.0), (3, 1, 0.9, 1, 3.0)]
    found = import_openface(written(tmp_path / "a.csv", rows), "ab12", 4, tmp_path)
    assert (found.faces, found.usable) == (2, 2)
