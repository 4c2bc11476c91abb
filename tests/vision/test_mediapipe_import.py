"""MediaPipe is imported without matplotlib, and matplotlib stays whole for whoever wants it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from harness.vision.landmarker import load_mediapipe

mediapipe = load_mediapipe()
assert not [name for name in sys.modules if name.split(".")[0] == "matplotlib"]
assert mediapipe.tasks.vision.FaceLandmarker
import matplotlib.pyplot

print(matplotlib.pyplot.figure.__name__)
"""


def test_mediapipe_comes_without_matplotlib_which_can_still_be_imported_afterwards() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "figure"), done.stderr
