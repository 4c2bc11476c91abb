"""OpenFace's CSV as it is written, and as it can be broken."""

from __future__ import annotations

from collections.abc import Callable
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
        import_openface(written(tmp_path / "b.csv", [(3, 0, 0.9, 1, 1.0)]), "ab12", 2, tmp_path)
    assert kept.path.read_bytes() == good.read_bytes()


ROW = (1, 0, 0.9, 1, 1.0)


@pytest.mark.parametrize(
    ("rows", "frames", "message"),
    [
        ([ROW], 3, "ends with frame 1 of the video's 3: it was broken off"),
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


def one_face(numbers: range, face: int = 0) -> list[tuple[int, int, float, int, float]]:
    return [(number, face, 0.95, 1, 2.0) for number in numbers]


@pytest.mark.parametrize("gone", [36, 1, 20])
def test_a_missing_row_is_a_frame_without_a_face(tmp_path: Path, gone: int) -> None:
    rows = [row for row in one_face(range(1, 37)) if row[0] != gone]
    found = import_openface(written(tmp_path / "a.csv", rows), "ab12", 36, tmp_path)
    assert (found.frames, found.usable, found.missing, found.faces) == (36, 35, 1, 1)
    assert gone - 1 not in set(read_openface(found.path)["frame"])


def test_a_last_line_that_was_cut_off_is_a_missing_row(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", one_face(range(1, 9)))
    path.write_text(path.read_text()[:-60])
    found = import_openface(path, "ab12", 8, tmp_path)
    assert (found.usable, found.missing) == (7, 1)


def test_the_way_out_of_a_wrong_count_is_a_folder_of_frames(tmp_path: Path) -> None:
    for rows, frames in ((one_face(range(1, 38)), 36), (one_face(range(1, 10)), 36)):
        with pytest.raises(UnusableInputError) as caught:
            import_openface(written(tmp_path / "a.csv", rows), "ab12", frames, tmp_path)
        assert caught.value.hint is not None
        assert "-fdir FOLDER" in caught.value.hint


def test_ids_that_flip_on_one_person_are_one_face(tmp_path: Path) -> None:
    rows = [(number, number // 7 % 3, 0.95, 1, 2.0) for number in range(1, 41)]
    # An id that OpenFace is about to give up is listed on, without a face.
    rows += [(7, 0, 0.0, 0, 0.0)]
    found = import_openface(written(tmp_path / "a.csv", rows), "ab12", 40, tmp_path)
    assert (found.usable, found.faces) == (40, 1)
    table = read_openface(found.path)
    assert table["frame"].tolist() == list(range(40))
    assert table["AU12"].notna().all()


def test_a_person_in_the_background_stays_another_one(tmp_path: Path) -> None:
    """Two ids of the main person, with somebody else in between and during both."""
    rows = one_face(range(1, 41)) + one_face(range(44, 81), face=2)
    rows += [(number, 1, 0.95, 1, 4.0) for number in range(20, 64)]
    found = import_openface(written(tmp_path / "a.csv", rows), "ab12", 80, tmp_path)
    assert (found.usable, found.faces) == (77, 2)
    assert set(read_openface(found.path)["AU12"]) == {2.0}


@pytest.mark.parametrize("spelled", ["-nan(ind)", "nan", "-nan", "1.#QNAN", "inf", "-1.#IND"])
@pytest.mark.parametrize("success", [0, 1])
def test_what_openface_could_not_compute_is_lost_coverage(
    tmp_path: Path, spelled: str, success: int
) -> None:
    rows = one_face(range(1, 4))
    path = written(tmp_path / "a.csv", [*rows, (4, 0, 0.77, success, 3.0)])
    path.write_text(path.read_text().replace("0.77", spelled).replace("3.0", spelled))
    found = import_openface(path, "ab12", 4, tmp_path)
    assert (found.usable, found.missing) == (3, 0)


def commas(text: str) -> str:
    return text.replace(".", ",")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: commas(text).replace(", ", ";"), "has semicolons between its cells"),
        (lambda text: commas(text), "cells in line 2 for 39 names"),
        (lambda text: text.replace("0.95", '"0,95"'), "has 0,95 in column confidence, line 2"),
    ],
    ids=["spreadsheet", "locale", "quoted"],
)
def test_a_decimal_comma_is_named(tmp_path: Path, change: Callable[[str], str], says: str) -> None:
    path = written(tmp_path / "a.csv", one_face(range(1, 4)))
    path.write_text(change(path.read_text()))
    with pytest.raises(UnusableInputError) as caught:
        import_openface(path, "ab12", 3, tmp_path)
    assert says in caught.value.message
    assert "decimals are written with commas" in caught.value.message


def test_a_byte_order_mark_and_quoted_names_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", one_face(range(1, 4)))
    text = path.read_text().replace("frame,", '"frame",', 1)
    path.write_text(text, encoding="utf-8-sig")
    assert import_openface(path, "ab12", 3, tmp_path).usable == 3


@pytest.mark.parametrize("end", ["\n\n\n", "\r\r\n", "\n\n"])
def test_empty_lines_are_passed_over_and_counted(tmp_path: Path, end: str) -> None:
    path = written(tmp_path / "a.csv", [(n, 0, 0.9, 1, 1.0) for n in (1, 2, 3)])
    lines = path.read_text().splitlines()
    path.write_bytes(("\n" + end.join(lines) + end + "\n").encode())
    assert import_openface(path, "a" * 64, 3, tmp_path).usable == 3
    path.write_text("\n".join([lines[0], "", lines[1].replace("0.9", "high"), *lines[2:]]) + "\n")
    with pytest.raises(UnusableInputError, match="column confidence, line 3"):
        read_openface(path)


@pytest.mark.parametrize("column", ["frame", "AU01_r"])
def test_a_column_that_is_there_twice_is_named(tmp_path: Path, column: str) -> None:
    path = written(tmp_path / "a.csv", [(1, 0, 0.9, 1, 1.0)])
    names, row = path.read_text().splitlines()
    path.write_text(f"{names}, {column}\n{row}, 1\n")
    with pytest.raises(UnusableInputError, match=f"has the column {column} more than once"):
        read_openface(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf16_is_named_with_the_mend(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "a.csv", [(1, 0, 0.9, 1, 1.0)])
    path.write_bytes(path.read_text().encode(encoding))
    with pytest.raises(UnusableInputError, match=r"not in UTF-8.*iconv"):
        read_openface(path)
