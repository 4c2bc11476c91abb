"""Runs DFaker's merge_faces_larger.py without a window.

    python -m containers.dfaker.merge_launcher SOURCE [the script's own arguments]

The script shows nothing, but asks OpenCV for a key after each face, which builds without windows
refuse. Runs in the folder that holds models/.
"""

import os
import runpy
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Answer for the keyboard, and run the script."""
    source = sys.argv[1]
    window: Any = import_module("cv2")
    window.waitKey = lambda delay=0: -1
    script = os.path.join(source, "merge_faces_larger.py")
    sys.path.insert(0, source)
    sys.argv = [script, *sys.argv[2:]]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
