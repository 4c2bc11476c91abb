"""Faceswap-GAN's real driver and programs against stand-ins of its modules (stand_in/README.md)."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from adapters.faceswap_gan import FACESWAP_GAN
from containers.faceswap_gan import saves, schedule, settings
from containers.faceswap_gan.upstream import MainFace
from harness.media.probe import probe
from harness.model.job import Role, Step
from tests.containers import old_pythons
from tests.containers.conftest import FRAMEWORKS, REVISION, Cell, Done, MakeCell, wait_for

STAND_IN = Path(__file__).parent / "stand_in"
SMALL: dict[str, Any] = {
    "iterations": 60,
    "train_interval": 6,
    "batch_size": 4,
    "save_every": 20,
    "preview_every": 0,
}
# What they share is made once in a worker.
pytestmark = pytest.mark.xdist_group("driver-faceswap-gan")


@pytest.fixture(scope="session")
def make_cell(small_videos: dict[Role, Path], bare_python: str) -> MakeCell:
    """Makes a cell with nothing done."""
    # The programs need NumPy and OpenCV.
    needed = [Path(np.__file__).parents[1], Path(cv2.__file__).parents[1]]
    environment = {
        "FACESWAP_GAN": str(STAND_IN),
        "FACESWAP_GAN_PYTHON": bare_python,
        "FACESWAP_GAN_VGGFACE": str(STAND_IN / "README.md"),
        "PYTHONPATH": os.pathsep.join(map(str, [FRAMEWORKS, Path(__file__).parents[3], *needed])),
        "OPENBLAS_NUM_THREADS": "1",
    }
    return lambda folder: Cell(
        FACESWAP_GAN, folder, small_videos, dict(SMALL), dict(environment), gpu=True
    )


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory, make_cell: MakeCell) -> Done:
    """An extraction."""
    return make_cell(tmp_path_factory.mktemp("extracted")).done_for_all(Step.EXTRACT)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, make_cell: MakeCell, extracted: Done) -> Done:
    """A training after it, with previews."""
    cell = make_cell(tmp_path_factory.mktemp("model")).starts_from(extracted)
    cell.settings["preview_every"] = 40
    return cell.done_for_all(Step.TRAIN)


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory, make_cell: MakeCell, model: Done) -> Done:
    """A conversion after that: frame 3 has no face, 5 has two."""
    cell = make_cell(tmp_path_factory.mktemp("converted")).starts_from(model)
    return cell.done_for_all(Step.CONVERT, blind=[3], crowd=[5])


def _told(cell: Cell, kind: str) -> list[Any]:
    """Notes that the stand-in wrote down, in order."""
    lines = (cell.folder / "answers").read_text().splitlines()
    return [value for told, value in map(json.loads, lines) if told == kind]


def _weights(cell: Cell, network: str) -> dict[str, Any]:
    save = saves.newest(str(cell.state / "training" / "saves"))
    assert save is not None
    found: dict[str, Any] = json.loads(Path(saves.weights(save.folder, network)).read_text())
    return found


def test_faces_are_extracted_trained_and_swapped_into_every_frame(
    extracted: Done, model: Done, converted: Done, small_videos: dict[Role, Path]
) -> None:
    found = extracted.ended.report
    assert found.faces_found == {"donor_training": 4, "actor_training": 4}
    assert found.upstream_revision == REVISION
    ended = model.ended
    assert ended.report.iterations == 60
    assert ended.report.notes == ()
    previews = sorted(path.name for path in (ended.out / "previews").iterdir())
    assert previews == ["00000020.jpg", "00000060.jpg"]
    losses = [event.values for event in ended.events if event.kind == "loss"]
    assert losses[0]["ga"] == 2.0
    ended, state = converted.ended, converted.cell.state
    video, asked = probe(ended.out / "swapped.mp4"), probe(small_videos[Role.TEST_VIDEO])
    assert (video.frames, video.width, video.height, video.fps) == (12, 96, 64, asked.fps)
    report = ended.report
    assert (report.frames, report.frames_without_face) == (12, 1)
    assert report.frames_with_several_faces == 1
    assert report.faces_found == {"test_video": 11}
    assert report.notes == ("Of several faces in 1 frames the main one was swapped.",)
    assert not (state / "convert").exists()
    assert not list(state.glob("*.frames")), "frames are not kept"


def test_a_training_goes_through_the_whole_schedule(model: Done) -> None:
    phases = schedule.plan(60)
    built = [(one[0], one[1:]) for one in _told(model.cell, "losses")]
    assert built == [
        (phase.start, [phase.perceptual, phase.hinge, phase.mask, phase.lr_factor])
        for phase in phases
    ]
    # Once, and loaded crosswise: from then on each decoder trains on the other's weights.
    assert model.ended.log.count("the decoders changed sides") == 1
    assert _weights(model.cell, "decoder_A") == {"trained": 60, "side": "B"}
    assert _weights(model.cell, "decoder_B") == {"trained": 60, "side": "A"}


def test_settings_reach_upstreams_modules(ready: Cell) -> None:
    ready.settings.update(resolution=128, capacity="lite", norm="none", self_attention=False)
    ready.settings.update(w_eyes=12.0, w_pl="1 2 3 4", color_correction="adain")
    ready.settings.update(roi_coverage=0.8, kalman_filter=False)
    ready.done(Step.TRAIN)
    ready.done(Step.CONVERT)
    assert _told(ready, "architecture")[-1] == {
        "IMAGE_SHAPE": [128, 128, 3],
        "use_self_attn": False,
        "norm": "none",
        "model_capacity": "lite",
    }
    weights = _told(ready, "weights")[0]
    assert (weights["w_eyes"], weights["w_pl"]) == (12.0, [1.0, 2.0, 3.0, 4.0])
    options = _told(ready, "options")[0]
    assert options["use_color_correction"] == "adain"
    assert options["roi_coverage"] == 0.8
    assert options["use_kalman_filter"] is False


@pytest.mark.parametrize("wish", [{"die_at": 50}, {"die_saving": "decoder_B"}])
def test_a_killed_training_goes_on_with_its_schedule(wish: dict[str, Any], ready: Cell) -> None:
    # The decoders change sides at 45; `die_at` counts the iterations of a phase's model.
    ready.settings["iterations"] = 60
    if "die_at" in wish:
        wish = {"die_at": 8}  # within phase 0, which lasts 9: nothing is saved yet
    ended = ready.run(Step.TRAIN, **wish)
    assert ended.code == 70
    assert "exit code -9" in ended.sentence
    (ready.folder / "answers").unlink()
    done = saves.newest(str(ready.state / "training" / "saves"))
    first = done.iterations if done else 0
    ended = ready.done(Step.TRAIN)
    assert f"train: from iteration {first} of 60 planned" in ended.log
    later = [phase.start for phase in schedule.plan(60) if phase.start > first]
    assert [one[0] for one in _told(ready, "losses")] == [first, *later]
    assert ended.report.iterations == 60
    assert _weights(ready, "encoder")["trained"] == 60
    assert _weights(ready, "decoder_A")["side"] == "B"


def test_a_training_killed_after_the_decoders_changed_sides_keeps_them_so(ready: Cell) -> None:
    ready.settings["save_every"] = 47
    crossed = "train: the decoders changed sides"
    ready.interrupt(
        Step.TRAIN,
        lambda line: line.startswith("train: saved at 47"),
        signal.SIGKILL,
        iteration_s=0.005,
    )
    ended = ready.done(Step.TRAIN)
    assert "train: from iteration" in ended.log
    first = int(ended.log.split("train: from iteration ")[1].split()[0])
    assert first >= 47
    assert crossed not in ended.log
    assert _weights(ready, "decoder_A")["side"] == "B"


def test_a_cancelled_training_saves_and_its_budget_is_counted(ready: Cell) -> None:
    ready.settings.update(iterations=100000, save_every=10)
    code = ready.interrupt(Step.TRAIN, lambda line: "[iter 20]" in line, signal.SIGTERM)
    assert code == -signal.SIGTERM
    spent = json.loads((ready.state / "training" / "budget.json").read_text())
    assert spent["iterations"] >= 20
    assert spent["seconds"] > 0
    trained = _weights(ready, "encoder")["trained"]
    assert trained >= spent["iterations"]


def test_an_interrupt_at_the_end_of_a_training_is_no_failure(ready: Cell) -> None:
    ended = ready.done(Step.TRAIN, interrupted_from=60)
    assert ended.report.iterations == 60


def test_wall_hours_stop_a_training_before_its_schedule_ends_and_it_is_told(ready: Cell) -> None:
    ready.settings.update(iterations=0, hours=0.25 / 3600, planned_iterations=100000)
    ended = ready.done(Step.TRAIN)
    iterations = ended.report.iterations
    assert iterations
    assert _weights(ready, "encoder")["trained"] == iterations
    assert ended.report.notes == (
        "The loss schedule was planned for 100000 iterations; the training ended in its phase 1 "
        "of 8.",
    )


def test_a_loss_that_is_no_number_stops_the_training_and_the_log_keeps_it(ready: Cell) -> None:
    ended = ready.run(Step.TRAIN, nan_at=27)
    assert ended.code == 70
    assert "diverged: at iteration 27 the loss 'ga'" in ended.sentence
    assert "[iter 27] Loss_DA: 0.400000 Loss_DB: 0.500000 Loss_GA: nan" in ended.log
    assert _weights(ready, "encoder")["trained"] < 27
    assert not (ended.out / "step.json").exists()


@pytest.mark.parametrize("role", ["donor_training", "actor_training"])
def test_a_training_video_without_a_face_is_unusable(role: str, ready: Cell) -> None:
    ready.forget_faces(role)
    ended = ready.run(Step.EXTRACT, faceless=[role])
    assert ended.code == 65
    assert role.split("_")[0] in ended.sentence


def test_too_few_faces_for_a_batch_are_told_and_not_waited_for(ready: Cell) -> None:
    ready.settings["batch_size"] = 6
    ended = ready.run(Step.EXTRACT)
    assert ended.code == 65
    assert "needs 6 faces for a batch, but the donor's video has 4" in ended.sentence


def test_frames_with_several_faces_are_not_trained_on_unless_asked(ready: Cell) -> None:
    ready.settings["batch_size"] = 2
    ready.forget_faces("donor_training")
    notes = ready.done(Step.EXTRACT, crowd=[2]).report.notes
    assert "donor_training: 3 faces from 4 frames, 1 with several." in notes
    ready.settings["one_face"] = False
    notes = ready.done(Step.EXTRACT, crowd=[2]).report.notes
    assert "donor_training: 4 faces from 4 frames, 1 with several." in notes


def test_faces_without_their_eye_masks_are_refused(cell: Cell) -> None:
    ended = cell.run(Step.EXTRACT, no_masks=True)
    assert ended.code == 70
    assert "4 faces and 0 eye masks" in ended.sentence


def test_a_conversion_that_fails_leaves_no_video(trained: Cell) -> None:
    ended = trained.run(Step.CONVERT, error_converting="could not broadcast")
    assert ended.code == 70
    assert "could not broadcast" in ended.sentence
    assert not (ended.out / "swapped.mp4").exists()


def test_a_frame_whose_face_cannot_be_swapped_keeps_its_pixels_and_is_counted(
    trained: Cell, small_videos: dict[Role, Path]
) -> None:
    # The second has no room for upstream's crop; the third face's landmarks fit nothing, but its
    # crop is good: upstream swaps it as it is.
    ended = trained.done(Step.CONVERT, small=[2], unaligned=[3], blind=[12])
    assert ended.report.notes == (
        "In 1 of 11 frames with a face it could not be swapped; they show the actor.",
    )
    assert "convert: frame 2 shows the actor" in ended.log
    assert "Face alignment error occurs at frame 3." in ended.log
    before, after = _frames(small_videos[Role.TEST_VIDEO]), _frames(ended.out / "swapped.mp4")
    changed = [np.abs(one - other).mean() for one, other in zip(before, after, strict=True)]
    assert max(changed[1], changed[11]) < 8 < min(*changed[:1], *changed[2:11])


def test_a_network_without_memory_is_no_face_that_does_not_fit(trained: Cell) -> None:
    ended = trained.run(Step.CONVERT, no_memory=True)
    assert ended.code == 70
    assert "OOM when allocating tensor" in ended.log
    assert "shows the actor" not in ended.log


@pytest.mark.parametrize(
    ("height", "width", "coverage", "whole"),
    [(35, 35, 0.9, True), (35, 35, 0.97, False), (200, 20, 0.9, True), (200, 9, 0.9, False)],
)
def test_a_crop_is_whole_when_both_margins_leave_something(
    height: int, width: int, coverage: float, whole: bool
) -> None:
    assert settings.crop_is_whole(height, width, coverage) is whole


def test_one_session_is_closed_before_the_next_is_built(model: Done) -> None:
    assert _told(model.cell, "left open") == [False] * (len(schedule.plan(60)) - 1)


def test_a_frame_without_a_face_keeps_its_pixels_and_the_main_face_is_swapped(
    converted: Done, small_videos: dict[Role, Path]
) -> None:
    video = converted.ended.out / "swapped.mp4"
    before, after = (_frames(path) for path in (small_videos[Role.TEST_VIDEO], video))
    changed = [np.abs(one - other).mean(axis=2) for one, other in zip(before, after, strict=True)]
    assert changed[2].max() < 40, "only encoded again"
    # The bystander is in the upper right corner; the main face left of the middle.
    assert changed[4][20:44, 16:44].mean() > 60
    assert changed[4][:12, 76:].mean() < 25


def _frames(path: Path) -> list[Any]:
    capture = cv2.VideoCapture(str(path))
    found: list[Any] = []
    while True:
        there, frame = capture.read()
        if not there:
            return found
        found.append(frame.astype("int32"))


@pytest.mark.parametrize("step", [Step.EXTRACT, Step.TRAIN, Step.CONVERT])
def test_each_step_refuses_a_gpu_that_tensorflow_cannot_use(step: Step, trained: Cell) -> None:
    ended = trained.run(step, tensorflow_gpu=False)
    assert ended.code == 70
    assert "Faceswap-GAN found no GPU and would go on with the CPU" in ended.sentence
    assert "used again" not in ended.log


def test_a_job_without_a_gpu_trains_on_the_cpu(ready: Cell) -> None:
    ready.gpu = False
    assert ready.done(Step.TRAIN, tensorflow_gpu=False).report.iterations == 60


def test_missing_perceptual_weights_are_told_at_the_start(ready: Cell) -> None:
    ready.environment["FACESWAP_GAN_VGGFACE"] = "/nowhere/vggface.h5"
    ended = ready.run(Step.TRAIN)
    assert ended.code == 70
    assert "/nowhere/vggface.h5" in ended.sentence
    assert "[iter" not in ended.log


def test_finished_steps_are_used_again(trained: Cell) -> None:
    assert "used again" in trained.done(Step.EXTRACT).log
    assert "train: from" not in trained.done(Step.TRAIN).log
    trained.settings["w_eyes"] = 3.0
    assert "train: from iteration 0" in trained.done(Step.TRAIN).log, "another model"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"learning_rate": 5e-5}, "2e-4 (discriminators) and 1e-4 (generators)"),
        ({"masker": "vgg-clear"}, "learns an alpha mask"),
        ({"latent_dim": 2048}, "capacity 'lite'"),
        ({"resolution": 96}, "must be 64, 128 or 256"),
        ({"batch_size": 5}, "must be even"),
        ({"w_pl": "0.1 0.2"}, "four numbers"),
        ({"roi_coverage": 1.0}, "between 0.51 and 0.99"),
        ({"roi_coverage": 0.5}, "between 0.51 and 0.99"),
        ({"roi_coverage": 0.51}, "0.53 to 0.96 work there"),
        ({"roi_coverage": 0.97}, "faces from 35 pixels on"),
        ({"roi_coverage": 0.97, "min_face_area": 900}, "0.54 to 0.96 work there"),
        ({"iterations": 0, "hours": 1.0}, "hours alone do not say how many"),
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


def test_training_and_conversion_before_their_time_are_told(cell: Cell, extracted: Done) -> None:
    ended = cell.run(Step.TRAIN)
    assert ended.code == 64
    assert "the step extract comes first" in ended.sentence
    shutil.copytree(extracted.cell.state, cell.state, dirs_exist_ok=True)
    ended = cell.run(Step.CONVERT)
    assert ended.code == 64
    assert "the step train comes first" in ended.sentence


class _Faces:
    """Two faces whose order and sizes change from frame to frame."""

    def __init__(self, *frames: list[tuple[float, ...]]) -> None:
        self._frames = list(frames)

    def detect_face(self, image: object) -> tuple[Any, Any]:
        faces = np.array(self._frames.pop(0))
        return faces, np.arange(10 * len(faces)).reshape(10, len(faces))


def test_the_main_face_is_followed_and_its_landmarks_with_it() -> None:
    large, small = (0.0, 40.0, 40.0, 0.0, 0.9), (50.0, 70.0, 70.0, 50.0, 0.99)
    grown = (45.0, 99.0, 99.0, 45.0, 0.99)
    found = MainFace(_Faces([small, large], [large, grown], [], [small]))
    kept, points = found.detect_face(None)
    assert kept[0].tolist() == list(large)
    assert points[:, 0].tolist() == list(range(1, 20, 2))
    assert found.detect_face(None)[0][0].tolist() == list(large)
    assert len(found.detect_face(None)[0]) == 0
    assert found.detect_face(None)[0][0].tolist() == list(small)
    assert found.summary() == {"frames": 4, "with_face": 3, "with_several": 2}


def test_no_program_is_left_when_the_driver_dies(ready: Cell) -> None:
    ready.settings.update(iterations=0, hours=1.0, planned_iterations=1000)
    ready.interrupt(Step.TRAIN, lambda line: "[iter 20]" in line, signal.SIGKILL)

    def left() -> bool:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    words = (entry / "cmdline").read_text()
                except OSError:
                    continue
                if "train_gan" in words and str(ready.folder) in words:
                    return True
        return False

    assert wait_for(lambda: not left())


@pytest.mark.parametrize("version", ["3.6", "3.8"])
def test_the_driver_runs_under_the_pythons_of_its_images(version: str, cell: Cell) -> None:
    cell.python = old_pythons.find_python(version)
    for step in (Step.EXTRACT, Step.TRAIN, Step.CONVERT):
        cell.done(step)
