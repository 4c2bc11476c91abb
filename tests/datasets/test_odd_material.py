"""HDR, interlaced, anamorphic clips and files of several videos: prepared, and reported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from harness.core.errors import UnusableInputError
from harness.datasets.material import faults_of
from harness.datasets.prepare import prepare_actor, remarks_on
from harness.datasets.registry import load_dataset
from harness.execution.resolve import spec_of
from harness.media.ffmpeg import run_ffmpeg
from harness.media.frames import read_frames
from harness.media.probe import probe
from harness.media.streams import Hdr
from harness.model.dataset import Dataset, PreparedActor, Split
from harness.model.suite import Suite, ToolEntry
from harness.planning.current import material_remarks, record_person
from harness.planning.study import Study
from harness.store.media import MediaStore
from harness.tools.registry import load_tools
from harness.tools.runtime.swapped import video_fault
from reports.cautions import cautions
from reports.collect import collect_numbers
from tests.media.odd_files import in_hdr, of_streams

pytestmark = pytest.mark.clips

FACE = "crop=320:320:260:20,scale=240:240"


@pytest.fixture
def folder(sample_dir: Path, tmp_path: Path) -> Path:
    """``sdr.mp4`` and its relatives, and ``face.png``, of one woman."""
    source = ["-ss", "10", "-i", str(sample_dir / "WolfgangLanger_Pexels.mp4"), "-an"]
    codec = ["-frames:v", "8", "-c:v", "libx264", "-crf", "4"]
    for name, extra in (
        ("sdr", []),
        ("interlaced", ["-flags", "+ilme+ildct", "-x264-params", "tff=1"]),
        ("anamorphic", []),
    ):
        shape = f"{FACE},setsar=4/3" if name == "anamorphic" else f"{FACE},setsar=1"
        out = tmp_path / f"{name}.mp4"
        run_ffmpeg([*source, "-vf", shape, *codec, *extra, str(out)])
    in_hdr(tmp_path / "sdr.mp4", tmp_path / "hlg.mp4", Hdr.HLG)
    in_hdr(tmp_path / "sdr.mp4", tmp_path / "pq.mp4", Hdr.PQ)
    other = tmp_path / "other.mp4"
    run_ffmpeg(["-i", str(tmp_path / "sdr.mp4"), "-vf", "negate", str(other)])
    of_streams(tmp_path / "two.mkv", other, tmp_path / "sdr.mp4", marked=1)
    of_streams(tmp_path / "equal.mkv", other, tmp_path / "sdr.mp4")
    photo = ["-ss", "11.9", "-i", str(sample_dir / "WolfgangLanger_Pexels.mp4"), "-vf", FACE]
    run_ffmpeg([*photo, "-frames:v", "1", str(tmp_path / "face.png")])
    return tmp_path


def dataset_of(folder: Path, home: Path, *tests: object) -> Dataset:
    """One actor, 3, of the named test clips."""
    clips = [{"part": "test", **(one if isinstance(one, dict) else {"path": one})} for one in tests]
    actor = {"number": 3, "sex": "female", "photo": "face.png", "clips": clips}
    manifest = folder / "m.yaml"
    manifest.write_text(yaml.safe_dump({"name": "odd", "actors": [actor]}))
    return load_dataset(str(manifest), home)


def prepared(dataset: Dataset, home: Path) -> PreparedActor:
    """The actor as `bench run` prepares and records them."""
    (actor,) = dataset.actors
    done = prepare_actor(dataset, 3, Split.HELD_OUT, MediaStore(home))
    record_person(home, dataset, actor, Split.HELD_OUT, done)
    return done


def said(dataset: Dataset, home: Path) -> list[str]:
    """The cautions of a report about a cell of the actor."""
    suite = Suite(name="odd", dataset="odd", tools=(ToolEntry(tool="noop"),))
    study = Study(suite, dataset, load_tools(), home)
    (cell,) = study.plan()
    spec = spec_of(study, cell, prepared(dataset, home), None)
    # As a page has it: read from the cell's own file, which does not hold the remarks.
    spec = type(spec).model_validate_json(spec.model_dump_json())
    data = collect_numbers(home, [spec], study.protocol.name)
    assert material_remarks(home, [spec]) == list(data.material)
    return [sentence for sentence in cautions(data) if "clip" in sentence]


def face_of(path: Path) -> list[float]:
    frames = np.stack(list(read_frames(path))).astype(float)[:, 60:180, 60:180]
    return [float(value) for value in frames.mean(axis=(0, 1, 2))]


@pytest.mark.parametrize("name", ["hlg.mp4", "pq.mp4"])
def test_a_prepared_hdr_clip_has_the_skin_of_the_sdr_one(
    folder: Path, sample_home: Path, name: str
) -> None:
    media = MediaStore(sample_home)
    sdr = prepared(dataset_of(folder, sample_home, "sdr.mp4"), sample_home)
    hdr = prepared(dataset_of(folder, sample_home, name), sample_home)
    assert face_of(media.path(hdr.test)) == pytest.approx(face_of(media.path(sdr.test)), abs=2.5)
    assert hdr.test.info is not None
    assert hdr.test.info.pixel_format == "yuv420p"


@pytest.mark.parametrize(
    ("tests", "words"),
    [
        (["hlg.mp4"], "Actor 3: The only clip is HDR (HLG): tone-mapped"),
        (["sdr.mp4", "pq.mp4"], "Actor 3: 1 of 2 clips is HDR (PQ): tone-mapped"),
        (["interlaced.mp4"], "Actor 3: The only clip is stored interlaced"),
        (["anamorphic.mp4"], "Actor 3: The only clip is stored with pixels that are not square"),
        (["two.mkv"], "Actor 3: The only clip is in a file with several picture streams"),
    ],
)
def test_the_report_says_what_is_odd_about_the_clips_and_names_no_file(
    folder: Path, sample_home: Path, tests: list[str], words: str
) -> None:
    (sentence,) = said(dataset_of(folder, sample_home, *tests), sample_home)
    assert sentence.startswith(words)
    assert not any(name in sentence for name in tests)


def test_the_report_says_nothing_of_plain_clips(folder: Path, sample_home: Path) -> None:
    assert said(dataset_of(folder, sample_home, "sdr.mp4"), sample_home) == []


def test_the_second_stream_is_prepared_where_it_is_the_one_that_is_meant(
    folder: Path, sample_home: Path
) -> None:
    media = MediaStore(sample_home)
    wanted = face_of(folder / "sdr.mp4")
    for clip in ("two.mkv", {"path": "equal.mkv", "stream": 2}):
        done = prepared(dataset_of(folder, sample_home, clip), sample_home)
        assert face_of(media.path(done.test)) == pytest.approx(wanted, abs=1)
    negative = prepared(
        dataset_of(folder, sample_home, {"path": "two.mkv", "stream": 1}), sample_home
    )
    assert face_of(media.path(negative.test))[0] == pytest.approx(255 - wanted[0], abs=4)


def test_a_file_of_equal_streams_is_asked_about_before_and_at_preparation(
    folder: Path, sample_home: Path
) -> None:
    dataset = dataset_of(folder, sample_home, "equal.mkv")
    (fault,) = faults_of(dataset.actors[0], lambda path: True)
    assert "`stream: 1` next to the clip's path in a manifest chooses" in fault
    with pytest.raises(UnusableInputError, match=r"Actor 3 of 'odd'.*2 picture streams"):
        prepared(dataset, sample_home)


@pytest.mark.parametrize("name", ["sdr.mp4", "interlaced.mp4"])
def test_what_an_earlier_version_prepared_of_sdr_is_taken_over_with_its_remarks(
    folder: Path, sample_home: Path, name: str
) -> None:
    """Nothing is prepared again, and on a read-only disk nothing need be written."""
    dataset, media = dataset_of(folder, sample_home, name), MediaStore(sample_home)
    first = prepared(dataset, sample_home)
    remarks = remarks_on(dataset.actors[0], Split.HELD_OUT, media)
    assert bool(remarks) == (name != "sdr.mp4")
    (index,) = _indices(media, first)
    index.write_text(first.model_dump_json())
    written = media.path(first.test).stat().st_mtime_ns
    assert prepared(dataset, sample_home) == first
    assert media.path(first.test).stat().st_mtime_ns == written
    assert remarks_on(dataset.actors[0], Split.HELD_OUT, media) == remarks


def test_what_an_earlier_version_prepared_of_hdr_is_prepared_again(
    folder: Path, sample_home: Path
) -> None:
    dataset, media = dataset_of(folder, sample_home, "hlg.mp4"), MediaStore(sample_home)
    first = prepared(dataset, sample_home)
    (index,) = _indices(media, first)
    pale = first.model_copy(update={"test": first.reference, "training": None})
    index.write_text(pale.model_dump_json())
    assert prepared(dataset, sample_home) == first


def _indices(media: MediaStore, wanted: PreparedActor) -> list[Path]:
    files = (media.folder / "index").glob("*.json")
    return [
        path
        for path in files
        if json.loads(path.read_text()).get("test") is not None
        and json.loads(path.read_text())["test"]["sha256"] == wanted.test.sha256
    ]


def test_a_swapped_video_that_is_labelled_as_hdr_is_refused(folder: Path) -> None:
    original = probe(folder / "sdr.mp4")
    assert video_fault(folder / "sdr.mp4", original) is None
    fault = video_fault(folder / "hlg.mp4", original)
    assert fault is not None
    assert "labelled as HDR (HLG), the original is SDR" in fault
