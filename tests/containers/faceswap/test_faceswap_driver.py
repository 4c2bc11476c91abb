"""Faceswap's real driver, both versions, against a stand-in (stand_in/faceswap.py says of what)."""

from __future__ import annotations

import itertools
import json
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.faceswap import FACESWAP
from harness.media.ffmpeg import run_ffmpeg
from harness.media.probe import frame_checksums, probe
from harness.model.cell import Status
from harness.model.job import Role, Step
from tests.containers import old_pythons
from tests.containers.conftest import FRAMEWORKS, REVISION, Cell, Done

SMALL = {"iterations": 40, "train_interval": 1, "preview_interval": 0, "save_interval": 10}
STAND_IN = Path(__file__).parent / "stand_in"
VERSIONS = FACESWAP.versions
V1, V3 = VERSIONS

# What they share is made once in a worker.
pytestmark = pytest.mark.xdist_group("driver-faceswap")

MakeCell = Callable[[str], Cell]
MakeCellIn = Callable[[str, Path], Cell]


@pytest.fixture(scope="session")
def videos(
    tmp_path_factory: pytest.TempPathFactory, small_videos: dict[Role, Path]
) -> dict[Role, Path]:
    """Training videos of 30 frames: v3.0.0 wants 25 faces."""
    folder = tmp_path_factory.mktemp("faceswap videos")
    found = dict(small_videos)
    for role in (Role.ACTOR_TRAINING, Role.DONOR_TRAINING):
        found[role] = folder / f"{role}.mp4"
        source = "testsrc" if role is Role.ACTOR_TRAINING else "smptebars"
        made = ["-f", "lavfi", "-i", f"{source}=size=64x64:rate=25", "-frames:v", "30"]
        run_ffmpeg([*made, "-c:v", "libx264", "-y", str(found[role])])
    return found


@pytest.fixture(scope="session")
def make_cell(videos: dict[Role, Path], bare_python: str) -> MakeCellIn:
    """Makes a cell of a version, in a folder, with nothing done."""

    def make(version: str, folder: Path) -> Cell:
        environment = {
            "FACESWAP": str(STAND_IN),
            "FACESWAP_PYTHON": bare_python,
            "PYTHONPATH": str(FRAMEWORKS),
            "STAND_IN_VERSION": version,
        }
        tool = FACESWAP.model_copy(update={"versions": (version,)})
        return Cell(tool, folder, videos, dict(SMALL), environment, gpu=True)

    return make


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory, make_cell: MakeCellIn) -> dict[str, Done]:
    """Extractions: test frame 4 has no face, frame 5 has two."""
    cells = (make_cell(version, tmp_path_factory.mktemp("extracted")) for version in VERSIONS)
    done = (cell.done_for_all(Step.EXTRACT, blind=[4], crowd=[5]) for cell in cells)
    return dict(zip(VERSIONS, done, strict=True))


@pytest.fixture(scope="session")
def models(
    tmp_path_factory: pytest.TempPathFactory, make_cell: MakeCellIn, extracted: dict[str, Done]
) -> dict[str, Done]:
    """Trainings after them."""
    return {
        version: make_cell(version, tmp_path_factory.mktemp("model"))
        .starts_from(before)
        .done_for_all(Step.TRAIN)
        for version, before in extracted.items()
    }


@pytest.fixture(scope="session")
def converted(
    tmp_path_factory: pytest.TempPathFactory, make_cell: MakeCellIn, models: dict[str, Done]
) -> dict[str, Done]:
    """Conversions after those."""
    return {
        version: make_cell(version, tmp_path_factory.mktemp("converted"))
        .starts_from(before)
        .done_for_all(Step.CONVERT)
        for version, before in models.items()
    }


@pytest.fixture
def fresh(tmp_path: Path, make_cell: MakeCellIn) -> MakeCell:
    """Makes a cell of a version with nothing done."""
    return lambda version: make_cell(version, tmp_path)


@pytest.fixture
def ready(fresh: MakeCell, extracted: dict[str, Done]) -> MakeCell:
    """Makes a cell of a version whose faces are extracted."""
    return lambda version: fresh(version).starts_from(extracted[version])


