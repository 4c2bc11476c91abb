"""Stand-in: see ../README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Loaded:
    loaded = False

    def load_weights(self, path: str) -> None:
        self.loaded = bool(Path(path).read_bytes())


def RESNET50(  # noqa: N802
    include_top: bool = True,
    weights: str | None = "vggface",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: Any = None,
    classes: int = 8631,
) -> Loaded:
    assert weights is None, "it would be downloaded"
    assert not include_top
    assert input_shape == (224, 224, 3)
    return Loaded()
