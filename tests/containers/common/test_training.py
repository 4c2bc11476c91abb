"""Budgets, log lines, checkpoints and steps of a training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from containers.common import steps
from containers.common.bench_driver import BadJobError, Job, ToolFailedError
from containers.common.budget import Budget, limits, of_job
from containers.common.checkpoints import Checkpoints
from containers.common.training import ErrorLines, Training

LINE = r"\[#(?P<done>\d+)\]\[(?P<loss_src>[^\]]+)\]"


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_iterations_or_hours_end_a_training_whichever_comes_first(tmp_path: Path) -> None:
    clock = Clock()
    budget = Budget(str(tmp_path / "b.json"), 100, 2, clock)
    budget.reached(99)
    assert budget.due() is None
    clock.now_s = 2 * 3600
    assert "2.00 hours" in str(budget.due())
    budget = Budget(str(tmp_path / "b.json"), 100, None, clock)
    budget.reached(100)
    assert "100 iterations" in str(budget.due())


def test_saved_hours_and_iterations_outlive_a_kill_and_unsaved_ones_do_not(tmp_path: Path) -> None:
    clock, path = Clock(), str(tmp_path / "b.json")
    first = Budget(path, None, 1, clock)
    first.reached(1)
    clock.now_s = 1800
    first.reached(50)
    first.saved()
    clock.now_s = 2400
    first.reached(70)
    second = Budget(path, None, 1, clock)
    assert (second.done, second.spent_s) == (50, 1800)
    clock.now_s = 10000  # loading the model again is no training
    second.reached(51)
    clock.now_s += 1799
    assert second.due() is None
    clock.now_s += 1
    assert second.due() is not None


@pytest.mark.parametrize(("setting", "cap", "expected"), [(0, 5, 5), (9, 5, 5), (3, 5, 3)])
def test_the_jobs_limit_caps_the_iterations(
    setting: int, cap: int, expected: int, tmp_path: Path
) -> None:
    fields = {"step": "train", "tool": "t", "version": "1", "inputs": {}, "state": "", "out": ""}
    settings = {"iterations": setting, "hours": 0}
    job = Job({**fields, "settings": settings, "limits": {"iterations": cap}})
    assert of_job(job, str(tmp_path / "b")).iterations == expected


def test_a_training_without_an_end_is_refused() -> None:
    fields = {"step": "train", "tool": "t", "version": "1", "inputs": {}, "state": "", "out": ""}
    with pytest.raises(BadJobError, match="needs an end"):
        limits(Job({**fields, "settings": {"iterations": 0, "hours": 0}}))


def test_log_lines_become_progress_and_losses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = Training(Budget(str(tmp_path / "b"), 12, None), LINE, first=10)
    assert not training.read("Saving....")
    assert training.read("[#1][0.5]")
    assert not training.due()
    assert training.read("[#2][0.4]")
    assert training.due()
    lines = [json.loads(line[7:]) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"done": 11, "kind": "progress", "total": 12, "unit": "iterations"}
    assert lines[1] == {"kind": "loss", "values": {"src": 0.5}}
    assert lines[2]["done"] == 12


@pytest.mark.parametrize("loss", ["nan", "inf", "-inf"])
def test_a_loss_that_is_no_number_ends_the_training(loss: str, tmp_path: Path) -> None:
    training = Training(Budget(str(tmp_path / "b"), 12, None), LINE)
    with pytest.raises(ToolFailedError, match="diverged: at iteration 7 the loss 'src'"):
        training.read(f"[#7][{loss}]")


def test_an_error_that_is_only_printed_is_an_error() -> None:
    lines = ErrorLines("^Error:")
    lines.read("No Error: here")
    lines.check("Merging")
    lines.read("Error: OOM when allocating")
    lines.read("Done.")
    with pytest.raises(ToolFailedError, match=r"Merging failed: Error: OOM .* Done\."):
        lines.check("Merging")


def _model(folder: Path, text: str) -> None:
    for name in ("encoder.npy", "decoder.npy", "summary.txt"):
        (folder / name).write_text(text)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


def test_a_save_that_was_cut_short_is_replaced_by_the_last_whole_one(model: Path) -> None:
    kept = Checkpoints(str(model), str(model.parent / "kept"), lambda name: name.endswith(".npy"))
    for iteration in (1, 2):
        _model(model, f"iteration {iteration}")
        assert kept.keep(iteration, seconds=5)
    (model / "encoder.npy").write_text("half")
    (model / "new.npy").write_text("half")
    restored = kept.restore()
    assert restored is not None
    assert (restored["iteration"], restored["facts"]) == (2, {"seconds": 5})
    assert (model / "encoder.npy").read_text() == "iteration 2"
    assert not (model / "new.npy").exists()
    assert (model / "summary.txt").exists(), "what is no model is left alone"
    assert not (model.parent / "kept" / "old").exists()


def test_a_first_save_that_was_cut_short_leaves_nothing(model: Path) -> None:
    _model(model, "half")
    assert Checkpoints(str(model), str(model.parent / "kept")).restore() is None
    assert list(model.iterdir()) == []


def test_a_copy_that_was_cut_short_is_not_taken_for_a_whole_one(model: Path) -> None:
    kept = Checkpoints(str(model), str(model.parent / "kept"))
    _model(model, "good")
    kept.keep(1)
    partial = model.parent / "kept" / "new.partial"
    partial.mkdir()
    (partial / "encoder.npy").write_text("half")
    (model / "encoder.npy").write_text("bad")
    kept.restore()
    assert (model / "encoder.npy").read_text() == "good"


def test_a_kill_between_two_copies_finds_the_older_one(model: Path) -> None:
    kept = Checkpoints(str(model), str(model.parent / "kept"))
    _model(model, "good")
    kept.keep(1)
    (model.parent / "kept" / "current").rename(model.parent / "kept" / "old")
    (model / "encoder.npy").write_text("bad")
    assert kept.restore() is not None
    assert (model / "encoder.npy").read_text() == "good"


def test_an_unchanged_model_is_not_copied_back(model: Path) -> None:
    kept = Checkpoints(str(model), str(model.parent / "kept"), every_s=60)
    _model(model, "good")
    assert kept.keep(1)
    assert not kept.keep(2), "too soon"
    inode = (model / "encoder.npy").stat().st_ino
    kept.restore()
    assert (model / "encoder.npy").stat().st_ino == inode


def test_a_finished_step_is_used_again_and_another_key_does_it_again(tmp_path: Path) -> None:
    calls = []

    def work(folder: str) -> dict[str, int]:
        calls.append(folder)
        assert list(Path(folder).iterdir()) == []
        Path(folder, "face.jpg").write_text("x")
        return {"faces": len(calls)}

    state = str(tmp_path)
    assert steps.once(state, "faces", "key", work) == {"faces": 1}
    assert steps.once(state, "faces", "key", work) == {"faces": 1}
    assert steps.once(state, "faces", "other", work) == {"faces": 2}
    assert (tmp_path / "faces" / "face.jpg").exists()


def test_a_step_that_was_cut_short_starts_again(tmp_path: Path) -> None:
    def broken(folder: str) -> dict[str, int]:
        Path(folder, "half.jpg").write_text("x")
        raise ToolFailedError("killed")

    with pytest.raises(ToolFailedError):
        steps.once(str(tmp_path), "faces", "key", broken)
    assert steps.finished(str(tmp_path), "faces", "key") is None
    steps.once(str(tmp_path), "faces", "key", lambda folder: {})
    assert list((tmp_path / "faces").iterdir()) == []


def test_a_lasting_folder_is_kept_for_its_key_only(tmp_path: Path) -> None:
    folder = Path(steps.lasting(str(tmp_path), "model", "key"))
    (folder / "encoder.npy").write_text("x")
    assert (Path(steps.lasting(str(tmp_path), "model", "key")) / "encoder.npy").exists()
    assert list(Path(steps.lasting(str(tmp_path), "model", "other")).iterdir()) == []


def test_a_key_depends_on_content_and_settings_and_not_on_names(tmp_path: Path) -> None:
    for name, text in (("a", "same"), ("b", "same"), ("c", "else")):
        (tmp_path / name).write_text(text)
    one = steps.key_of({"video": str(tmp_path / "a")}, every=1)
    assert one == steps.key_of({"video": str(tmp_path / "b")}, every=1)
    assert one != steps.key_of({"video": str(tmp_path / "c")}, every=1)
    assert one != steps.key_of({"video": str(tmp_path / "a")}, every=2)
