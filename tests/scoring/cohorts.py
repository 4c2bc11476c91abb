"""Synthetic people in the space of embeddings, whose right answers are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.model.cohort import Attack, CohortScore
from harness.model.video import WhichVideo
from harness.scoring.cohort.motion import CHANNELS
from harness.scoring.cohort.trials import FrameVectors, Member

Array = NDArray[np.float64]
FRAMES, FPS, SIZE = 240, 25.0, 128
NEAR = 0.35 / np.sqrt(SIZE)
"""Standard deviation of a frame's numbers: frames of one person are about 0.35 from their mean."""


class People:
    """Persons with faces 0.8 apart on average; frame noise wanders, as in a real clip."""

    def __init__(self, count: int, seed: int = 7, frames: int = FRAMES) -> None:
        self.random = np.random.default_rng(seed)
        self.frames = frames
        self.numbers = tuple(range(1, count + 1))
        self.faces = {n: self.face() for n in self.numbers}
        self.original = {n: self.clip(self.faces[n]) for n in self.numbers}

    def face(self) -> Array:
        return self.random.normal(0, 0.57 / np.sqrt(SIZE), SIZE)

    def clip(self, face: Array) -> Array:
        """Frames of one face: neighbours are alike, and forgotten within the guard gap. (A face
        that drifted over the whole clip would distinguish the clip, whoever is in it.)"""
        noise = self.random.normal(0, NEAR, (self.frames, SIZE))
        for frame in range(1, self.frames):
            noise[frame] = 0.8 * noise[frame - 1] + 0.6 * noise[frame]
        clip: Array = face + noise
        return clip

    def members(
        self, swap: Callable[[int], Array], donor: Callable[[int], str | None] = lambda n: None
    ) -> list[Member]:
        """One cell per person, whose swapped frames are ``swap(number)``."""
        return [
            Member(
                cell_id=f"{n:064d}",
                actor=n,
                donor=donor(n),
                reference=self.faces[n],
                faces={
                    WhichVideo.ORIGINAL: looked(self.original[n]),
                    WhichVideo.SWAPPED: looked(swap(n)),
                },
            )
            for n in self.numbers
        ]


def score_of(made: Sequence[Attack], actors: Sequence[int], worst: int | None) -> CohortScore:
    """A cohort score with these attacks, and nothing else in it."""
    return CohortScore(
        key="",
        protocol="",
        label="oracle-1-default",
        tool="",
        version="",
        config="",
        dataset="",
        cells=(),
        actors=tuple(actors),
        impostor_pairs=len(actors) * (len(actors) - 1) // 2,
        attacks=tuple(made),
        worst=worst,
        worst_null=None if worst is None else made[worst].best_null,
    )


def looked(vectors: Array) -> FrameVectors:
    """All frames of a video."""
    return FrameVectors(np.arange(len(vectors)), vectors, len(vectors), FPS)


def motions(random: np.random.Generator, style: Array, frames: int = 500) -> FrameVectors:
    """A face that moves in its own style: channels are mixed by ``style``, and smoothed."""
    raw = random.normal(size=(frames + 10, len(CHANNELS)))
    smooth = np.stack([raw[i : i + 10].mean(axis=0) for i in range(frames)])
    return looked(smooth @ style)


def with_motion(
    members: list[Member], motion: Mapping[int, Mapping[WhichVideo, FrameVectors]]
) -> list[Member]:
    """The same members, and how their faces move."""
    return [replace(member, motion=motion[member.actor]) for member in members]
