"""Inputs of a tool, and the check that its result can stand alongside them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from harness.core.errors import BenchError, UnusableInputError, UsageError
from harness.model.cell import CellSpec
from harness.model.dataset import MediaRef
from harness.model.job import Role
from harness.model.tool import Tool
from harness.model.video import VideoInfo
from harness.store.media import MediaStore


def collect_inputs(spec: CellSpec, tool: Tool, media: MediaStore) -> dict[Role, str]:
    """The paths of what the tool needs.

    Raises UsageError for a missing donor, UnusableInputError for missing training material,
    StoreError for a media file that is gone.
    """
    return {role: str(_input_path(role, spec, tool, media)) for role in tool.needs}


_OF_DONOR = {Role.DONOR_REFERENCE, Role.DONOR_TRAINING, Role.DONOR_TEST}


def _input_path(role: Role, spec: CellSpec, tool: Tool, media: MediaStore) -> Path:
    if role is Role.FACE_LANDMARKER:
        from harness.vision.assets import face_landmarker_path

        return face_landmarker_path(media.home)
    if role is Role.GALLERY:
        if not spec.gallery:
            raise UsageError(f"{tool.name} needs a gallery, but the cell {spec.slug} names none.")
        return media.gallery(spec.gallery)
    donor = spec.donor
    if donor is None and role in _OF_DONOR:
        raise UsageError(
            f"{tool.name} puts on a donor's face, but the cell {spec.slug} names no donor.",
            hint="Add --donor NAME; `bench data list` shows the donors.",
        )
    inputs: dict[Role, MediaRef | None] = {
        Role.TEST_VIDEO: spec.actor.test,
        Role.ACTOR_REFERENCE: spec.actor.reference,
        Role.ACTOR_TRAINING: spec.actor.training,
        Role.DONOR_REFERENCE: donor.reference if donor else None,
        Role.DONOR_TRAINING: donor.training if donor else None,
        Role.DONOR_TEST: donor.test if donor else None,
    }
    reference = inputs[role]
    if reference is None:
        whose = f"donor {donor.name}" if donor and role in _OF_DONOR else "actor"
        part = "test" if role is Role.DONOR_TEST else "training"
        raise UnusableInputError(
            f"{tool.name} needs {part} video of the {whose}, and dataset {spec.dataset} has none "
            f"for the cell {spec.slug}.",
            hint=f"Add clips with `part: {part}` to the dataset's manifest.",
        )
    return media.path(reference)


def video_fault(path: Path, original: VideoInfo) -> str | None:
    """Reason why ``path`` cannot stand alongside the original, as a sentence; None when it can.

    It must be decodable with the original's frame count, size and frame rate (within 1e-4, as
    29.97 and 30000/1001 are the same rate).
    """
    from harness.media.probe import probe

    if not path.is_file():
        return "The driver exited with 0 but wrote no swapped.mp4."
    try:
        swapped = probe(path)
    except BenchError as error:
        return f"The driver exited with 0, but its video cannot be read. {error.message}"
    if swapped.frames != original.frames:
        return f"The swapped video has {swapped.frames} frames, the original {original.frames}."
    if (swapped.width, swapped.height) != (original.width, original.height):
        return (
            f"The swapped video is {swapped.width}x{swapped.height}, "
            f"the original {original.width}x{original.height}."
        )
    if abs(Fraction(swapped.fps) / Fraction(original.fps) - 1) > Fraction(1, 10_000):
        return (
            f"The swapped video has {swapped.fps} frames per second, the original {original.fps}."
        )
    return None
