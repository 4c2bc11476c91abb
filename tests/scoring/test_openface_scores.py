"""From a user's OpenFace files to scores alongside the built-in source.

OpenFace itself is not run here. ``OpenFace_Test.csv`` of the sample is a real file that OpenFace
wrote for a clip that the sample does not hold, so its first rows stand in for those of a video of
as many frames. Other files are made in its exact format, with values of our own choosing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.core.hashing import file_sha256
from harness.media.frames import Encoding
from harness.model.cell import Artifact, Result
from harness.observe.openface import INTENSITIES, import_openface, openface_path
from harness.store.cells import CellStore

if TYPE_CHECKING:
    from tests.scoring.conftest import Bench, Frames

pytestmark = [pytest.mark.clips, pytest.mark.own_observations]

REAL_FRAMES = 40
"""Rows of the real file that are used."""


def stand_in(real: Path, path: Path, values: pd.DataFrame) -> Path:
    """A file with the real one's header and spacing; ``values`` replaces columns by name."""
    header = real.read_text().splitlines()[0]
    names = [name.strip() for name in header.split(",")]
    lines = [header]
    for number, (_, row) in enumerate(values.iterrows(), 1):
        cells = {"frame": number, "timestamp": number / 24, "confidence": 0.98, "success": 1, **row}
        lines.append(", ".join(f"{float(cells.get(name, 0)):g}" for name in names))
    path.write_text("\n".join(lines) + "\n")
    return path


def waves(frames: int, gain: float = 1.0) -> pd.DataFrame:
    """Every unit moves in its own way, within 0 to 5."""
    t = np.arange(frames)
    return pd.DataFrame(
        {f"{u}_r": gain * (2 + 1.5 * np.sin(t / (3 + i))) for i, u in enumerate(INTENSITIES)}
    )


def test_the_real_file_scores_as_numpy_does_and_never_mixes_with_the_other_source(
    make_bench: Callable[[Frames], Bench], sample_dir: Path
) -> None:
    from tests.scoring.conftest import first_frames

    clip = sample_dir / "WolfgangLanger_Pexels.mp4"
    bench = make_bench(first_frames(clip, REAL_FRAMES))
    real = bench.home / "original.csv"
    lines = (sample_dir / "OpenFace_Test.csv").read_text().splitlines(keepends=True)
    real.write_text("".join(lines[: 1 + REAL_FRAMES]))
    table = pd.read_csv(real, skipinitialspace=True)
    # A stand-in for the swapped video: the real values, weaker, with four frames lost or doubted.
    weaker = 0.5 * table[[f"{u}_r" for u in INTENSITIES]] + 0.2
    weaker["success"] = 1
    weaker["confidence"] = 0.98
    weaker.loc[[3, 4], "success"] = 0
    weaker.loc[[10, 11], "confidence"] = 0.79
    swapped = bench.write(
        first_frames(clip, REAL_FRAMES), "swapped.mp4", encoding=Encoding(30, "veryfast")
    )
    for csv, video in (
        (real, bench.original_path),
        (stand_in(real, bench.home / "swapped.csv", weaker), swapped),
    ):
        import_openface(csv, file_sha256(video), REAL_FRAMES, bench.home)

    blendshapes, openface = bench.score("swap", swapped).attributes
    assert (blendshapes.source, openface.source) == ("mediapipe-blendshapes", "openface")
    assert (blendshapes.scale, openface.scale) == ("0-1 (rig weights)", "0-5 (FACS intensity)")
    assert (openface.frames, openface.paired) == (REAL_FRAMES, REAL_FRAMES - 4)
    assert (openface.seen_original, openface.seen_swapped) == (REAL_FRAMES, REAL_FRAMES - 4)
    assert [unit.unit for unit in openface.units] == list(INTENSITIES)
    kept = [i for i in range(REAL_FRAMES) if i not in (3, 4, 10, 11)]
    for unit in openface.units:
        x = table[f"{unit.unit}_r"].to_numpy()[kept]
        if not unit.measurable:
            assert x.std() <= 0.05 or np.ptp(np.quantile(x, (0.01, 0.99))) <= 0.25
            continue
        y = 0.5 * x + 0.2
        assert unit.paired == len(kept)
        assert unit.rmse == pytest.approx(np.sqrt(np.mean((x - y) ** 2)), abs=1e-4)
        if not unit.frozen:
            assert unit.pcc == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-4)
    assert openface.units_used
    pccs = [0.0 if u.frozen else u.pcc for u in openface.units if u.measurable]
    assert openface.mean_pcc == pytest.approx(np.mean([p for p in pccs if p is not None]))


