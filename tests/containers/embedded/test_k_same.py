"""The k-Same family: who shares a face, what it looks like, and that its bound holds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from adapters.k_same import K_SAME, K_SAME_M, K_SAME_SELECT
from containers.common.bench_driver import InputUnusableError, Job
from containers.embedded.faces import FaceFinder, Frame
from containers.embedded.k_same import PIXELS, Method, Replacer, groups_of
from containers.embedded.k_same_faces import (
    CHIP_PX,
    Member,
    expression_of,
    read_gallery,
    similarity,
)
from containers.embedded.k_same_groups import join_small_classes, partition, partition_by_class
from containers.embedded.k_same_m import MODEL
from containers.embedded.landmarks import Landmarker
from harness.media.frames import read_frames
from harness.model.job import ExitCode
from harness.model.tool import Tool
from tests.containers.embedded.conftest import Ran, each

METHODS = pytest.mark.parametrize("method", [PIXELS, MODEL], ids=["pixels", "model"])
clips_needed = pytest.mark.clips


@st.composite
def galleries(draw: st.DrawFn) -> tuple[NDArray[np.float64], list[str], int]:
    """Distances between people on a line, their classes, and a k that they are enough for."""
    k = draw(st.integers(2, 5))
    places = draw(st.lists(st.floats(0, 1), min_size=k, max_size=30))
    labels = draw(st.lists(st.sampled_from("abc"), min_size=len(places), max_size=len(places)))
    line = np.array(places)
    return np.abs(line[:, None] - line[None]), labels, k


@given(galleries())
def test_everybody_is_in_one_group_of_at_least_k_and_less_than_twice_k(
    case: tuple[NDArray[np.float64], list[str], int],
) -> None:
    distances, labels, k = case
    for groups in (partition(distances, k), partition_by_class(distances, labels, k)):
        members = [member for group in groups for member in group]
        assert sorted(members) == list(range(len(labels)))
        assert all(k <= len(group) < 2 * k for group in groups)


@given(galleries())
def test_classes_are_mixed_only_when_one_is_too_small(
    case: tuple[NDArray[np.float64], list[str], int],
) -> None:
    distances, labels, k = case
    counts = [labels.count(label) for label in set(labels)]
    mixed = [g for g in partition_by_class(distances, labels, k) if len({labels[i] for i in g}) > 1]
    assert bool(join_small_classes(labels, k) != tuple((x,) for x in sorted(set(labels)))) == (
        len(counts) > 1 and min(counts) < k
    )
    assert min(counts) < k or not mixed


def test_the_nearest_share_a_face() -> None:
    line = np.array([0.0, 5.0, 0.1, 5.1, 9.0])
    assert partition(np.abs(line[:, None] - line[None]), 2) == ((0, 2), (1, 3, 4))


def test_fewer_than_k_are_refused() -> None:
    with pytest.raises(ValueError, match="fewer than k = 3"):
        partition(np.zeros((2, 2)), 3)


def test_a_similarity_undoes_a_turn_a_scaling_and_a_shift() -> None:
    points = np.array([(0, 0), (4, 0), (4, 3)], dtype=np.float32)
    turned = points @ np.array([(0, 2), (-2, 0)], dtype=np.float32) + 7
    matrix = similarity(points, turned.astype(np.float32))
    np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], turned, atol=1e-6)


@pytest.mark.parametrize(
    ("weights", "word"),
    [
        ({"mouthSmileLeft": 0.6, "mouthSmileRight": 0.5}, "smile"),
        ({"jawOpen": 0.5}, "open mouth"),
        ({"jawOpen": 0.1}, "neutral"),
    ],
)
def test_an_expression_has_a_word(weights: dict[str, float], word: str) -> None:
    assert expression_of(weights) == word


MakeJob = Callable[..., Job]


@pytest.fixture
def make_job(driver: Any, clips: Path, people: dict[int, Path]) -> MakeJob:
    """The driver's job for one of the six people."""

    def make(tool: Tool, number: int, settings: dict[str, Any] | None = None) -> Job:
        fields = driver.job(tool, clips / "woman.mp4", settings).model_dump(mode="json")
        fields["inputs"]["actor_reference"] = str(people[number])
        return Job(fields)

    return make