@pytest.fixture
def trained(fresh: MakeCell, models: dict[str, Done]) -> MakeCell:
    """Makes a cell of a version that is trained."""
    return lambda version: fresh(version).starts_from(models[version])


def _told(cell: Cell, verb: str) -> dict[str, Any]:
    """The last command of a verb as the stand-in noted it."""
    lines = (cell.folder / "answers").read_text().splitlines()
    return [told for name, told in map(json.loads, lines) if name == verb][-1]  # type: ignore[no-any-return]


def _weights(cell: Cell) -> Path:
    folder = cell.state / "training" / "model"
    name = "original_encoder.h5" if cell.tool.versions == (V1,) else "original.keras"
    return folder / name


def _iteration(first: int) -> Callable[[str], bool]:
    """True when a line of a log reports this iteration or a later one."""

    def reached(line: str) -> bool:
        found = re.search(r"\[#(\d+)\]", line)
        return found is not None and int(found.group(1)) >= first

    return reached


def _save(number: int) -> Callable[[str], bool]:
    """True when a line of a log reports this save; to be asked about every line."""
    saves = itertools.count(1)
    return lambda line: "[Saved model" in line and next(saves) == number


def _reason(log: str) -> tuple[Status, str] | None:
    """The adapter's reading of a log."""
    for known in FACESWAP.failures:
        if re.search(known.pattern, log):
            return known.status, known.reason
    return None


@pytest.mark.parametrize("version", VERSIONS)
def test_faces_are_extracted_trained_and_converted_into_every_frame(
    version: str,
    extracted: dict[str, Done],
    models: dict[str, Done],
    converted: dict[str, Done],
    videos: dict[Role, Path],
) -> None:
    found = extracted[version].ended.report
    assert found.faces_found == {"actor_training": 30, "donor_training": 30, "test_video": 11}
    assert found.upstream_revision == REVISION
    assert models[version].ended.report.iterations == 40
    assert _weights(models[version].cell).read_text() == "40"
    done = [one[version] for one in (extracted, models, converted)]
    for pattern, one in zip(FACESWAP.progress, done, strict=True):
        assert re.search(pattern.pattern, one.ended.log, re.M), "the harness sees how far it is"
    ended, state = converted[version].ended, converted[version].cell.state
    made, asked = probe(ended.out / "swapped.mp4"), probe(videos[Role.TEST_VIDEO])
    assert (made.frames, made.width, made.height, made.fps) == (12, 96, 64, asked.fps)
    assert (ended.report.frames, ended.report.frames_without_face) == (12, 1)
    assert not list(state.glob("*.frames")), "frames are not kept"
    assert not (state / "convert").exists()
    assert not (state / "app").exists(), "nor is the copy of the program"
    words = _told(models[version].cell, "train")["words"]
    assert words[words.index("-A") + 1].endswith("faces_actor_training")
    assert words[words.index("-B") + 1].endswith("faces_donor_training")


def test_settings_reach_the_ini_of_v1(ready: MakeCell) -> None:
    cell = ready(V1)
    cell.settings.update(masker="extended", learning_rate=1e-4, coverage=75.0)
    cell.settings.update(memory_saving_gradients=True)
    cell.done(Step.TRAIN)
    told = _told(cell, "train")
    ini = told["ini"]["train"]
    assert (ini["global"]["mask_type"], ini["global"]["coverage"]) == ("extended", "75")
    assert float(ini["global"]["learning_rate"]) == 1e-4
    assert "-msg" in told["words"]


def test_settings_reach_the_ini_of_v3(ready: MakeCell) -> None:
    cell = ready(V3)
    cell.settings.update(trainer="dfl-sae", sae_architecture="liae", input_size=192)
    cell.settings.update(adam_beta_1=0.5, mixed_precision=True)
    cell.done(Step.TRAIN)
    ini = _told(cell, "train")["ini"]["train"]
    assert ini["model.dfl_sae"]["architecture"] == "liae"
    assert ini["model.dfl_sae"]["input_size"] == "192"
    assert ini["global.optimizer"]["ada_beta_1"] == "0.5"
    assert ini["global"]["mixed_precision"] == "True"
    assert ini["global.loss"]["mask_type"] == "extended"