def test_a_file_of_one_video_alone_is_told_and_not_scored(bench: Bench, sample_dir: Path) -> None:
    frames = len(bench.source)
    csv = stand_in(sample_dir / "OpenFace_Test.csv", bench.home / "o.csv", waves(frames))
    swapped = bench.write(bench.source, "swapped.mp4", encoding=Encoding(30, "veryfast"))
    before = bench.score("swap", swapped)
    assert len(before.attributes) == 1
    import_openface(csv, bench.original.sha256, frames, bench.home)
    after = bench.score("swap", swapped)
    assert after.attributes[0] == before.attributes[0]
    assert after.attributes[1].units_used == 0
    assert after.attributes[1].units[0].reason == "there is no OpenFace file of the swapped video"


@pytest.fixture
def cell(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> tuple[Bench, str, Path]:
    """A cell in the store, finished with a real video; its name and that video."""
    monkeypatch.setenv("BENCH_HOME", str(bench.home))
    swapped = bench.write(bench.source, "swapped.mp4", encoding=Encoding(30, "veryfast"))
    spec = bench.spec("swap")
    artifact = Artifact(path="swapped.mp4", sha256=file_sha256(swapped), size_bytes=1)
    result = Result(cell_id=spec.id, attempt="1", swapped=artifact, steps=())
    monkeypatch.setattr(CellStore, "list", lambda _: [spec])
    monkeypatch.setattr(CellStore, "result", lambda *_: result)
    monkeypatch.setattr(CellStore, "swapped_path", lambda *_: swapped)
    return bench, spec.slug, swapped


def test_files_are_imported_for_a_cell_or_for_a_video(
    cell: tuple[Bench, str, Path], sample_dir: Path
) -> None:
    bench, name, swapped = cell
    frames = len(bench.source)
    real = sample_dir / "OpenFace_Test.csv"
    doubtful = waves(frames).assign(confidence=[0.3, 0.3] + [0.9] * (frames - 2))
    first = stand_in(real, bench.home / "original é.csv", waves(frames))
    second = stand_in(real, bench.home / "swapped.csv", doubtful)
    done = CliRunner().invoke(
        app,
        ["observe", "import-openface", name, str(second), "--original", str(first)],
    )
    assert done.exit_code == 0, done.output
    assert f"sample actor 1, original: {frames} frames, {frames} with a face" in done.output
    assert f"{name}: {frames} frames, {frames - 2} with a face" in done.output
    listed = CliRunner().invoke(app, ["observe", "list", "--json"])
    assert listed.output.count('"openface": true') == 2

    copy = bench.home / "elsewhere" / "test.mp4"
    copy.parent.mkdir()
    shutil.copyfile(swapped, copy)
    path = openface_path(bench.home, file_sha256(swapped))
    path.unlink()
    done = CliRunner().invoke(app, ["observe", "import-openface", str(copy), str(second)])
    assert done.exit_code == 0, done.output
    assert path.exists()


def test_a_video_of_no_cell_and_a_file_of_another_video_are_refused(
    cell: tuple[Bench, str, Path], sample_dir: Path
) -> None:
    bench, name, _ = cell
    real = sample_dir / "OpenFace_Test.csv"
    other = bench.write(bench.source[:5], "other.mp4")
    refused = CliRunner().invoke(app, ["observe", "import-openface", str(other), str(real)])
    assert refused.exit_code == 2
    wrong = CliRunner().invoke(app, ["observe", "import-openface", name, str(real)])
    assert wrong.exit_code == 2
    assert "the video has 30: it is of another video" in wrong.output + str(wrong.stderr)
    nothing = CliRunner().invoke(app, ["observe", "import-openface", name])
    assert nothing.exit_code == 2
