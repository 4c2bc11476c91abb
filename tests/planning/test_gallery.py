"""People in the gallery of a cell, and the end of a tool that wants more people."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from adapters.controls import NOOP
from adapters.k_same import K_SAME
from harness.core.errors import UsageError
from harness.datasets.registry import load_dataset
from harness.execution.cell import collect_inputs
from harness.execution.outcomes import ResolvedCells
from harness.execution.resolve import prepare_and_resolve
from harness.media.ffmpeg import run_ffmpeg
from harness.model.job import Role
from harness.model.suite import Suite, ToolEntry
from harness.planning.study import Study
from harness.store.media import MediaStore

pytestmark = pytest.mark.clips


def _specify(folder: Path, actors: str, said: list[str]) -> ResolvedCells:
    suite = Suite(name="s", tools=(ToolEntry(tool="noop"), ToolEntry(tool="k-same")), actors=actors)
    dataset = load_dataset(str(folder / "mine.yaml"), folder)
    study = Study(suite, dataset, {"noop": NOOP, "k-same": K_SAME}, folder)
    return prepare_and_resolve(study, study.plan(), said.append)


@pytest.fixture
def folder(sample_dir: Path, tmp_path: Path, sample_cache: Path) -> Path:
    """Three actors with a photo each, of whom 7 has a clip that is no video."""
    for name in ("downloads", "models"):
        (tmp_path / name).symlink_to(sample_cache / name)
    clip = tmp_path / "clip.mp4"
    options = ["-frames:v", "4", "-vf", "scale=160:-2", "-an"]
    run_ffmpeg(["-y", "-i", str(sample_dir / "WolfgangLanger_Pexels.mp4"), *options, str(clip)])
    (tmp_path / "broken.mp4").write_text("no video")
    crop = {"x": 495, "y": 285, "width": 165, "height": 175}
    photos = {
        5: {"path": str(sample_dir / "multi_face.jpg"), "crop": crop},
        6: {"path": str(sample_dir / "single_face.jpg")},
        7: {"path": str(sample_dir / "single_face.jpg")},
    }
    actors = [
        {
            "number": number,
            "sex": "male" if number % 2 else "female",
            "photo": photo,
            "clips": [{"path": "broken.mp4" if number == 7 else "clip.mp4", "part": "test"}],
        }
        for number, photo in photos.items()
    ]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"actors": actors}), encoding="utf-8")
    return tmp_path


def test_everybody_with_a_face_is_in_the_gallery_of_those_tools_alone_that_need_it(
    folder: Path,
) -> None:
    said: list[str] = []
    noop, k_same = _specify(folder, "5", said).specs
    assert noop.gallery == ()
    assert [face.number for face in k_same.gallery] == [5, 6]
    assert k_same.gallery[0].reference == k_same.actor.reference
    assert any("not in the gallery: Actor 7" in line for line in said)
    inputs = collect_inputs(k_same, K_SAME, MediaStore(folder))
    assert (Path(inputs[Role.GALLERY]) / "actor06.png").is_file()


def test_one_who_cannot_be_used_leaves_the_others_their_cells(folder: Path) -> None:
    done = _specify(folder, "all", [])
    assert [(spec.tool, spec.actor.number) for spec in done.specs] == [
        ("noop", 5),
        ("noop", 6),
        ("k-same", 5),
        ("k-same", 6),
    ]
    assert {left.cell.actor for left in done.skipped} == {7}


def test_a_gallery_that_turns_out_too_small_costs_its_cells_and_is_refused_alone(
    folder: Path,
) -> None:
    study = Study(
        Suite(name="s", tools=(ToolEntry(tool="k-same", set={"k": 3}),), actors="5"),
        load_dataset(str(folder / "mine.yaml"), folder),
        {"noop": NOOP, "k-same": K_SAME},
        folder,
    )
    with pytest.raises(UsageError, match=r"needs 3 people in its gallery, .* has 2 actors"):
        prepare_and_resolve(study, study.plan(), lambda text: None)
    both = study.suite.model_copy(update={"tools": (ToolEntry(tool="noop"), *study.suite.tools)})
    study = Study(both, study.dataset, study.tools, folder)
    done = prepare_and_resolve(study, study.plan(), lambda text: None)
    assert [spec.tool for spec in done.specs] == ["noop"]
    assert "set k to at most 2" in done.skipped[0].reason
