"""DFaker's real driver and launchers against stand-ins of its scripts (stand_in/)."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from adapters.dfaker import DFAKER
from containers.dfaker import saves
from harness.media.ffmpeg import run_ffmpeg
from harness.media.probe import probe
from harness.model.job import Role, Step
from tests.containers import old_pythons
from tests.containers.conftest import FRAMEWORKS, REVISION, Cell, Done, MakeCell

STAND_IN = Path(__file__).parent / "stand_in"
SMALL = {"iterations": 120, "train_interval": 1, "preview_every": 0}
# What they share is made once in a worker.
pytestmark = pytest.mark.xdist_group("driver-dfaker")


@pytest.fixture(scope="session")
def videos(
    tmp_path_factory: pytest.TempPathFactory, small_videos: dict[Role, Path]
) -> dict[Role, Path]:
    """Training videos of 40 frames: a batch takes 32 faces."""
    folder = tmp_path_factory.mktemp("longer videos")
    found = dict(small_videos)
    for role, rate in ((Role.ACTOR_TRAINING, 25), (Role.DONOR_TRAINING, 24)):
        found[role] = folder / f"{role}.mp4"
        made = ["-f", "lavfi", "-i", f"testsrc=size=64x64:rate={rate}", "-frames:v", "40"]
        run_ffmpeg([*made, "-c:v", "libx264", "-y", str(found[role])])
    return found


@pytest.fixture(scope="session")
def make_cell(videos: dict[Role, Path], bare_python: str) -> MakeCell:
    """Makes a cell with nothing done."""
    # The launchers and train.py need NumPy and OpenCV.
    needed = [Path(np.__file__).parents[1], Path(cv2.__file__).parents[1]]
    paths = [STAND_IN / "packages", FRAMEWORKS, Path.cwd(), *needed]
    environment = {
        "DFAKER": str(STAND_IN),
        "DFAKER_PYTHON": bare_python,
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
    }
    return lambda folder: Cell(DFAKER, folder, videos, dict(SMALL), dict(environment))


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory, make_cell: MakeCell) -> Done:
    """An extraction: test frame 4 has no face, 5 has two."""
    cell = make_cell(tmp_path_factory.mktemp("extracted"))
    return cell.done_for_all(Step.EXTRACT, blind=[4], crowd=[5])


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, make_cell: MakeCell, extracted: Done) -> Done:
    """A training after it."""
    cell = make_cell(tmp_path_factory.mktemp("model")).starts_from(extracted)
    return cell.done_for_all(Step.TRAIN)


def _weights(cell: Cell) -> list[str]:
    folder = cell.state / "training" / "models"
    return [(folder / name).read_text() for name in saves.FILES]


def test_faces_are_aligned_trained_and_merged_into_every_frame(
    extracted: Done, model: Done, trained: Cell
) -> None:
    found = extracted.ended.report
    assert found.faces_found == {"actor_training": 40, "donor_training": 40, "test_video": 11}
    assert found.upstream_revision == REVISION
    assert model.ended.report.iterations == 120
    assert _weights(model.cell) == ["120"] * 3
    ended = trained.done(Step.CONVERT)
    made, asked = probe(ended.out / "swapped.mp4"), probe(trained.videos[Role.TEST_VIDEO])
    assert (made.frames, made.width, made.height, made.fps) == (12, 96, 64, asked.fps)
    assert ended.report.frames_without_face == 1
    assert ended.report.frames_with_several_faces == 1
    assert ended.report.notes == ("Frames without a face, put back as they were: 1.",)
    assert "faces 11 seamless False" in ended.log, "of two faces one is merged"


def test_the_largest_face_is_the_one_that_is_merged(extracted: Done) -> None:
    listed = json.loads((extracted.cell.state / "faces_test_video" / "alignments.json").read_text())
    crowd = [entry for entry in listed if entry[0] == "000005.png"]
    assert [entry[1] for entry in crowd] == ["000005_1.jpg"]


def test_the_training_finds_its_layout(model: Done) -> None:
    for side in ("A", "B"):
        data = model.cell.state / "training" / "data" / side
        assert len(list(data.glob("*.jpg"))) == 40
        assert (data / "alignments.json").exists()


@pytest.mark.parametrize("role", ["donor_training", "actor_training"])
def test_a_training_video_without_enough_faces_is_unusable(role: str, ready: Cell) -> None:
    ready.forget_faces(role)
    ended = ready.run(Step.EXTRACT, faceless=[role])
    assert ended.code == 65
    assert role.split("_")[0] in ended.sentence


def test_fewer_faces_than_a_batch_are_refused_before_the_tool_waits_for_ever(ready: Cell) -> None:
    ready.settings["train_interval"] = 2
    ended = ready.run(Step.EXTRACT)
    assert ended.code == 65
    assert "needs 32 faces" in ended.sentence


def test_a_kill_in_the_middle_of_a_save_leaves_the_old_model(ready: Cell) -> None:
    # The save of iteration 101 is cut short after its first file.
    assert ready.run(Step.TRAIN, die_in_save=True).code == 70
    assert _weights(ready) == ["1", "1", "1"]
    ended = ready.done(Step.TRAIN)
    assert ended.report.iterations == 120
    assert _weights(ready) == ["120"] * 3
    counts = [int(event.done or 0) for event in ended.events if event.kind == "progress"]
    assert min(counts) >= 1


def test_a_killed_training_goes_on_and_its_iterations_are_counted(ready: Cell) -> None:
    assert ready.run(Step.TRAIN, die_at=110).code == 70
    spent = json.loads((ready.state / "training" / "budget.json").read_text())
    assert spent["iterations"] == 101
    ended = ready.done(Step.TRAIN)
    # 120, of which 101 were there: train.py itself counts from nothing again.
    assert _weights(ready) == ["120"] * 3
    assert ended.report.iterations == 120


def test_a_killed_driver_leaves_a_whole_model(ready: Cell) -> None:
    code = ready.interrupt(Step.TRAIN, lambda line: "saved at 101" in line, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert ready.done(Step.TRAIN).report.iterations == 120
    assert _weights(ready) == ["120"] * 3


def test_replacing_that_was_cut_short_is_carried_out(tmp_path: Path) -> None:
    for name in saves.FILES:
        (tmp_path / name).write_text("old")
        Path(saves.beside(str(tmp_path / name))).write_text("new")
    saves.commit(str(tmp_path), 7)
    assert saves.recover(str(tmp_path)) == 7
    for name in saves.FILES[1:]:
        Path(saves.beside(str(tmp_path / name))).write_text("newer")
    (tmp_path / "replacing.json").write_text('{"iterations": 9}')
    (tmp_path / saves.FILES[0]).write_text("newer")
    assert saves.recover(str(tmp_path)) == 9
    assert {(tmp_path / name).read_text() for name in saves.FILES} == {"newer"}
    assert {path.name for path in tmp_path.iterdir()} == {*saves.FILES, "saved.json"}


def test_files_that_were_not_all_written_are_thrown_away(tmp_path: Path) -> None:
    Path(saves.beside(str(tmp_path / saves.FILES[0]))).write_text("half")
    assert saves.recover(str(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


def test_wall_hours_stop_a_training_with_a_whole_save(ready: Cell) -> None:
    ready.settings.update(iterations=0, hours=0.3 / 3600)
    ended = ready.done(Step.TRAIN)
    assert set(_weights(ready)) == {str(ended.report.iterations)}
    assert any("hours" in (event.text or "") for event in ended.events)


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        ({"nan_at": 7}, "the loss 'a' is no number"),
        ({"error_at": 7}, "OOM when allocating tensor"),
        ({"die_at": 1}, "exit code -9"),
    ],
)
def test_a_training_that_fails_is_a_failure(wish: dict[str, Any], text: str, ready: Cell) -> None:
    ended = ready.run(Step.TRAIN, **wish)
    assert ended.code == 70
    assert text in ended.sentence + ended.log
    assert not (ended.out / "step.json").exists()


def test_a_model_that_cannot_be_loaded_is_not_taken_for_a_new_one(trained: Cell) -> None:
    trained.settings["iterations"] = 150
    (trained.state / "training" / "models" / "decoder_A.h5").write_text("rot")
    ended = trained.run(Step.TRAIN)
    assert ended.code == 70
    assert "decoder_A.h5 cannot be loaded" in ended.sentence


def test_predictions_are_made_for_kept_previews_only(ready: Cell) -> None:
    ready.settings.update(preview_every=100, iterations=210)
    ended = ready.done(Step.TRAIN)
    kept = sorted(path.name for path in (ended.out / "previews").iterdir())
    assert kept == ["00000001.jpg", "00000100.jpg", "00000200.jpg"]
    assert "predictions made: 12" in ended.log, "four for each preview"


def test_dropped_faces_are_a_failure(trained: Cell) -> None:
    ended = trained.run(Step.CONVERT, drop=[7])
    assert ended.code == 70
    assert "000007.png" in ended.sentence
    assert not (ended.out / "swapped.mp4").exists()


def test_a_test_video_without_any_face_is_no_error(trained: Cell) -> None:
    trained.forget_faces("test_video")
    trained.done(Step.EXTRACT, faceless=["test_video"])
    report = trained.done(Step.CONVERT).report
    assert (report.frames, report.frames_without_face) == (12, 12)


@pytest.mark.parametrize(
    ("step", "wish"),
    [
        (Step.EXTRACT, "torch_gpu"),
        (Step.TRAIN, "tensorflow_gpu"),
        (Step.CONVERT, "tensorflow_gpu"),
    ],
)
def test_each_step_refuses_a_gpu_that_its_framework_cannot_use(
    step: Step, wish: str, trained: Cell
) -> None:
    trained.gpu = True
    ended = trained.run(step, **{wish: False})
    assert ended.code == 70
    assert "DFaker found no GPU and would go on with the CPU" in ended.sentence
    assert "used again" not in ended.log


@pytest.mark.parametrize("name", ["model", "batch_size", "learning_rate", "latent_dim", "coverage"])
def test_what_upstream_has_not_is_refused_with_a_sentence(name: str, cell: Cell) -> None:
    cell.settings[name] = 64
    ended = cell.run(Step.EXTRACT)
    assert ended.code == 64
    assert f"There is no setting '{name}': " in ended.sentence


def test_training_and_merging_before_extraction_are_bad_jobs(cell: Cell) -> None:
    for step in (Step.TRAIN, Step.CONVERT):
        ended = cell.run(step)
        assert ended.code == 64
        assert "the step extract comes first" in ended.sentence


def test_finished_steps_are_used_again(trained: Cell) -> None:
    assert "Save face alignments" not in trained.done(Step.EXTRACT).log
    assert "running" not in trained.done(Step.TRAIN).log


@pytest.mark.parametrize("version", ["3.6", "3.8"])
def test_the_driver_runs_under_the_pythons_of_its_images(version: str, cell: Cell) -> None:
    cell.python = old_pythons.find_python(version)
    for step in (Step.EXTRACT, Step.TRAIN, Step.CONVERT):
        cell.done(step)
