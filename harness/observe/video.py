"""What is measured in every frame of a video, in one pass over it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.observe.attributes import Listen, observe_attributes
from harness.observe.thumbnails import keep_thumbnails, observe_thumbnails, thumbnail

if TYPE_CHECKING:
    import pandas as pd

    from harness.model.dataset import VideoInfo


class Observed(NamedTuple):
    """The rows of ``observe_attributes`` and the pictures of ``observe_thumbnails``."""

    expressions: pd.DataFrame
    pictures: NDArray[np.float32]


def observe_video(
    media: Path,
    sha256: str,
    home: Path,
    info: VideoInfo | None = None,
    listen: Listen | None = None,
) -> Observed:
    """Both observations of ``media``. Decoding is most of what a thumbnail costs, so the
    thumbnails are taken on the way when the expressions are measured.

    Raises UnusableInputError for a video that cannot be read, StoreError for the store.
    """
    taken: list[NDArray[np.uint16]] = []
    expressions = observe_attributes(
        media,
        sha256,
        home,
        listen,
        info=info,
        watch=lambda picture: taken.append(thumbnail(picture)),
    )
    if taken:
        keep_thumbnails(taken, sha256, home)
    return Observed(expressions, observe_thumbnails(media, sha256, home))