@pytest.fixture(scope="module")
def members(gallery: Path, face_landmarker: Path) -> list[Member]:
    inputs = {"gallery": str(gallery), "face_landmarker": str(face_landmarker)}
    fields = {"step": "convert", "tool": "k-same", "version": "1", "state": "", "out": ""}
    return read_gallery(Job({**fields, "inputs": inputs, "settings": {}}), Landmarker())


@clips_needed
def test_the_gallery_is_read_by_number_with_sex_and_face(members: list[Member]) -> None:
    assert [member.number for member in members] == [2, 3, 10, 11, 12, 13]
    assert [member.sex for member in members][:3] == ["female", "male", "male"]
    for member in members:
        eyes = member.points[36:48].mean(axis=0)
        assert np.abs(eyes - (128, 105)).max() < 12


def _embed(chip: Frame) -> NDArray[np.float64]:
    """dlib's 128 numbers of a chip, in which the place of the face is known."""
    import face_recognition

    rgb = np.ascontiguousarray(chip[:, :, ::-1])
    (found,) = face_recognition.face_encodings(rgb, known_face_locations=[(64, 210, 236, 46)])
    return np.asarray(found)


def _rank_1(
    probes: dict[int, NDArray[np.float64]], enrolled: dict[int, NDArray[np.float64]]
) -> float:
    """The share of probes whose nearest enrolled face is the same person's."""
    right = sum(
        min(enrolled, key=lambda other: float(np.linalg.norm(enrolled[other] - probe))) == number
        for number, probe in probes.items()
    )
    return right / len(probes)


@clips_needed
@METHODS
@pytest.mark.parametrize("k", [2, 3])
def test_a_naive_recogniser_is_right_for_at_most_one_in_k(
    method: Method, k: int, members: list[Member]
) -> None:
    enrolled = {member.number: _embed(member.chip) for member in members}
    probes: dict[int, NDArray[np.float64]] = {}
    for group in groups_of(members, method, k, "none"):
        shared, _ = method.average([members[place] for place in group])
        probes |= {members[place].number: _embed(shared) for place in group}
    assert len(probes) == len(members)
    assert _rank_1(enrolled, enrolled) == 1, "the recogniser must distinguish the originals"
    seen = _rank_1(probes, enrolled)
    print(f"naive rank-1, k = {k}: expected at most {1 / k:.3f}, seen {seen:.3f}")
    assert seen <= 1 / k


@clips_needed
def test_all_of_a_group_get_the_same_face_whoever_asks(make_job: MakeJob) -> None:
    shown: dict[tuple[int, ...], list[Frame]] = {}
    for number in (2, 3, 10, 12):
        replacer = Replacer(make_job(K_SAME, number, {"k": 3}), PIXELS, ("none",))
        shown.setdefault(tuple(replacer.numbers), []).append(replacer.face)
    assert set(shown) == {(2, 3, 11), (10, 12, 13)}
    for first, second in shown.values():
        assert np.array_equal(first, second)


def _dotted(number: int, points: NDArray[np.float32]) -> Member:
    """A black face with one bright dot, at the nose's tip."""
    chip = np.zeros((CHIP_PX, CHIP_PX, 3), dtype=np.uint8)
    x, y = points[30]
    cv2.circle(chip, (round(float(x)), round(float(y))), 4, (255, 255, 255), -1)
    return Member(number, "male", "neutral", str(number), chip, points)


def test_shape_and_texture_averaged_apart_do_not_show_double() -> None:
    rows, columns = np.divmod(np.arange(77), 9)
    points = np.stack([40 + 20 * columns, 40 + 20 * rows], axis=1).astype(np.float32)
    moved = points.copy()
    moved[30] += (12, 0)
    faces = [_dotted(2, points), _dotted(3, moved)]
    double, _ = PIXELS.average(faces)
    single, shape = MODEL.average(faces)
    assert double.max() <= 128, "two faint dots"
    x, y = shape[30]
    assert (x, y) == (points[30, 0] + 6, points[30, 1])
    assert single[round(float(y)), round(float(x))].min() > 200, "one bright dot between the two"


