"""Videos as people have them, through the whole chain: manifest, preparation, tools, scores.

Every clip is made from the sample's real ones by FFmpeg; they are small to be quick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from harness.datasets.registry import load_dataset
from harness.execution.outcomes import CellOutcome
from harness.execution.pipeline import Goal, RunOptions, run_study
from harness.media.ffmpeg import run_ffmpeg
from harness.media.probe import probe
from harness.media.streams import picture_stream
from harness.model.cell import CellSpec, Status
from harness.model.job import StepReport
from harness.model.score import CellScore, Comparison
from harness.model.suite import Suite, SuiteProtocol, ToolEntry
from harness.planning.study import Study
from harness.tools.registry import load_tools

WOMAN = "crop=320:320:260:20,scale=240:240,fps=24"
MAN = "crop=300:300:120:40,scale=240:240,fps=24"
FRAMES = 8

pytestmark = [pytest.mark.clips, pytest.mark.xdist_group("odd-videos")]


def _encode(*options: str, out: Path) -> None:
    run_ffmpeg(["-y", *options, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "14", str(out)])


def _odd(sample: Path, out: Path) -> None:
    """Odd sides, ten bits a channel, with sound."""
    woman = ["-ss", "10", "-i", str(sample / "WolfgangLanger_Pexels.mp4")]
    sound = ["-f", "lavfi", "-i", "sine=frequency=300:duration=0.5"]
    shape = ["-vf", f"{WOMAN},crop=239:237:0:0:exact=1", "-pix_fmt", "yuv444p10le"]
    _encode(*woman, *sound, *shape, "-frames:v", str(FRAMES), out=out)


def _turned(sample: Path, out: Path) -> None:
    """A variable frame rate, and a picture that players must turn to see the face upright."""
    plain = out.with_name("lying.mp4")
    woman = ["-ss", "10", "-i", str(sample / "WolfgangLanger_Pexels.mp4"), "-an"]
    some = f"{WOMAN},crop=200:240,select='not(between(n,4,7))',transpose=clock"
    _encode(*woman, "-vf", some, "-fps_mode", "vfr", "-frames:v", str(FRAMES), out=plain)
    run_ffmpeg(["-y", "-display_rotation", "90", "-i", str(plain), "-c", "copy", str(out)])


def _several(sample: Path, out: Path) -> None:
    """The woman, and beside her the man, smaller."""
    both = ["-ss", "10", "-i", str(sample / "WolfgangLanger_Pexels.mp4")]
    both += ["-i", str(sample / "single_face.mp4")]
    beside = f"[0:v]{WOMAN}[w];[1:v]{MAN},scale=160:160,pad=160:240:0:40[m];[w][m]hstack"
    _encode(*both, "-filter_complex", beside, "-an", "-frames:v", str(FRAMES), out=out)


def _leaving(sample: Path, out: Path) -> None:
    """The woman for half of the frames, then a landscape."""
    both = ["-ss", "10", "-i", str(sample / "WolfgangLanger_Pexels.mp4")]
    both += ["-i", str(sample / "no_face.mp4")]
    half = f"trim=end_frame={FRAMES // 2},setpts=N/24/TB"
    parts = f"[0:v]{WOMAN},{half}[a];[1:v]scale=240:240,setsar=1,fps=24,{half}[b]"
    _encode(*both, "-filter_complex", f"{parts};[a][b]concat", "-an", out=out)


def _faceless(sample: Path, out: Path) -> None:
    source = ["-i", str(sample / "no_face.mp4"), "-an", "-vf", "scale=240:240,setsar=1,fps=24"]
    _encode(*source, "-frames:v", str(FRAMES), out=out)


CLIPS: dict[str, Callable[[Path, Path], None]] = {
    "odd": _odd,
    "turned": _turned,
    "several": _several,
    "leaving": _leaving,
    "faceless": _faceless,
}


RUNS = [
    *((clip, "noop") for clip in CLIPS),
    *(("several", tool) for tool in ("blackbox", "landmark-swap")),
    *((clip, "landmark-swap") for clip in ("odd", "leaving", "faceless")),
]
"""Clip and tool; not every pair, since each takes seconds."""


def _name(clip: str) -> str:
    return f'a "{clip}" clip\'s\nfilé.mp4'


@dataclass(frozen=True)
class Done:
    """One cell of the study, as the store holds it."""

    spec: CellSpec
    outcome: CellOutcome
    score: CellScore | None

    @property
    def report(self) -> StepReport:
        assert self.outcome.result is not None
        return self.outcome.result.steps[-1]


@pytest.fixture(scope="module")
def folder(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clips, a photo and a manifest, under names that few programs can stand."""
    folder = tmp_path_factory.mktemp("odd") / 'it\'s "mine"\nand ünï -v 100%d partial file'
    folder.mkdir()
    for name, make in CLIPS.items():
        make(sample_dir, folder / _name(name))
    photo = ["-ss", "11.9", "-i", str(sample_dir / "WolfgangLanger_Pexels.mp4"), "-vf", WOMAN]
    run_ffmpeg([*photo, "-frames:v", "1", str(folder.parent / "face.png")])
    (folder.parent / "face.png").rename(folder / "fäce.png")
    manifest = {
        "name": "odd",
        "actors": [
            {
                "number": number,
                "sex": "female",
                "clips": [{"path": _name(name), "part": "test"}],
                "photo": "fäce.png",
            }
            for number, name in enumerate(CLIPS)
        ],
        "donors": [{"name": 'Zoë\'s "face"', "sex": "female", "photo": _photo(sample_dir)}],
    }
    (folder / "sét.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    return folder


def _photo(sample: Path) -> dict[str, object]:
    box = {"x": 495, "y": 285, "width": 165, "height": 175}
    return {"path": str(sample / "multi_face.jpg"), "crop": box}


@pytest.fixture(scope="module")
def cells(folder: Path, sample_cache: Path) -> dict[tuple[str, str], Done]:
    """Every clip under every tool, run and scored."""
    home = folder / "bench home"
    home.mkdir()
    for name in ("downloads", "models"):
        (home / name).symlink_to(sample_cache / name)
    suite = Suite(
        name="odd",
        dataset="odd",
        tools=tuple(ToolEntry(tool=tool) for tool in dict.fromkeys(tool for _, tool in RUNS)),
        protocol=SuiteProtocol(frames=FRAMES),
    )
    dataset = load_dataset(str(folder / "sét.yaml"), home)
    study = Study(suite, dataset, load_tools(), home)
    names = list(CLIPS)
    planned = [cell for cell in study.plan() if (names[cell.actor], cell.tool) in RUNS]
    outcome = run_study(study, RunOptions(planned=planned, goal=Goal.SCORES))
    runs = {run.cell_id: run for run in outcome.cells}
    scores = {scored.cell_id: scored.score for scored in outcome.scores}
    return {
        (names[spec.actor.number], spec.tool): Done(spec, runs[spec.id], scores.get(spec.id))
        for spec in outcome.resolved.specs
    }


def _used(done: Done, comparison: Comparison) -> tuple[int, int, int]:
    """Frames that were asked for, that had a face, and that had several."""
    assert done.score is not None
    found = done.score.identity.comparisons[comparison]
    return found.asked, found.used, found.several_faces


@pytest.mark.parametrize("clip", CLIPS)
def test_every_clip_becomes_an_even_constant_rate_video_without_sound(
    cells: dict[tuple[str, str], Done], folder: Path, clip: str
) -> None:
    source = probe(folder / _name(clip))
    info = cells[clip, "noop"].spec.actor.test.info
    assert info is not None
    even = (source.width // 2 * 2, source.height // 2 * 2)
    assert (info.width, info.height, info.fps) == (*even, "24/1")
    assert (info.pixel_format, info.has_audio, info.variable_rate) == ("yuv420p", False, False)
    # The four frames that the variable rate leaves out are shown by holding the one before.
    assert info.frames == (FRAMES + 4 if clip == "turned" else FRAMES)


def test_the_clips_are_as_odd_as_they_are_called(folder: Path) -> None:
    odd, turned = probe(folder / _name("odd")), probe(folder / _name("turned"))
    assert (odd.width, odd.height, odd.pixel_format) == (239, 237, "yuv444p10le")
    assert odd.has_audio
    assert turned.variable_rate
    assert picture_stream(folder / _name("turned")).turned


@pytest.mark.parametrize(("clip", "tool"), RUNS)
def test_every_tool_finishes_and_is_scored_on_every_clip(
    cells: dict[tuple[str, str], Done], clip: str, tool: str
) -> None:
    done = cells[clip, tool]
    assert done.outcome.status is Status.OK
    assert done.score is not None
    assert done.score.alignment.aligned


@pytest.mark.parametrize(
    ("clip", "asked", "used", "several"),
    [
        ("odd", 8, 8, 0),
        ("turned", 8, 8, 0),
        ("several", 8, 8, 8),
        ("leaving", 8, 4, 0),
        ("faceless", 8, 0, 0),
    ],
)
def test_frames_without_a_face_and_with_several_are_counted(
    cells: dict[tuple[str, str], Done], clip: str, asked: int, used: int, several: int
) -> None:
    done = cells[clip, "noop"]
    for comparison in (Comparison.ORIGINAL_ORIGINAL, Comparison.SWAPPED_ORIGINAL):
        assert _used(done, comparison) == (asked, used, several)
    assert done.score is not None
    distance = done.score.identity.comparisons[Comparison.SWAPPED_ORIGINAL]
    if used:
        # The woman's own photo: nobody else's face was measured.
        assert distance.mean is not None
        assert distance.mean < 0.4
    else:
        assert distance.mean is None
        assert distance.fta == 1.0


def test_of_several_faces_the_main_one_is_swapped_and_all_are_covered(
    cells: dict[tuple[str, str], Done],
) -> None:
    swap, cover = cells["several", "landmark-swap"], cells["several", "blackbox"]
    assert swap.report.frames_with_several_faces == FRAMES
    assert cover.report.frames_with_several_faces == FRAMES
    asked, used, several = _used(swap, Comparison.SWAPPED_ORIGINAL)
    assert (asked, used, several) == (FRAMES, FRAMES, FRAMES)
    assert swap.score is not None
    mean = swap.score.identity.comparisons[Comparison.SWAPPED_ORIGINAL].mean
    assert mean is not None
    assert mean > 0.5
    assert _used(cover, Comparison.SWAPPED_ORIGINAL) == (FRAMES, 0, 0)


@pytest.mark.parametrize(("clip", "without"), [("leaving", 4), ("faceless", 8)])
def test_frames_without_a_face_are_kept_and_reported_by_the_tool(
    cells: dict[tuple[str, str], Done], clip: str, without: int
) -> None:
    report = cells[clip, "landmark-swap"].report
    assert (report.frames, report.frames_without_face) == (FRAMES, without)