@pytest.mark.parametrize("step", [Step.EXTRACT, Step.TRAIN, Step.CONVERT])
@pytest.mark.parametrize(("version", "wish"), [(V1, "tensorflow_gpu"), (V3, "torch_gpu")])
def test_each_step_refuses_a_gpu_that_its_framework_cannot_use(
    version: str, wish: str, step: Step, trained: MakeCell
) -> None:
    ended = trained(version).run(step, **{wish: False})
    assert ended.code == 70
    assert "Faceswap found no GPU and would go on with the CPU" in ended.sentence
    found = _reason(ended.errors)
    assert found is not None
    assert found[0] is Status.TOOL_ERROR
    assert "used again" not in ended.log


@pytest.mark.parametrize("version", VERSIONS)
def test_without_a_gpu_the_tool_is_told_so(version: str, fresh: MakeCell) -> None:
    cell = fresh(version)
    cell.gpu = False
    # It ends at the first of its three videos: how it was started is enough.
    assert cell.run(Step.EXTRACT, lose_alignments=True).code == 70
    environment = _told(cell, "extract")["environment"]
    assert environment["FACESWAP_BACKEND"] == "cpu"
    assert environment["CUDA_VISIBLE_DEVICES"] in ("", "-1")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_question_about_the_backend_fails_with_its_text(version: str, ready: MakeCell) -> None:
    cell = ready(version)
    cell.environment["BENCH_UNKNOWN_AFTER_S"] = "0.3"
    ended = cell.run(Step.TRAIN, ask_backend=True)
    assert ended.code == 70
    assert "1: AMD, 2: CPU, 3: NVIDIA" in ended.sentence


@pytest.mark.parametrize(
    ("version", "wish", "text", "status"),
    [
        (V3, {"error_at": 5}, "ValueError: something odd", Status.TOOL_ERROR),
        (V1, {"error_at": 5, "exit_0": True}, "ValueError: something odd", Status.TOOL_ERROR),
        (V1, {"memory_at": 5, "exit_0": True}, "do not have enough GPU memory", Status.OOM),
        (V1, {"nan_at": 7}, "diverged: at iteration 7", Status.TOOL_ERROR),
        (V3, {"nan_at": 7}, "diverged: at iteration 6", Status.TOOL_ERROR),
        (V3, {"gpu": False}, "found no GPU", Status.TOOL_ERROR),
    ],
    ids=[
        *("crash", "crash ending with 0", "memory", "nan printed", "nan protection", "no gpu"),
    ],
)
def test_a_training_that_fails_is_a_failure_whatever_its_exit_code(
    version: str, wish: dict[str, Any], text: str, status: Status, ready: MakeCell
) -> None:
    ended = ready(version).run(Step.TRAIN, **wish)
    assert ended.code == 70
    assert text in ended.sentence
    found = _reason(ended.log + ended.errors)
    assert found is not None
    assert found[0] is status
    assert not (ended.out / "step.json").exists()


def test_a_terminal_that_is_lacking_is_named_as_the_reason(ready: MakeCell) -> None:
    ended = ready(V1).run(Step.TRAIN, no_terminal=True)
    assert ended.code == 70
    assert "Inappropriate ioctl for device" in ended.sentence
    found = _reason(ended.log)
    assert found is not None
    assert "terminal" in found[1]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_training_that_ends_itself_is_not_interrupted_while_it_does(
    version: str, ready: MakeCell
) -> None:
    ended = ready(version).done(Step.TRAIN, slow_end_s=0.4)
    assert ended.report.iterations == 40
    assert "KeyboardInterrupt" not in ended.log
    assert "did not save" not in ended.log


def test_a_loss_that_runs_into_the_next_log_line_is_read_as_it_was_printed(ready: MakeCell) -> None:
    cell = ready(V1)
    cell.settings.update(iterations=1, save_interval=10)
    ended = cell.done(Step.TRAIN)
    losses = [event.values for event in ended.events if event.kind == "loss"]
    assert losses == [{"a": 1.0, "b": 1.0}]
    glued = "[12:00:01] [#00007] Loss A: 0.51234, Loss B: 1.0000011/23/2026 12:00:01 ERROR    Oh"
    seen = re.search(FACESWAP.progress[1].pattern, glued)
    assert seen is not None
    assert (seen["loss_a"], seen["loss_b"]) == ("0.51234", "1.00000")


