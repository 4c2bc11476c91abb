"""Frames and faces of real clips in a site: hidden from the recogniser, or as they are."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.core.host import Host
from harness.media.frames import VideoWriter, read_frames
from harness.media.probe import probe
from harness.model.cell import Attempt, CellSpec, Resources, Status
from harness.model.dataset import PreparedActor, Sex, Split
from harness.model.score import (
    CellScore,
    Comparison,
    Distances,
    EvidenceFrame,
    Identity,
    SwappedReading,
)
from harness.observe.identity import find_faces, locate_faces
from harness.store.atomic import write_json
from harness.store.cells import CellStore
from harness.store.media import MediaStore
from harness.vision.colour import bgr_to_rgb
from harness.vision.recognition import load_face_recognition
from reports.collect import collect
from reports.site.gather import gather
from reports.site.model import Faces, Picture, Site
from reports.site.pictures import hidden_together, pixelated
from tests.scores import aligned

from .sites import files_of

# Some look at the same sites, so one worker has them all.
pytestmark = [pytest.mark.clips, pytest.mark.xdist_group("site-pictures")]
FRAMES = 8
PROTOCOL = "thesis-4"
Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Filled:
    home: Path
    spec: CellSpec


@pytest.fixture(scope="module")
def shown(filled: Filled) -> dict[Faces, Site]:
    """The site of that cell with its pictures as they are, and with pixelated ones."""
    return {faces: site_of(filled, faces) for faces in (Faces.FULL, Faces.PIXELATED)}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, sample_dir: Path) -> Filled:
    """One cell whose swapped video is the original, with a score and a preview of a training."""
    home = tmp_path_factory.mktemp("home")
    store, media = CellStore(home), MediaStore(home)
    video = _write(
        list(islice(read_frames(sample_dir / "single_face.mp4"), FRAMES)), home / "o.mp4"
    )
    swapped, face, preview = home / "s.mp4", home / "face.png", home / "000100.jpg"
    shutil.copyfile(video, swapped)
    photo = cv2.imread(str(sample_dir / "single_face.jpg"))
    assert photo is not None
    cv2.imwrite(str(face), photo)
    cv2.imwrite(str(preview), photo)
    actor = PreparedActor(
        number=1,
        sex=Sex.MALE,
        split=Split.HELD_OUT,
        training=None,
        test=media.add(video, ".mp4", probe(video)),
        reference=media.add(face, ".png", None),
        reference_note="a photo",
    )
    spec = _spec(actor)
    with store.lock(spec):
        opened = store.begin(spec)
        inside = opened.folder / "swapped.mp4"
        shutil.move(swapped, inside)
        store.publish(spec, _attempt(spec, opened.uuid), inside, (), [preview])
    write_json(home / "scores" / spec.id / f"{PROTOCOL}.json", _score(spec))
    return Filled(home, spec)


def _write(frames: list[Frame], path: Path) -> Path:
    height, width = frames[0].shape[:2]
    with VideoWriter(path, width, height, "24/1") as video:
        for frame in frames:
            video.write(frame)
    return path


def _spec(actor: PreparedActor) -> CellSpec:
    return CellSpec(
        tool="noop",
        version="1",
        config="default",
        settings={},
        dataset="sample",
        split=Split.HELD_OUT,
        actor=actor,
    )


def _attempt(spec: CellSpec, name: str) -> Attempt:
    host = Host(
        system="L", machine="m", cpu="c", cores=2, memory_bytes=1, python="3", bench_version="0"
    )
    return Attempt(
        cell_id=spec.id,
        number=1,
        uuid=name,
        started_at="2026-01-01T00:00:00Z",
        ended_at="2026-01-01T00:00:02Z",
        status=Status.OK,
        reason="done",
        exit_code=0,
        log_tail=(),
        resources=Resources(wall_s=1, cpu_s=1, peak_memory_bytes=1),
        host=host,
    )


def _score(spec: CellSpec) -> CellScore:
    found = Distances(asked=4, used=4, several_faces=0, mean=0.3)
    kinds = enumerate(("worst", "median", "best"))
    return CellScore(
        cell_id=spec.id,
        protocol=PROTOCOL,
        inputs={},
        alignment=aligned(FRAMES),
        identity=Identity(
            recogniser="r",
            threshold=0.6,
            comparisons=dict.fromkeys(Comparison, found),
            swapped_reading=SwappedReading.NONE,
            evidence=tuple(EvidenceFrame(kind=k, frame=2 * i, distance_l2=0.3) for i, k in kinds),
            seed=1,
            frames=FRAMES,
        ),
        attributes=(),
    )


def site_of(filled: Filled, faces: Faces) -> Site:
    return gather(filled.home, [filled.spec], PROTOCOL, faces=faces)


def test_who_waits_for_pixelated_pictures_hears_of_every_cell(filled: Filled) -> None:
    heard: list[tuple[int, int]] = []

    def listen(done: int, total: int) -> None:
        heard.append((done, total))

    for faces in (Faces.PIXELATED, Faces.NONE):
        gather(filled.home, [filled.spec], PROTOCOL, faces=faces, listen=listen)
    collect(filled.home, [filled.spec], PROTOCOL, listen=listen)
    assert heard == [(1, 1), (1, 1)]


def pictures_of(site: Site) -> list[Picture]:
    pairs = [pair for gallery in site.galleries.values() for pair in gallery.pairs]
    return [p for pair in pairs for p in (pair.original, pair.swapped)] + list(
        site.references.values()
    )


def rgb(data: bytes) -> Frame:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return bgr_to_rgb(image.astype(np.uint8))


def test_by_default_no_picture_is_read_or_written(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: object) -> None:
        raise AssertionError("a video was opened")

    monkeypatch.setattr("reports.site.pictures.read_frames_at", refuse)
    monkeypatch.setattr("reports.site.pictures.read_picture", refuse)
    files = files_of(gather(filled.home, [filled.spec], PROTOCOL))
    assert not [name for name in files if name.endswith(".jpg")]
    page = files[f"cells/{filled.spec.slug}.html"].decode()
    assert "Worst: frame 0, distance 0.300" in page
    assert "<img" not in page


def test_full_shows_frames_the_reference_face_and_previews(
    filled: Filled, shown: dict[Faces, Site]
) -> None:
    site = shown[Faces.FULL]
    assert len(pictures_of(site)) == 3 * 2 + 1
    assert all(locate_faces(rgb(picture.data)) for picture in pictures_of(site))
    [gallery] = site.galleries.values()
    assert [iteration for iteration, _ in gallery.previews] == [100]
    files = files_of(site)
    assert files[f"frames/{filled.spec.slug}/training-100.jpg"]
    assert 'src="../frames/' in files[f"cells/{filled.spec.slug}.html"].decode()


def test_in_pixelated_pictures_the_recogniser_finds_no_face_and_no_match(
    shown: dict[Faces, Site],
) -> None:
    full, hidden = (pictures_of(shown[faces]) for faces in (Faces.FULL, Faces.PIXELATED))
    assert [one.path for one in full] == [one.path for one in hidden]
    encode = load_face_recognition().face_encodings
    for seen, blocks in zip(full, hidden, strict=True):
        clear, coarse = rgb(seen.data), rgb(blocks.data)
        assert clear.shape == coarse.shape
        assert locate_faces(coarse) == []
        boxes, embeddings = find_faces(clear)
        # Even given where the face was, the recogniser does not take it for the person.
        [left] = encode(coarse, known_face_locations=boxes[:1])
        assert float(np.linalg.norm(embeddings[0] - left)) > 0.6
    [gallery] = shown[Faces.PIXELATED].galleries.values()
    assert gallery.previews == ()
    assert "Previews of the training are left out" in gallery.note


def test_a_picture_without_a_known_face_is_pixelated_as_a_whole() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    [data] = hidden_together([noise], 160) or [b""]
    assert len(np.unique(rgb(data).reshape(-1, 3), axis=0)) < 200
    assert len(np.unique(noise.reshape(-1, 3), axis=0)) > 10_000


def test_a_picture_that_keeps_a_face_whatever_is_done_is_left_out(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.site.pictures._shows", lambda data: True)
    site = site_of(filled, Faces.PIXELATED)
    assert pictures_of(site) == []
    [gallery] = site.galleries.values()
    assert "was left out" in gallery.note


@pytest.mark.parametrize("box", [(10, 60, 50, 20), (-30, 400, 900, -5), (5, 5, 5, 5)])
def test_pixelating_changes_the_box_and_a_margin_and_nothing_else(
    box: tuple[int, int, int, int],
) -> None:
    frame = np.random.default_rng(2).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    out = pixelated(frame, [box])
    top, right, bottom, left = box
    down, across = round(0.4 * (bottom - top)), round(0.4 * (right - left))
    inside = np.zeros(frame.shape[:2], bool)
    rows = slice(max(0, top - down), max(0, bottom + down))
    inside[rows, max(0, left - across) : max(0, right + across)] = True
    assert (out[~inside] == frame[~inside]).all()
    if inside.any():
        assert len(np.unique(out[inside], axis=0)) <= 80