@clips_needed
def test_without_surroundings_nothing_of_the_actor_is_left(
    make_job: MakeJob, people: dict[int, Path]
) -> None:
    shown = []
    for number in (2, 3, 11):
        job = make_job(K_SAME, number, {"k": 3, "surroundings": "remove"})
        replacer = Replacer(job, PIXELS, ("none",))
        assert replacer.numbers == [2, 3, 11]
        photo = np.asarray(cv2.imread(str(people[number])), dtype=np.uint8)
        with FaceFinder(job.input("face_landmarker"), None) as finder:
            (face,) = finder.find(photo)
        alone = replacer(photo, face)
        assert alone.shape == photo.shape
        side = min(photo.shape[:2])
        top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
        shown.append(cv2.resize(alone[top : top + side, left : left + side], (64, 64)))
        alone[top : top + side, left : left + side] = 0
        assert not alone.any()
    assert np.abs(shown[0].astype(int) - shown[1].astype(int)).mean() < 4
    assert np.abs(shown[0].astype(int) - shown[2].astype(int)).mean() < 4


@clips_needed
def test_selected_by_sex_only_women_share_a_womans_face(make_job: MakeJob) -> None:
    mixed = Replacer(make_job(K_SAME_SELECT, 2, {"k": 4}), PIXELS, ("sex", "expression"))
    alike = Replacer(make_job(K_SAME_SELECT, 2, {"k": 2}), PIXELS, ("sex", "expression"))
    assert mixed.numbers == [2, 3, 10, 11, 12, 13], "two men are too few for a k of 4"
    assert set(alike.numbers) <= {2, 11, 12, 13}


@clips_needed
@each([K_SAME, K_SAME_SELECT, K_SAME_M])
def test_the_face_changes_stands_still_and_the_background_stays(
    tool: Tool, ran: Ran, clips: Path, face_landmarker: Path
) -> None:
    ended = ran(tool, "woman.mp4")
    assert ended.code == ExitCode.DONE, ended.errors
    assert ended.report.frames_without_face == 0
    assert any("mean face of actors 2, " in note for note in ended.report.notes)
    before = np.stack(list(read_frames(clips / "woman.mp4"))).astype(int)
    frames = list(read_frames(ended.swapped))
    change = np.abs(np.stack(frames).astype(int) - before)
    assert change[:, :, :150].mean() < 3
    assert (change.max(axis=3) > 15).mean() > 0.02
    with FaceFinder(str(face_landmarker), None) as finder:
        assert finder.find(frames[0])


@clips_needed
def test_a_gallery_of_fewer_than_k_faces_is_unusable(driver: Any, clips: Path) -> None:
    ended = driver.run(K_SAME, clips / "empty.mp4", {"k": 7})
    assert ended.code == ExitCode.INPUT_UNUSABLE
    assert "k is 7, but the gallery shows a face of 6 people only" in ended.errors


@clips_needed
def test_a_stranger_to_the_gallery_and_a_broken_gallery_are_unusable(
    make_job: MakeJob, people: dict[int, Path], gallery: Path, tmp_path: Path
) -> None:
    job = make_job(K_SAME, 2)
    job.inputs["actor_reference"] = job.inputs["face_landmarker"]
    with pytest.raises(InputUnusableError, match="not in the gallery"):
        Replacer(job, PIXELS, ("none",))
    twice = tmp_path / "twice"
    shutil.copytree(gallery, twice)
    shutil.copyfile(twice / "actor02.png", twice / "actor03.png")
    job.inputs["gallery"] = str(twice)
    with pytest.raises(InputUnusableError, match="same photo"):
        read_gallery(job, Landmarker())
    (twice / "gallery.json").write_text("[{}]")
    with pytest.raises(InputUnusableError, match="cannot be read"):
        read_gallery(job, Landmarker())
