"""Whatever comes in, the outcome is a value or a sentence: no other exception, and no hang."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import BenchError, BenchWarning
from harness.core.hashing import canonical_json
from harness.datasets.manifest import load_manifest
from harness.model.cell import Attempt, CellSpec, Status
from harness.model.job import Event, Job, Limits, Step
from harness.observe.openface import INTENSITIES, PRESENCES, import_openface
from harness.planning.suites import parse_suite
from harness.store.cells import CellStore, attempt_name
from harness.store.records import DamagedError, read_record
from harness.store.score_files import ScoreStore
from harness.tools.runtime.ending import read_report
from harness.tools.runtime.log import MAX_LINE_BYTES, CappedLog, LogSink
from harness.tools.runtime.takeover import TakenOver
from harness.vision.recognisers.convention import read_stated

from .strategies import FUZZ, changed_text, documents, records

STORED = Path(__file__).parents[1] / "store" / "written_before"
MANIFEST = """\
name: lab
actors:
  - number: 1
    sex: male
    photo: {path: a.jpg, crop: {x: 0, y: 0, width: 10, height: 10}}
    source: {name: us, url: here, licence: ours}
    clips:
      - {path: one.mp4, part: test, expression: joy, span: {start_s: 0.5, end_s: 2}}
      - {path: two.mp4, stream: 2}
donors:
  - {name: Mia, sex: female, photo: b.jpg}
"""
SUITE = """\
name: mine
dataset: lab.yaml
actors: 1-4,7
donors: same-sex
tools:
  - {tool: blur, version: 1, config: weak, set: {sigma: 0.1}}
protocol: {frames: 100, seed: 1, recognisers: [sface]}
repeat: {times: 2, actors: 1}
"""
STATED = "order: bgr\nmean: [127.5, 127.5, 127.5]\nscale: 127.5\nsize: 112\n"
JOB = Job(
    step=Step.CONVERT, tool="t", version="1", inputs={}, state="s", out="o", settings={},
    limits=Limits(),
)  # fmt: skip


@contextmanager
def a_value_or_a_sentence() -> Iterator[None]:
    with warnings.catch_warnings(), suppress(BenchError):
        warnings.simplefilter("ignore", BenchWarning)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@FUZZ
@given(text=documents(MANIFEST))
def test_manifests(folder: Path, text: bytes) -> None:
    path = folder / "lab.yaml"
    path.write_bytes(text)
    with a_value_or_a_sentence():
        dataset = load_manifest(path)
        assert all(actor.number >= 0 for actor in dataset.actors)


@FUZZ
@given(text=documents(SUITE))
def test_suites(text: bytes) -> None:
    with a_value_or_a_sentence(), suppress(UnicodeDecodeError):
        assert parse_suite(text.decode(), "mine.yaml").tools


@FUZZ
@given(text=documents(STATED))
def test_statements_on_recognisers(folder: Path, text: bytes) -> None:
    (folder / "net.yaml").write_bytes(text)
    with a_value_or_a_sentence():
        read_stated(folder / "net.onnx").candidates()


def _csv() -> bytes:
    names = ["frame", "face_id", "timestamp", "confidence", "success"]
    names += [f"{unit}_r" for unit in INTENSITIES] + [f"{unit}_c" for unit in PRESENCES]
    rows: list[list[float]] = [
        [number, 0, number / 25, 0.98, 1, *[1.5] * 17, *[1.0] * 18] for number in (1, 2, 3)
    ]
    lines = [", ".join(names), *(", ".join(map(str, row)) for row in rows)]
    return "\n".join(lines).encode() + b"\n"


@FUZZ
@given(data=st.one_of(changed_text(_csv()), st.binary(max_size=100)))
def test_openface_files(folder: Path, data: bytes) -> None:
    path = folder / "video.csv"
    path.write_bytes(data)
    with a_value_or_a_sentence():
        imported = import_openface(path, "0" * 64, 3, folder)
        assert 0 <= imported.usable <= imported.frames == 3


@FUZZ
@given(data=records(b'{"step": "convert", "frames": 3, "faces_found": {"a": 2}, "notes": ["x"]}'))
def test_reports_of_steps(data: bytes) -> None:
    report, verdict = read_report(TakenOver(report=data), JOB)
    assert (report is None) == (verdict is not None)
    assert verdict is None or verdict[0] is Status.BAD_OUTPUT


LINE = b'@bench {"kind": "progress", "done": 1, "total": 2, "unit": "frames", "values": {"a": 1}}\n'


@FUZZ
@given(pieces=st.lists(st.one_of(changed_text(LINE), st.binary(max_size=50)), max_size=5))
def test_lines_of_drivers(folder: Path, pieces: list[bytes]) -> None:
    heard: list[Event] = []
    with CappedLog(folder / "log.txt", 1 << 20) as log:
        sink = LogSink(log, heard.append)
        for piece in pieces:
            sink.feed(piece)
        sink.end()
        assert all(isinstance(line, str) for line in log.tail)
    assert (folder / "log.txt").stat().st_size <= (1 << 20) + MAX_LINE_BYTES


def _a_score() -> tuple[str, str, bytes]:
    path = sorted(STORED.glob("scores/[!c]*/*.json"))[0]
    return path.parent.name, path.stem, path.read_bytes()


@FUZZ
@given(data=records(_a_score()[2]))
def test_stored_scores(folder: Path, data: bytes) -> None:
    cell, protocol, _ = _a_score()
    store = ScoreStore(folder)
    spec = next(spec for spec in CellStore(STORED).list() if spec.id == cell)
    path = store.path(spec, protocol)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    with a_value_or_a_sentence():
        score = store.load(spec, protocol)
        assert score is None or score.cell_id == cell


@FUZZ
@given(data=records(sorted(STORED.glob("scores/cohorts/*/*.json"))[0].read_bytes()))
def test_stored_scores_of_cohorts(folder: Path, data: bytes) -> None:
    path = sorted(STORED.glob("scores/cohorts/*/*.json"))[0]
    store = ScoreStore(folder)
    kept = store.cohort_path(path.parent.name, path.stem)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(data)
    with a_value_or_a_sentence():
        store.load_cohort(path.parent.name, path.stem)


def _a_cell() -> CellSpec:
    return CellStore(STORED).list()[0]


@FUZZ
@given(data=records(canonical_json(_a_cell().model_dump(mode="json"))))
def test_stored_specs(folder: Path, data: bytes) -> None:
    store, spec = CellStore(folder), _a_cell()
    path = store.folder(spec) / "spec.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    with a_value_or_a_sentence():
        assert all(found == spec for found in store.list())


@FUZZ
@given(data=records(sorted(STORED.glob("cells/*/attempts/*/attempt.json"))[0].read_bytes()))
def test_stored_attempts_and_results(folder: Path, data: bytes) -> None:
    path = sorted(STORED.glob("cells/*/attempts/*/attempt.json"))[0]
    store = CellStore(folder)
    spec = next(s for s in CellStore(STORED).list() if s.slug == path.parents[2].name)
    kept = store.folder(spec) / "attempts" / path.parent.name / path.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    for place in (kept, store.folder(spec) / "result.json"):
        place.write_bytes(data)
    with a_value_or_a_sentence():
        for attempt in store.attempts(spec):
            assert attempt_name(attempt.number, attempt.uuid) == path.parent.name
        store.result(spec)
    with a_value_or_a_sentence(), suppress(DamagedError, FileNotFoundError):
        read_record(kept, Attempt)
