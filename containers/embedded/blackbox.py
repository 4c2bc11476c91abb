"""Paints every face black, generously: nothing of the face is left to recognise.

Two passes: boxes are found first, so that a gap is covered from both of its ends.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from fractions import Fraction

from containers.common import bench_driver
from containers.common.bench_driver import Job
from containers.embedded.editing import start, test_video, writer
from containers.embedded.faces import Face, FaceFinder, Frame
from harness.media.frames import read_frames

Box = tuple[int, int, int, int]


def face_box(face: Face, margin: float) -> Box:
    """Left, top, right, bottom in pixels, grown on each side by ``margin`` of the face's size."""
    left, top, right, bottom = face.box
    wide, high = (right - left) * margin, (bottom - top) * margin
    # The mesh ends at the hairline, while a detector also looks at the hair above it.
    return int(left - wide), int(top - 1.5 * high), int(right + wide) + 1, int(bottom + high) + 1


def hold(found: list[list[Box]], hold_frames: int) -> list[list[Box]]:
    """Boxes to paint in each frame: its own, its neighbours', and over gaps the nearest ones.

    A frame without a box takes those of the nearest frames before and after it, no further away
    than ``hold_frames``.
    """
    painted = [
        [box for near in found[max(0, index - 1) : index + 2] for box in near]
        for index in range(len(found))
    ]
    for order in (range(len(found)), range(len(found) - 1, -1, -1)):
        last: int | None = None
        for index in order:
            if found[index]:
                last = index
            elif last is not None and abs(index - last) <= hold_frames:
                painted[index].extend(found[last])
    return painted


def paint(frame: Frame, boxes: list[Box]) -> Frame:
    """The frame with the boxes black."""
    changed = frame.copy()
    for left, top, right, bottom in boxes:
        changed[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = 0
    return changed


def run(job: Job) -> None:
    """Settings: ``margin`` (share of the face's size), ``hold_s`` (gap covered, seconds)."""
    paint_black(job, job.number("margin", 0, 2), job.number("hold_s", 0, 60))


def paint_black(
    job: Job,
    margin: float,
    hold_s: float,
    spared: Container[int] = (),
    notes: Sequence[str] = (),
) -> None:
    """Write the video with all faces painted over, but for the frames ``spared``."""
    path, info = test_video(job)
    fps = float(Fraction(info.fps))
    progress = bench_driver.Progress(2 * info.frames, "frame passes")
    found: list[list[Box]] = []
    with FaceFinder(job.input("face_landmarker"), fps) as finder:
        for frame in read_frames(path, info):
            found.append([face_box(face, margin) for face in finder.find(frame)])
            progress.update(len(found))
    with writer(job, info) as video:
        boxes = hold(found, round(hold_s * fps))
        for index, (frame, covered) in enumerate(zip(read_frames(path, info), boxes, strict=True)):
            video.write(frame if index in spared else paint(frame, covered))
            progress.update(len(found) + index + 1)
    without = sum(not boxes for boxes in found)
    bench_driver.write_step(
        job,
        frames=len(found),
        frames_without_face=without,
        frames_with_several_faces=sum(len(boxes) > 1 for boxes in found),
        faces_found={"test_video": len(found) - without},
        notes=list(notes),
    )


if __name__ == "__main__":
    start(run)
