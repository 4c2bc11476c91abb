"""Chooses the frames that are looked at."""

from __future__ import annotations

import numpy as np

from harness.model.protocol import Protocol


def sample_frames(total: int, n: int, seed: int) -> tuple[int, ...]:
    """At most ``n`` of the frames 0 to ``total`` - 1, ascending, drawn without replacement.

    Depends on the three numbers alone, so the original and every tool are seen at the same
    frames; all frames when there are no more than ``n``.
    """
    if n >= total:
        return tuple(range(total))
    chosen = np.random.Generator(np.random.PCG64(seed)).choice(total, size=n, replace=False)
    return tuple(int(frame) for frame in np.sort(chosen))


def sampled_of(protocol: Protocol, total: int) -> tuple[int, ...]:
    """The frames that a protocol samples of an original of ``total`` frames."""
    return sample_frames(total, protocol.frames, protocol.seed)
