"""A package with a recogniser, written before the interface moved, and installed as one is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PACKAGE = """
import numpy as np
from harness.recognisers.base import (
    Alignment, Chips, Distance, Embeddings, Recogniser, RecogniserInfo,
)

class Means:
    info = RecogniserInfo(
        name="means", version="1", licence="MIT", alignment=list(Alignment)[0], chip_px=112,
        distance=Distance.COSINE,
    )

    def embed(self, chips: Chips) -> Embeddings:
        return chips.mean(axis=(1, 2)).astype(np.float32)

def open_means(home) -> Recogniser:
    return Means()
"""


def test_a_recogniser_written_before_the_move_is_found_and_opened(tmp_path: Path) -> None:
    (tmp_path / "means_package.py").write_text(PACKAGE)
    info = tmp_path / "means_package-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: means-package\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[bench.recognisers]\nmeans = means_package:open_means\n"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from pathlib import Path\n"
        "from harness.vision.recognisers.registry import open_named\n"
        "print(open_named('means', Path('.')).info.name)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (ended.stdout, ended.stderr) == ("means\n", "")
