"""MediaPipe is imported without matplotlib, and matplotlib stays whole for whoever wants it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys

sys.path.insert(0, sys.argv[1])
from harness.vision.landmarker import load_mediapipe

mediapipe = load_mediapipe()
assert not [name for name in sys.modules if name.split(".")[0] == "matplotlib"]
assert mediapipe.tasks.vision.FaceLandmarker
import matplotlib.pyplot

print(matplotlib.pyplot.figure.__name__)
"""


def test_mediapipe_comes_without_matplotlib_which_can_still_be_imported_afterwards(
    tmp_path: Path,
) -> None:
    # The locks leave matplotlib out, so a package of that name stands in for it.
    (tmp_path / "matplotlib").mkdir()
    (tmp_path / "matplotlib" / "__init__.py").touch()
    (tmp_path / "matplotlib" / "pyplot.py").write_text("def figure(): ...\n")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "figure"), done.stderr
