#!/usr/bin/env python3
"""A stand-in for OpenFace 2.2's FeatureExtraction: its flags, log lines, table and exit codes.

It looks at no face. What it imitates was read in these files (forks that hold upstream's code):

- flow, texts and exit codes: FeatureExtraction.cpp@10c59842 (seijimorimoto/OpenFace)
- "Attempting to read", "Failed to open", and that it ends with 0 then: SequenceCapture.cpp@ac4f59a1
- the flags: RecorderOpenFaceParameters.cpp@9b07c21f, SequenceCapture.cpp@ac4f59a1
  (xkortex/OpenFace), the wiki's page "Command line arguments"; -out_dir and -of, and the details
  file: RecorderOpenFace.cpp@9b07c21f (xkortex/OpenFace)
- the table is read again and its rows joined with ", ", the header as it was:
  FaceAnalyser.cpp@9b07c21f (xkortex/OpenFace)
- columns, their order and number of decimals: a video's table of 2.2.0 in
  DivineSilverWolf/OpenFace-2.2.0@efafb697
- a crash after "Starting tracking": TadasBaltrusaitis/OpenFace issues 938 and 1001

The environment's STAND_IN (JSON) says what goes wrong.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

WISH: dict[str, Any] = {
    "models": True,
    "au_models": True,
    "opens": True,
    "lost_rows": 0,
    "blind": [],  # numbers of frames without a face
    "crash": None,  # the number of a signal
    "spaced_header": False,  # as 2.1 and older write it
    "slow_s": 0.0,
    **json.loads(os.environ.get("STAND_IN", "{}")),
}
UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)


WITH_VALUE = {
    *("-f", "-fdir", "-device", "-root", "-cam_width", "-cam_height", "-fx", "-fy", "-cx", "-cy"),
    *("-out_dir", "-of", "-mloc", "-format_aligned", "-format_vis_image"),
}
ALONE = {
    *("-2Dfp", "-3Dfp", "-pdmparams", "-pose", "-aus", "-gaze", "-hogalign", "-simalign"),
    *("-tracked", "-wild", "-multi_view", "-au_static", "-nobadaligned", "-verbose"),
}


def arguments(words: list[str]) -> dict[str, str]:
    """The flags by name. Upstream passes over one that it does not know; here it is a mistake."""
    found, left = {}, list(words)
    while left:
        flag = left.pop(0)
        assert flag in WITH_VALUE | ALONE, f"FeatureExtraction knows no {flag}"
        found[flag] = left.pop(0) if flag in WITH_VALUE else ""
    return found


def say(text: str) -> None:
    print(text, flush=True)


def frames_of(path: str) -> tuple[int, float]:
    words = [os.environ["BENCH_FFMPEG"], "-i", path, "-map", "0:v:0", "-f", "framecrc", "-"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    rows = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    found = re.search(r"([\d.]+) fps", done.stderr)
    return len(rows), float(found.group(1)) if found else 30.0


def main() -> int:
    value = arguments(sys.argv[1:])
    assert "-aus" in value
    say("Could not find the HAAR face detector location")
    say("Reading the landmark detector/tracker from: /opt/openface/model/main_ceclm_general.txt")
    if not WISH["models"]:
        say("Could not find CEN patch experts, for instructions of how to download them, see")
        say("ERROR: Could not load the landmark detector")
        return 1
    if not WISH["au_models"]:
        say("WARNING: no Action Unit models found")
    say(f"Attempting to read from file: {value['-f']}")
    if not WISH["opens"]:
        say(f"Failed to open the video file at location: {value['-f']}")
        return 0
    say("Device or file opened")
    out = Path(value["-out_dir"]) / Path(value["-of"]).with_suffix("").name
    Path(f"{out}_of_details.txt").write_text(f"Input:{value['-f']}\n")
    say("Starting tracking")
    count, rate = frames_of(value["-f"])
    table = Path(f"{out}.csv")
    table.write_text("\n".join([header(), *rows(count, rate, ",")]) + "\n")
    time.sleep(WISH["slow_s"])
    if WISH["crash"]:
        os.kill(os.getpid(), WISH["crash"])
    say("0% 10% 20% 30% 40% 50% 60% 70% 80% 90% 100% ")
    for text in ("Closing output recorder", "Closing input reader", "Closed successfully"):
        say(text)
    say("Postprocessing the Action Unit predictions")
    table.write_text("\n".join([header(), *rows(count, rate, ", ")]) + "\n")
    return 0


def header() -> str:
    names = ["frame", "face_id", "timestamp", "confidence", "success"]
    if WISH["au_models"]:
        names += [f"AU{unit:02d}_r" for unit in UNITS]
        names += [f"AU{unit:02d}_c" for unit in sorted((*UNITS, 28))]
    return (", " if WISH["spaced_header"] else ",").join(names)


def rows(count: int, rate: float, comma: str) -> list[str]:
    found = []
    for number in range(1, count + 1 - int(WISH["lost_rows"])):
        seen = number not in WISH["blind"]
        row = [str(number), "0", f"{(number - 1) / rate:.3f}"]
        row += ["0.98", "1"] if seen else ["0.02", "0"]
        if WISH["au_models"]:
            row += [f"{(number + unit) % 50 / 10 if seen else 0:.2f}" for unit in UNITS]
            row += [f"{float(seen):.2f}"] * 18
        found.append(comma.join(row))
    return found


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
