"""A stand-in for a store: 96 synthetic cells from a seeded generator, with every kind of end."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from harness.core.host import Host
from harness.model.cell import CellSpec, Status
from harness.model.dataset import MediaRef, PreparedActor, PreparedDonor, Sex, Source, Split
from harness.model.score import (
    Attributes,
    CellScore,
    Comparison,
    Distances,
    EvidenceFrame,
    Identity,
    SwappedReading,
    UnitScore,
)
from reports.evidence import Rung, jpeg_uri
from reports.model import AttemptNote, EvidencePair, ReportCell, ReportData, ToolInfo
from tests.scores import aligned

TOOLS = {"noop": 0.3, "blur": 0.55, "landmark-swap": 0.78, "blackbox": None}
UNITS = ("AU01", "AU02", "AU04", "AU06", "AU09", "AU12", "AU15", "AU25", "AU26", "AU45")
Maker = Callable[..., ReportData]


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _spec(tool: str, number: int) -> CellSpec:
    sex = Sex.MALE if number % 2 else Sex.FEMALE
    face = MediaRef(sha256=_sha(f"face {number}"), suffix=".png")
    donor_face = MediaRef(sha256=_sha(f"donor {sex}"), suffix=".png")
    return CellSpec(
        tool=tool,
        version="1",
        config="default",
        settings={"strength": 3},
        dataset="stand-in",
        split=Split.HELD_OUT,
        actor=PreparedActor(
            number=number,
            sex=sex,
            split=Split.HELD_OUT,
            training=None,
            test=MediaRef(sha256=_sha(f"test {number}"), suffix=".mp4"),
            reference=face,
            reference_note="best frontal frame of the training video",
        ),
        donor=PreparedDonor(
            name=f"donor-{sex.value}",
            sex=sex,
            training=None,
            reference=donor_face,
            reference_note="photo",
        ),
    )


def distances_of(mean: float | None, rng: np.random.Generator, asked: int = 1000) -> Distances:
    """Distances around a mean, or of a video in which no face was found."""
    if mean is None:
        return Distances(asked=asked, used=0, several_faces=0)
    values = rng.normal(mean, 0.05, 400)
    q1, median, q3 = (float(v) for v in np.quantile(values, (0.25, 0.5, 0.75)))
    return Distances(
        asked=asked,
        used=asked - 12,
        several_faces=3,
        mean=float(values.mean()),
        sd=float(values.std(ddof=1)),
        median=median,
        q1=q1,
        q3=q3,
        whisker_low=q1 - 0.06,
        whisker_high=q3 + 0.06,
        share_at_or_under_threshold=float((values <= 0.6).mean()),
    )


def _units(tool: str, rng: np.random.Generator) -> Attributes:
    units = []
    for unit in UNITS:
        if unit in ("AU06", "AU09"):
            reason = "the channel does not move in the original"
            units.append(UnitScore(unit=unit, measurable=False, reason=reason))
            continue
        pcc = 1.0 if tool == "noop" else float(np.clip(rng.normal(0.7, 0.12), -1, 1))
        five = tuple(float(v) for v in np.sort(rng.random(5)))
        other = tuple(float(v) for v in np.sort(rng.random(5)))
        units.append(
            UnitScore(
                unit=unit,
                measurable=True,
                pcc=pcc,
                rmse=0.0 if tool == "noop" else 0.1,
                original_quartiles=(five[0], five[1], five[2], five[3], five[4]),
                swapped_quartiles=(other[0], other[1], other[2], other[3], other[4]),
            )
        )
    known = [u.pcc for u in units if u.pcc is not None]
    return Attributes(
        source="mediapipe-blendshapes",
        scale="0 to 1",
        frames=1200,
        paired=1180,
        units=tuple(units),
        mean_pcc=float(np.mean(known)),
        mean_rmse=0.0 if tool == "noop" else 0.1,
        mean_ccc=None,
    )


def _score(spec: CellSpec, mean: float | None, rng: np.random.Generator) -> CellScore:
    original = distances_of(0.3, rng)
    untouched = spec.tool == "noop"
    swapped = original if untouched else distances_of(mean, rng)
    far = distances_of(0.8, rng)
    near = far if untouched else distances_of(None if mean is None else 0.5, rng)
    evidence = (
        EvidenceFrame(kind="worst", frame=10, distance_l2=0.41),
        EvidenceFrame(kind="median", frame=200, distance_l2=0.62),
        EvidenceFrame(kind="best", frame=300, distance_l2=0.83),
    )
    return CellScore(
        cell_id=spec.id,
        protocol="thesis",
        inputs={"original": spec.actor.test.sha256, "observer": "face_recognition@1.3.0"},
        alignment=aligned(1200),
        identity=Identity(
            recogniser="face_recognition 1.3.0",
            threshold=0.6,
            comparisons={
                Comparison.ORIGINAL_ORIGINAL: original,
                Comparison.ORIGINAL_SWAPPED: far,
                Comparison.SWAPPED_ORIGINAL: swapped,
                Comparison.SWAPPED_SWAPPED: near,
            },
            swapped_reading=SwappedReading.DONOR_PHOTO,
            evidence=evidence if mean is not None else (),
            seed=2020,
            frames=1200,
        ),
        attributes=() if mean is None else (_units(spec.tool, rng),),
    )


def _attempt(status: Status, reason: str) -> AttemptNote:
    host = Host(
        system="Linux",
        machine="x86_64",
        cpu="a processor",
        cores=2,
        memory_bytes=8 << 30,
        python="3.11",
        bench_version="0.1.0",
    )
    return AttemptNote(
        number=1,
        status=status,
        reason=reason,
        started_at="2026-01-01T00:00:00Z",
        wall_s=12.5,
        peak_memory_bytes=300 << 20,
        host=host,
    )


def _picture(rng: np.random.Generator, rung: Rung) -> str:
    """A noisy picture: heavier than most video frames, so that every one fills its share."""
    y, x = np.mgrid[0:240, 0:320]
    base = 120 + 60 * np.sin(x / rng.uniform(15, 40)) + 50 * np.cos(y / rng.uniform(15, 40))
    noise = rng.normal(0, 22, (240, 320, 3))
    image = np.clip(base[..., None] + noise, 0, 255).astype(np.uint8)
    return jpeg_uri(image, rung)


def _cell(tool: str, number: int, rng: np.random.Generator, pictures: list[str]) -> ReportCell:
    spec = _spec(tool, number)
    if tool == "landmark-swap" and number in (5, 18):
        status = Status.TIMEOUT if number == 5 else Status.TOOL_ERROR
        reason = "The step took longer than 3600 s and was stopped."
        note = _attempt(status, reason)
        return ReportCell(
            spec=spec, variant=tool, status=status.value, reason=reason, attempts=(note,)
        )
    mean = TOOLS[tool]
    mean = None if mean is None else mean + float(rng.normal(0, 0.04))
    score = _score(spec, mean, rng)
    pairs = tuple(
        EvidencePair(
            kind=e.kind,
            frame=e.frame,
            distance_l2=e.distance_l2,
            time_s=e.frame / 24,
            original=pictures[(number + i) % len(pictures)],
            swapped=pictures[(number + i + 7) % len(pictures)],
        )
        for i, e in enumerate(score.identity.evidence)
    )
    attempts = (_attempt(Status.OK, "done"),)
    return ReportCell(
        spec=spec,
        variant=tool,
        status="ok",
        reason="",
        attempts=attempts,
        score=score,
        evidence=pairs,
    )


@pytest.fixture(scope="session")
def make_data() -> Maker:
    """``make_data(actors=24)``: a ReportData of 4 tools x actors, the same at every call."""

    def make(actors: int = 24, title: str = "Stand-in report") -> ReportData:
        rng = np.random.default_rng(7)
        rung = Rung(images=6 * 4 * actors)
        pictures = [_picture(rng, rung) for _ in range(16)]
        cells = [
            _cell(tool, number, rng, pictures) for tool in TOOLS for number in range(1, actors + 1)
        ]
        tools = {
            name: ToolInfo(
                name=name,
                summary=f"Stand-in for {name}.",
                licence="MIT",
                control=name in ("noop", "blackbox"),
                expected="known in advance" if name in ("noop", "blackbox") else None,
            )
            for name in TOOLS
        }
        return ReportData(
            title=title,
            protocol="thesis",
            generated_at="2026-01-01 00:00 UTC",
            bench_version="0.1.0",
            cells=tuple(cells),
            tools=tools,
            faces={c.spec.actor.reference.sha256: pictures[0] for c in cells},
            sources=(Source(name="Stand-in", url="https://example.org", licence="CC0"),),
            image_note=rung.note,
        )

    return make


@pytest.fixture(scope="session")
def full_data(make_data: Maker) -> ReportData:
    """96 cells: 4 tools x 24 actors."""
    return make_data()


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Chromium, driven; tests are skipped where it is not installed. All of its tests are to be in
    one worker, as a start of it and the first page are what takes longest.
    """
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not chromedriver:
        pytest.skip("Chromium and chromedriver are not installed, so no browser opens the page")
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-extensions",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(chromedriver))
    yield browser
    browser.quit()
