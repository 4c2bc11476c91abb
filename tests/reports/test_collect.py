"""From a store with real cells to a page: what `collect` reads, and what it says is missing."""

from __future__ import annotations

import base64
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.core.hashing import file_sha256
from harness.core.host import Host
from harness.execution.score_cells import scorable_cell, score_cell
from harness.media.frames import VideoWriter, read_frames
from harness.media.probe import probe
from harness.model.cell import Attempt, CellSpec, Resources, Status
from harness.model.dataset import (
    Actor,
    Dataset,
    MediaRef,
    PreparedActor,
    Sex,
    Source,
    Split,
)
from harness.model.protocol import Protocol
from harness.model.score import Comparison
from harness.observe.openface import INTENSITIES, import_openface
from harness.store.cells import CellStore
from harness.store.media import MediaStore
from harness.store.score_files import ScoreStore
from harness.store.sources import keep_sources
from harness.tools.registry import load_tools
from reports.aggregate import DASH
from reports.build import page, view
from reports.collect import collect, variant_names
from reports.model import NOT_RUN, NOT_SCORED, ReportCell, ReportData

pytestmark = [pytest.mark.clips, pytest.mark.xdist_group("collect")]

FRAMES = 30
PROTOCOL = Protocol(name="thesis-4", frames=4)
BLENDSHAPES = "mediapipe-blendshapes"
Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Filled:
    """A store with a cell of every kind."""

    home: Path
    specs: dict[str, CellSpec]

    def collect(self, *names: str) -> ReportData:
        specs = [self.specs[name] for name in names or self.specs]
        return collect(self.home, specs, PROTOCOL.name, tools=load_tools(), sources=())

    def cell(self, name: str) -> ReportCell:
        return self.collect(name).cells[0]


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory, sample_dir: Path, face_landmarker: Path
) -> Filled:
    """Real clip, real scores; the OpenFace files are stand-ins written by this test."""
    home = tmp_path_factory.mktemp("a hôme")
    store, media = CellStore(home), MediaStore(home)
    clip = sample_dir / "WolfgangLanger_Pexels.mp4"
    frames = list(islice(read_frames(clip), FRAMES))
    test = _add_video(media, home, frames)
    reference = _add_face(media, home, sample_dir / "single_face.jpg")
    actor = PreparedActor(
        number=1,
        sex=Sex.MALE,
        split=Split.HELD_OUT,
        training=None,
        test=test,
        reference=reference,
        reference_note="a photo",
    )
    specs = {tool: _spec(tool, actor) for tool in TOOLS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_FACE_LANDMARKER", str(face_landmarker))
        for tool, change in CHANGES.items():
            swapped = _write([change(frame) for frame in frames], home / f"{tool}.mp4")
            if tool == "noop":
                shutil.copyfile(media.path(test), swapped)
            result = _publish(store, specs[tool], swapped)
            if tool == "reencode":
                import_openface(_openface(home, FALLING), result, FRAMES, home)
        import_openface(_openface(home, RISING), test.sha256, FRAMES, home)
        for tool in ("noop", "reencode", "blackbox"):
            score_cell(scorable_cell(specs[tool], home, PROTOCOL), home)
    _fail(store, specs["mask"])
    return Filled(home, specs)


def _black(frame: Frame) -> Frame:
    return np.zeros_like(frame)


def _brighter(frame: Frame) -> Frame:
    return cv2.convertScaleAbs(frame, alpha=1.0, beta=6).astype(np.uint8)


def _same(frame: Frame) -> Frame:
    return frame


CHANGES: dict[str, Callable[[Frame], Frame]] = {
    "noop": _same,
    "reencode": _brighter,
    "blackbox": _black,
    "blur": _same,
}
TOOLS = (*CHANGES, "mask", "pixelate")
RISING = np.linspace(0.0, 4.0, FRAMES)
FALLING = RISING[::-1]


def _spec(tool: str, actor: PreparedActor) -> CellSpec:
    return CellSpec(
        tool=tool,
        version="1",
        config="default",
        settings={},
        dataset="a data set",
        split=Split.HELD_OUT,
        actor=actor,
    )


def _write(frames: list[Frame], path: Path) -> Path:
    height, width = frames[0].shape[:2]
    with VideoWriter(path, width, height, "24/1") as video:
        for frame in frames:
            video.write(frame)
    return path


def _add_video(media: MediaStore, home: Path, frames: list[Frame]) -> MediaRef:
    path = _write(frames, home / "original.mp4")
    return media.add(path, ".mp4", probe(path))


def _add_face(media: MediaStore, home: Path, photo: Path) -> MediaRef:
    png = home / "face.png"
    picture = cv2.imread(str(photo))
    assert picture is not None
    cv2.imwrite(str(png), picture)
    return media.add(png, ".png", None)


def _attempt(spec: CellSpec, number: int, name: str, status: Status, reason: str) -> Attempt:
    return Attempt(
        cell_id=spec.id,
        number=number,
        uuid=name,
        started_at="2026-01-01T00:00:00Z",
        ended_at="2026-01-01T00:00:02Z",
        status=status,
        reason=reason,
        exit_code=None,
        log_tail=("last words",),
        resources=Resources(wall_s=2.0, cpu_s=1.0, peak_memory_bytes=1 << 20),
        host=Host(
            system="Linux",
            machine="x86_64",
            cpu="a processor",
            cores=2,
            memory_bytes=8 << 30,
            python="3.11",
            bench_version="0",
        ),
    )


def _publish(store: CellStore, spec: CellSpec, swapped: Path) -> str:
    """The SHA-256 of the published video."""
    with store.lock(spec):
        opened = store.begin(spec)
        inside = opened.folder / "swapped.mp4"
        shutil.move(swapped, inside)
        sha256 = file_sha256(inside)
        attempt = _attempt(spec, opened.number, opened.uuid, Status.OK, "done")
        store.publish(spec, attempt, inside, ())
    return sha256


def _fail(store: CellStore, spec: CellSpec) -> None:
    with store.lock(spec):
        opened = store.begin(spec)
        reason = "The step took <longer> than 2 s & was stopped."
        store.finish(spec, _attempt(spec, opened.number, opened.uuid, Status.TIMEOUT, reason))


def _openface(home: Path, values: NDArray[np.float64]) -> Path:
    """A stand-in for a file of OpenFace 2.2, with its column names and leading spaces."""
    path = home / f"{uuid.uuid4().hex}.csv"
    columns = ["frame", " face_id", " timestamp", " confidence", " success"]
    columns += [f" {unit}_r" for unit in INTENSITIES]
    present = (*INTENSITIES, "AU28")
    lines = [",".join([*columns, *(f" {unit}_c" for unit in present)])]
    for i, value in enumerate(values):
        cells = [str(i + 1), "0", f"{i / 24:.3f}", "0.98", "1"]
        cells += [f"{value:.2f}"] * len(INTENSITIES)
        lines.append(", ".join([*cells, *["0.0"] * len(present)]))
    path.write_text("\n".join(lines))
    return path


def test_a_scored_cell_comes_with_its_evidence_at_its_time(filled: Filled) -> None:
    cell = filled.cell("noop")
    assert (cell.status, cell.reason) == ("ok", "")
    assert [e.kind for e in cell.evidence] == ["worst", "median", "best"]
    for shown in cell.evidence:
        assert shown.time_s == pytest.approx(shown.frame / 24)
        assert shown.distance_l2 is not None
        assert np.abs(_picture(shown.original) - _picture(shown.swapped)).max() <= 1
    assert cell.attempts[0].host.cpu == "a processor"
    shown = filled.cell("reencode").evidence[0]
    darker, brighter = (_picture(side).mean() for side in (shown.original, shown.swapped))
    assert brighter > darker + 3


def _picture(uri: str) -> NDArray[np.float64]:
    data = np.frombuffer(base64.b64decode(uri.split(",")[1]), np.uint8)
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded.astype(np.float64)


def test_a_face_nobody_found_is_shown_as_a_sample_frame(filled: Filled) -> None:
    cell = filled.cell("blackbox")
    (sample,) = cell.evidence
    assert (sample.kind, sample.frame, sample.distance_l2) == ("sample", FRAMES // 2, None)
    assert _picture(sample.original).mean() > 20 > _picture(sample.swapped).mean()
    assert "No face detected" in page(filled.collect("blackbox"))


def test_cells_without_a_score_say_why(filled: Filled) -> None:
    failed = filled.cell("mask")
    assert (failed.status, failed.score) == ("timeout", None)
    assert failed.reason.startswith("The step took <longer>")
    assert filled.cell("pixelate").status == NOT_RUN
    assert "bench run" in filled.cell("pixelate").reason
    assert filled.cell("blur").status == NOT_SCORED
    assert "bench score" in filled.cell("blur").reason
    html = page(filled.collect())
    assert "3 of 6 cells scored" in html
    assert "took &lt;longer&gt; than 2 s &amp; was stopped" in html


def test_a_score_under_another_protocol_is_not_shown(filled: Filled) -> None:
    data = collect(filled.home, [filled.specs["noop"]], "thesis", tools={}, sources=())
    assert data.cells[0].status == NOT_SCORED


def test_sources_come_from_the_store_wherever_the_manifest_is(
    filled: Filled, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(filled.home, home)
    spec = filled.specs["noop"]
    own, mine, hers = (Source(name=n, url="https://example.org", licence="CC0") for n in "abc")
    people = tuple(
        Actor(number=number, sex=Sex.MALE, clips=(), source=source)
        for number, source in ((spec.actor.number, mine), (spec.actor.number + 1, hers))
    )
    keep_sources(home, Dataset(name=spec.dataset, actors=people, sources=(own,)))
    keep_sources(home, Dataset(name="another", actors=people, sources=(hers,)))
    found = collect(home, [spec], PROTOCOL.name, tools={}).sources
    assert found == (own, mine)


def test_a_result_that_left_the_store_takes_its_score_with_it(
    filled: Filled, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(filled.home, home)
    spec = filled.specs["noop"]
    CellStore(home).swapped_path(spec).unlink()
    (cell,) = collect(home, [spec], PROTOCOL.name, tools={}, sources=()).cells
    assert ScoreStore(home).path(spec, PROTOCOL.name).exists()
    assert (cell.status, cell.score) == (NOT_RUN, None)
    assert "no longer in the store" in cell.reason


def test_openface_files_are_a_second_source_never_mixed_with_the_first(filled: Filled) -> None:
    data = filled.collect("noop", "reencode", "blackbox")
    by_tool = {c.spec.tool: c.score for c in data.cells if c.score}
    missing = [a for a in by_tool["blackbox"].attributes if a.source == "openface"]
    assert all(a.mean_pcc is None for a in missing), "only one of its two files is there"
    openface = by_tool["reencode"].attributes[1]
    assert (openface.source, openface.paired) == ("openface", FRAMES)
    assert openface.mean_pcc == pytest.approx(-1.0)
    shown = view(data)["units"]
    assert [u["source"] for u in shown] == [BLENDSHAPES, "openface"]
    table = shown[1]["tables"][0]
    assert [cell.text for cell in table.rows[0]][:3] == ["AU01", "1.000", "-1.000"]
    assert len(table.rows) == len(INTENSITIES)
    first = by_tool["reencode"].attributes[0].mean_pcc
    assert first is not None
    # Unit, noise floor, noop, reencode.
    assert shown[0]["tables"][0].footer[0][3].sort == pytest.approx(first)
    covered = {row[0].text: row[2].text for row in shown[1]["coverage"].rows}
    assert (covered["noop"], covered["reencode"]) == ("1.000", "-1.000")
    assert covered.get("blackbox", DASH) == DASH
    html = page(data)
    assert html.count("<h3>Source ") == 2
    assert "0-5 (FACS intensity)" in html


def test_the_controls_of_a_real_store_come_out_as_known(filled: Filled) -> None:
    checks = {check.variant: check for check in view(filled.collect())["checks"]}
    assert checks["noop"].passed
    assert checks["blackbox"].passed
    assert set(checks) == {"noop", "reencode", "blackbox"}
    noop = filled.cell("noop").score
    assert noop is not None
    found = noop.identity.comparisons
    assert found[Comparison.SWAPPED_ORIGINAL] == found[Comparison.ORIGINAL_ORIGINAL]


def test_columns_are_named_by_what_tells_them_apart(filled: Filled) -> None:
    plain = filled.specs["noop"]
    weak = plain.model_copy(update={"config": "weak", "settings": {"crf": 40}})
    other = weak.model_copy(update={"settings": {"crf": 50}})
    thesis = filled.specs["blur"].model_copy(update={"split": Split.THESIS})
    specs = [plain, weak, other, filled.specs["blur"], thesis]
    names = variant_names(specs)
    assert [names[spec.id] for spec in specs] == [
        "noop default",
        "noop weak crf=40",
        "noop weak crf=50",
        "blur held-out split",
        "blur thesis split",
    ]