def test_a_conversion_that_prints_its_exception_and_ends_with_0_has_failed(
    trained: MakeCell,
) -> None:
    ended = trained(V3).run(Step.CONVERT, error_converting="could not broadcast", exit_0=True)
    assert ended.code == 70
    assert "could not broadcast" in ended.sentence
    assert not (ended.out / "swapped.mp4").exists()


@pytest.mark.parametrize(("version", "role"), [(V1, "actor_training"), (V3, "donor_training")])
def test_a_training_video_without_a_face_is_unusable(
    version: str, role: str, ready: MakeCell
) -> None:
    cell = ready(version)
    cell.forget_faces(role)
    ended = cell.run(Step.EXTRACT, faceless=[role])
    assert ended.code == 65
    assert role.split("_")[0] in ended.sentence


def test_too_few_faces_are_told_before_a_training(ready: MakeCell) -> None:
    cell = ready(V3)
    cell.settings["train_interval"] = 2
    ended = cell.run(Step.EXTRACT)
    assert ended.code == 65
    assert "Only 15 faces" in ended.sentence
    assert "wants 25" in ended.sentence


def test_an_extraction_without_alignments_has_failed(fresh: MakeCell) -> None:
    ended = fresh(V1).run(Step.EXTRACT, lose_alignments=True)
    assert ended.code == 70
    assert "no alignments" in ended.sentence


def test_frames_without_a_face_keep_their_place_and_are_counted(
    trained: MakeCell, converted: dict[str, Done]
) -> None:
    ended = converted[V1].ended
    assert ended.report.frames_without_face == 1
    assert ended.report.frames_with_several_faces == 1
    assert ended.report.notes == ()
    assert "Swapped 11 faces" in ended.log, "one face of a frame, though two were found"
    ended = trained(V1).done(Step.CONVERT, drop=[4])
    assert ended.report.notes == ("Frames without a face, put back as they were: 1.",)
    assert len(frame_checksums(ended.out / "swapped.mp4")) == 12


def test_faces_that_should_be_left_out_and_are_not_are_a_failure(trained: MakeCell) -> None:
    ended = trained(V1).run(Step.CONVERT, unknown_faces=True)
    assert ended.code == 70
    assert "had to leave out 1 faces" in ended.sentence


def test_a_frame_with_a_face_that_is_not_converted_is_a_failure(trained: MakeCell) -> None:
    ended = trained(V3).run(Step.CONVERT, drop=[7])
    assert ended.code == 70
    assert "000007" in ended.sentence
    assert not (ended.out / "swapped.mp4").exists()


def test_a_test_video_without_any_face_is_no_error(trained: MakeCell) -> None:
    cell = trained(V1)
    cell.forget_faces("test_video")
    cell.done(Step.EXTRACT, faceless=["test_video"])
    report = cell.done(Step.CONVERT).report
    assert (report.frames, report.frames_without_face) == (12, 12)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_training_killed_in_a_save_goes_on_from_the_last_whole_one(
    version: str, ready: MakeCell
) -> None:
    cell = ready(version)
    assert cell.run(Step.TRAIN, die_at=25).code == 70
    assert _weights(cell).read_text() == "0"
    ended = cell.done(Step.TRAIN)
    assert "put back to its last whole save, at 1 iterations" in ended.log
    assert ended.report.iterations == 40
    words = _told(cell, "train")["words"]
    assert "39" in words, "only what is left is asked for"
    assert _weights(cell).read_text() == "40"


def test_hours_of_killed_attempts_are_counted(ready: MakeCell) -> None:
    cell = ready(V3)
    cell.environment["BENCH_COPY_EVERY_S"] = "0"
    cell.settings.update(iterations=0, hours=1.0)
    # The copy of the save before is whole by then: at iterations 1, 10 and 20.
    code = cell.interrupt(Step.TRAIN, _save(4), signal.SIGKILL, iteration_s=0.02)
    assert code == -signal.SIGKILL
    spent = json.loads((cell.state / "training" / "budget.json").read_text())
    assert spent["iterations"] >= 10
    assert spent["seconds"] > 0.2
    cell.settings["hours"] = spent["seconds"] / 2 / 3600
    ended = cell.done(Step.TRAIN)
    assert ended.report.iterations == spent["iterations"], "its time was over before"
    assert "Loss A" not in ended.log


