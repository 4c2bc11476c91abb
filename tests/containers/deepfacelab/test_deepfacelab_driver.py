"""DeepFaceLab's real driver against a stand-in of its main.py (stand_in/main.py says of what)."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.deepfacelab import DEEPFACELAB
from harness.media.probe import frame_checksums, probe
from harness.model.job import Role, Step
from tests.containers import old_pythons
from tests.containers.conftest import FRAMEWORKS, REVISION, Cell, Done, MakeCell

SMALL = {"iterations": 40, "train_interval": 6, "resolution": 64, "preview_minutes": 0}


STAND_IN = Path(__file__).parent / "stand_in"
# What they share is made once in a worker.
pytestmark = pytest.mark.xdist_group("driver-deepfacelab")


@pytest.fixture(scope="session")
def make_cell(small_videos: dict[Role, Path], bare_python: str) -> MakeCell:
    """Makes a cell with nothing done, whose tool asks little."""
    environment = {
        "DEEPFACELAB": str(STAND_IN),
        "DEEPFACELAB_PYTHON": bare_python,
        "PYTHONPATH": str(FRAMEWORKS),
        "BENCH_SETTLE_S": "0.3",
    }

    def make(folder: Path) -> Cell:
        cell = Cell(DEEPFACELAB, folder, small_videos, dict(SMALL), dict(environment), gpu=True)
        cell.stand_in["in_short"] = True
        return cell

    return make


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory, make_cell: MakeCell) -> Done:
    """An extraction: test frame 4 has no face, 5 has two."""
    cell = make_cell(tmp_path_factory.mktemp("extracted"))
    return cell.done_for_all(Step.EXTRACT, blind=[4], crowd=[5])


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, make_cell: MakeCell, extracted: Done) -> Done:
    """A training after it."""
    cell = make_cell(tmp_path_factory.mktemp("model")).starts_from(extracted)
    return cell.done_for_all(Step.TRAIN, in_short=False)


@pytest.fixture(scope="session")
def merged(tmp_path_factory: pytest.TempPathFactory, make_cell: MakeCell, model: Done) -> Done:
    """A conversion after that."""
    cell = make_cell(tmp_path_factory.mktemp("merged")).starts_from(model)
    return cell.done_for_all(Step.CONVERT, in_short=False)


def _losses(line: str) -> bool:
    return "][" in line and "[#0000" in line


def test_faces_are_extracted_trained_and_merged_into_every_frame(
    extracted: Done, model: Done, merged: Done, small_videos: dict[Role, Path]
) -> None:
    found = extracted.ended.report
    assert found.faces_found == {"donor_training": 4, "actor_training": 4, "test_video": 11}
    assert found.upstream_revision == REVISION
    assert model.ended.report.iterations == 40
    ended = merged.ended
    made, asked = probe(ended.out / "swapped.mp4"), probe(small_videos[Role.TEST_VIDEO])
    assert (made.frames, made.width, made.height, made.fps) == (12, 96, 64, asked.fps)
    assert ended.report.frames == 12
    assert not list(merged.cell.state.glob("*.frames")), "frames are not kept"
    assert not (merged.cell.state / "convert").exists()


@pytest.mark.parametrize("generation", [2020, 2021])
def test_questions_of_both_generations_get_the_settings(generation: int, ready: Cell) -> None:
    ready.settings.update(archi="df-u", ae_dims=320, e_dims=72, d_dims=80, flip_src=True)
    ready.settings.update(color_transfer="lct", random_hsv=0.05, true_face_power=0.01)
    ready.settings.update(mask_mode="learned-dst", merge_color_transfer="none")
    ready.stand_in["in_short"] = False
    ready.done(Step.TRAIN, generation=generation)
    merging = ready.done(Step.CONVERT, generation=generation)
    answers = ready.answers()
    flip = "Flip faces randomly" if generation == 2020 else "Flip SRC faces randomly"
    expected = {
        flip: "y",
        "Target iteration": "40",
        "Resolution": "64",
        "AE architecture": "df-u",
        "AutoEncoder dimensions": "320",
        "Encoder dimensions": "72",
        "Decoder dimensions": "80",
        "Decoder mask dimensions": "22",
        "'True face' power.": "0.01",
        "Write preview history": "n",
        "Use interactive merger?": "n",
    }
    assert {question: answers.get(question) for question in expected} == expected
    # Its number differs between the generations; its name does not.
    assert "overlay, learned-dst" in merging.log


def test_an_unknown_question_fails_with_its_text(ready: Cell) -> None:
    ready.environment["BENCH_UNKNOWN_AFTER_S"] = "0.3"
    ended = ready.run(Step.TRAIN, odd_question=True)
    assert ended.code == 70
    assert "Number of moons ( 0-2 ?:help )" in ended.sentence


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        ({"error_at": 5}, "OOM when allocating tensor"),
        # The trainer's main thread waits for ever after this one.
        ({"error_loading": "no memory for the model"}, "no memory for the model"),
        ({"nan_at": 7}, "diverged: at iteration 7"),
        ({"gpu": False}, "found no GPU"),
    ],
)
def test_a_training_that_fails_is_a_failure_whatever_its_exit_code(
    wish: dict[str, Any], text: str, ready: Cell
) -> None:
    ended = ready.run(Step.TRAIN, **wish)
    assert ended.code == 70
    assert text in ended.sentence
    if "nan_at" in wish:
        assert "[#000007][0002ms][nan][nan]" in ended.log
    assert not (ended.out / "step.json").exists()


def test_a_merger_that_prints_its_exception_and_ends_with_0_has_failed(trained: Cell) -> None:
    ended = trained.run(Step.CONVERT, error_merging="could not broadcast")
    assert ended.code == 70
    assert "Traceback" in ended.sentence
    assert not (ended.out / "swapped.mp4").exists()


@pytest.mark.parametrize("role", ["donor_training", "actor_training"])
def test_a_training_video_without_a_face_is_unusable(role: str, ready: Cell) -> None:
    ready.forget_faces(role)
    ended = ready.run(Step.EXTRACT, faceless=[role])
    assert ended.code == 65
    assert role.split("_")[0] in ended.sentence


def test_frames_without_a_face_keep_their_place_and_are_counted(
    trained: Cell, merged: Done
) -> None:
    report = merged.ended.report
    assert report.frames_without_face == 1
    assert report.frames_with_several_faces == 1
    assert report.notes == ()
    ended = trained.done(Step.CONVERT, drop=[4])
    assert ended.report.notes == ("Frames without a face, put back as they were: 1.",)
    assert len(frame_checksums(ended.out / "swapped.mp4")) == 12


def test_a_frame_with_a_face_that_is_not_merged_is_a_failure(trained: Cell) -> None:
    ended = trained.run(Step.CONVERT, drop=[7])
    assert ended.code == 70
    assert "000007" in ended.sentence
    assert not (ended.out / "swapped.mp4").exists()


def test_a_test_video_without_any_face_is_no_error(trained: Cell) -> None:
    trained.forget_faces("test_video")
    trained.done(Step.EXTRACT, faceless=["test_video"])
    report = trained.done(Step.CONVERT).report
    assert (report.frames, report.frames_without_face) == (12, 12)


def test_a_training_killed_between_saves_goes_on_from_the_last_whole_one(ready: Cell) -> None:
    assert ready.run(Step.TRAIN, die_at=20).code == 70
    model = ready.state / "training" / "model" / "bench_SAEHD_encoder.npy"
    assert model.read_text() == "half a save"
    ended = ready.done(Step.TRAIN)
    assert "put back to its last whole save, at 1 iterations" in ended.log
    assert ended.report.iterations == 40
    counts = [int(event.done or 0) for event in ended.events if event.kind == "progress"]
    assert min(counts) >= 2, "it did not start at nothing"
    assert model.read_text() == "40"


def test_a_killed_driver_leaves_no_tool_and_its_budget_is_counted(ready: Cell) -> None:
    ready.settings.update(iterations=0, hours=0.7 / 3600, save_minutes=1)
    # The stand-in takes the minutes of --execute-program for tenths of a second.
    quick = {"minute": 1 / 600, "iteration_s": 0.001}
    code = ready.interrupt(Step.TRAIN, lambda line: "[#0001" in line, signal.SIGKILL, **quick)
    assert code == -signal.SIGKILL
    spent = json.loads((ready.state / "training" / "budget.json").read_text())
    assert spent["iterations"] > 1
    assert 0 < spent["seconds"] < 0.7
    ended = ready.done(Step.TRAIN, **quick)
    after = json.loads((ready.state / "training" / "budget.json").read_text())
    assert after["iterations"] == ended.report.iterations
    assert 0.7 <= after["seconds"] < 2.0


def test_wall_hours_stop_a_training_with_a_whole_save(ready: Cell) -> None:
    ready.settings.update(iterations=0, hours=0.3 / 3600)
    began_s = time.monotonic()
    ended = ready.done(Step.TRAIN)
    assert time.monotonic() - began_s < 10
    iterations = ended.report.iterations
    assert iterations is not None
    assert (ready.state / "training" / "model" / "bench_SAEHD_encoder.npy").read_text() == str(
        iterations
    )
    assert any("hours" in (event.text or "") for event in ended.events)


@pytest.mark.parametrize("wish", [{"leaves": True}, {}], ids=["ends", "waits"])
def test_a_trainer_may_end_or_wait_at_its_target(wish: dict[str, Any], ready: Cell) -> None:
    assert ready.done(Step.TRAIN, **wish).report.iterations == 40
    assert (ready.state / "training" / "model" / "bench_SAEHD_encoder.npy").read_text() == "40"


def test_a_training_that_ignores_the_stop_goes_back_to_its_last_save(ready: Cell) -> None:
    ready.settings.update(iterations=0, hours=0.3 / 3600, save_minutes=1)
    ready.environment["BENCH_STOP_GRACE_S"] = "0.3"
    ended = ready.done(Step.TRAIN, deaf=True, minute=1 / 600)
    assert "its last whole save is used" in ended.log
    iterations = ended.report.iterations
    assert (ready.state / "training" / "model" / "bench_SAEHD_encoder.npy").read_text() == str(
        iterations
    )


def test_a_cancelled_training_is_asked_to_save(ready: Cell) -> None:
    ready.settings["iterations"] = 0
    ready.settings["hours"] = 1.0
    code = ready.interrupt(
        Step.TRAIN, lambda line: "[#0000" in line and "[#000001]" not in line, signal.SIGTERM
    )
    assert code == -signal.SIGTERM
    saved = (ready.state / "training" / "model" / "bench_SAEHD_encoder.npy").read_text()
    assert int(saved) > 1


def test_finished_steps_are_used_again(trained: Cell) -> None:
    assert "Extracting faces" not in trained.done(Step.EXTRACT).log
    assert "Running trainer" not in trained.done(Step.TRAIN).log
    trained.settings["ae_dims"] = 64
    assert "Running trainer" in trained.done(Step.TRAIN).log, "another model is trained again"


def test_the_sorters_trash_is_thrown_away(ready: Cell) -> None:
    ready.settings.update(clean="final-by-blur", keep_faces=16, train_interval=1)
    notes = ready.done(Step.EXTRACT).report.notes
    assert "donor_training: 16 faces from 24 frames." in notes
    assert not list(ready.state.glob("*_trash"))


def test_previews_are_kept(ready: Cell) -> None:
    ready.settings.update(preview_minutes=1, iterations=100)
    # A preview is made with OpenCV, in upstream as here.
    ready.environment["DEEPFACELAB_PYTHON"] = sys.executable
    ended = ready.done(Step.TRAIN, minute=1 / 1200)
    previews = sorted(path.name for path in (ended.out / "previews").iterdir())
    assert previews
    assert all(len(name) == 12 and name.endswith(".jpg") for name in previews)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"coverage": 62.5}, "DeepFaceLab has no coverage"),
        ({"resolution": 72, "archi": "df"}, "multiple of 16"),
        ({"archi": "liae-ud", "resolution": 80}, "multiple of 32"),
        ({"archi": "hdsae"}, "df or liae"),
        ({"ae_dims": 2048}, "between 32 and 1024"),
        ({"e_dims": 65}, "even"),
        ({"true_face_power": 0.1}, "df architectures only"),
        ({"iterations": 0}, "needs an end"),
    ],
)
def test_what_upstream_has_not_is_refused_with_a_sentence(
    settings: dict[str, Any], text: str, cell: Cell
) -> None:
    cell.settings.update(settings)
    ended = cell.run(Step.EXTRACT)
    assert ended.code == 64
    assert text in ended.sentence


def test_training_and_merging_before_extraction_are_bad_jobs(cell: Cell) -> None:
    for step in (Step.TRAIN, Step.CONVERT):
        ended = cell.run(step)
        assert ended.code == 64
        assert "the step extract comes first" in ended.sentence


@pytest.mark.parametrize("step", [Step.EXTRACT, Step.TRAIN, Step.CONVERT])
def test_each_step_refuses_a_gpu_that_tensorflow_cannot_use(step: Step, trained: Cell) -> None:
    ended = trained.run(step, tensorflow_gpu=False)
    assert ended.code == 70
    assert "DeepFaceLab found no GPU and would go on with the CPU" in ended.sentence
    assert "used again" not in ended.log


def test_an_extraction_that_says_it_runs_on_the_cpu_is_stopped(cell: Cell) -> None:
    ended = cell.run(Step.EXTRACT, gpu=False)
    assert ended.code == 70
    assert "DeepFaceLab found no GPU" in ended.sentence


def test_without_a_gpu_the_tool_is_told_so(cell: Cell) -> None:
    cell.gpu = False
    for step in (Step.EXTRACT, Step.TRAIN, Step.CONVERT):
        assert "Which GPU" not in cell.done(step).log


def _wait(condition: Callable[[], bool]) -> bool:
    for _ in range(100):
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_no_process_is_left_when_the_driver_dies(ready: Cell) -> None:
    ready.settings.update(iterations=0, hours=1.0)
    ready.interrupt(Step.TRAIN, _losses, signal.SIGKILL)

    def left() -> bool:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    where = str((entry / "cwd").readlink())
                except OSError:
                    continue
                if where == str(STAND_IN) and str(ready.folder) in (entry / "cmdline").read_text():
                    return True
        return False

    assert _wait(lambda: not left())


@pytest.mark.parametrize("version", ["3.6", "3.8"])
def test_the_driver_runs_under_the_pythons_of_its_images(version: str, cell: Cell) -> None:
    cell.python = old_pythons.find_python(version)
    for step in (Step.EXTRACT, Step.TRAIN, Step.CONVERT):
        cell.done(step)