@pytest.mark.parametrize("version", VERSIONS)
def test_wall_hours_stop_a_training_with_a_whole_save(version: str, ready: MakeCell) -> None:
    cell = ready(version)
    cell.settings.update(iterations=0, hours=0.2 / 3600)
    ended = cell.done(Step.TRAIN)
    assert _weights(cell).read_text() == str(ended.report.iterations)
    assert any("hours" in (event.text or "") for event in ended.events)


def test_a_cancelled_training_is_asked_to_save(ready: MakeCell) -> None:
    cell = ready(V1)
    cell.settings.update(iterations=0, hours=1.0, save_interval=1000)
    code = cell.interrupt(Step.TRAIN, _iteration(10), signal.SIGTERM)
    assert code == -signal.SIGTERM
    assert int(_weights(cell).read_text()) >= 10, "not what the first iteration saved"


def test_finished_steps_are_used_again(trained: MakeCell) -> None:
    cell = trained(V3)
    assert "Running pass" not in cell.done(Step.EXTRACT).log
    cell.settings["save_interval"] = 20
    assert "Starting" not in cell.done(Step.TRAIN).log, "how often it is saved changes no model"
    cell.settings["learning_rate"] = 1e-5
    assert "Creating new" in cell.done(Step.TRAIN).log, "another model is trained again"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_blurred_faces_are_left_out(version: str, fresh: MakeCell) -> None:
    cell = fresh(version)
    cell.settings.update(clean="sharpest", keep_faces=26)
    notes = cell.done(Step.EXTRACT).report.notes
    assert "donor_training: 26 faces from 30 frames." in notes
    kept = {path.name for path in (cell.state / "faces_actor_training").glob("*.png")}
    assert "000030_0.png" in kept, "the stand-in calls the last ones sharp"
    assert "000001_0.png" not in kept


def test_frames_with_several_faces_are_not_trained_on(ready: MakeCell) -> None:
    cell = ready(V3)
    cell.settings["clean"] = "oneface"
    report = cell.done(Step.EXTRACT, crowd=[2]).report
    assert "actor_training: 29 faces from 30 frames." in report.notes
    assert report.faces_found["test_video"] == 11, "the test video is never cleaned"


@pytest.mark.parametrize("version", VERSIONS)
def test_previews_are_kept_at_intervals(version: str, ready: MakeCell) -> None:
    cell = ready(version)
    cell.settings.update(preview_interval=20, iterations=60)
    # A preview is made with OpenCV, in upstream as here.
    cell.environment["FACESWAP_PYTHON"] = sys.executable
    ended = cell.done(Step.TRAIN, iteration_s=0.005)
    names = sorted(path.name for path in (ended.out / "previews").iterdir())
    assert 2 <= len(names) <= 4
    numbers = [int(name[:8]) for name in names]
    assert all(after - before >= 20 for before, after in itertools.pairwise(numbers))
    assert (ended.out / "previews" / names[0]).read_bytes()[:2] == b"\xff\xd8"


def test_a_wrong_setting_is_a_bad_job(fresh: MakeCell) -> None:
    cell = fresh(V3)
    cell.settings["memory_saving_gradients"] = True
    ended = cell.run(Step.EXTRACT)
    assert ended.code == 64
    assert "removed in Faceswap 2.0" in ended.sentence


def test_training_and_converting_before_extraction_are_bad_jobs(fresh: MakeCell) -> None:
    cell = fresh(V3)
    for step in (Step.TRAIN, Step.CONVERT):
        ended = cell.run(step)
        assert ended.code == 64
        assert "the step extract comes first" in ended.sentence


@pytest.mark.parametrize("version", ["3.6", "3.8"])
def test_the_driver_runs_under_the_pythons_of_its_images(version: str, fresh: MakeCell) -> None:
    cell = fresh(V1)
    cell.python = old_pythons.find_python(version)
    for step in (Step.EXTRACT, Step.TRAIN, Step.CONVERT):
        cell.done(step)
