"""A stand-in for dfaker/df merge_faces_larger.py@38cc60c3: its arguments, files and omissions.

It swaps nothing: a merged frame is the frame. Frames that alignments.json does not name are not
written, nor those whose crop is not there.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import cv2
from keras.models import Model
from tqdm import tqdm

WISH = json.loads(os.environ.get("STAND_IN", "{}"))
for name in ("encoder", "decoder_A", "decoder_B"):
    Model().load_weights(f"models/{name}.h5")


def main(asked: argparse.Namespace) -> None:
    source = Path(asked.input_dir)
    alignments = json.loads((source / asked.alignments).read_text())
    target = source / asked.output_dir
    target.mkdir(parents=True, exist_ok=True)
    print("faces", len(alignments), "seamless", asked.seamlessClone)
    for frame, crop, _, _ in tqdm(alignments):
        image = cv2.imread(str(source / frame))
        face = cv2.imread(str(source / crop))
        if image is None or face is None or int(Path(frame).stem) in WISH.get("drop", []):
            continue
        if cv2.waitKey(1) == ord("q"):
            break
        cv2.imwrite(str(target / frame), image)


def yes_or_no(text: str) -> bool:
    if text.lower() in ("yes", "true", "t", "y", "1"):
        return True
    if text.lower() in ("no", "false", "f", "n", "0"):
        return False
    raise argparse.ArgumentTypeError("Boolean value expected.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("input_dir", nargs="?")
    parser.add_argument("alignments", nargs="?", default="alignments.json")
    parser.add_argument("output_dir", nargs="?", default="merged")
    parser.add_argument("--seamlessClone", type=yes_or_no, nargs="?", const=False, default="False")
    masks = ("FaceHullAndRect", "FaceHull", "Rect")
    parser.add_argument("--maskType", choices=masks, default="FaceHullAndRect")
    for name, default in (("startframe", 0), ("frameSkip", 1), ("blurSize", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--erosionKernelSize", type=int, default=2)
    parser.add_argument("--direction", choices=("AtoB", "BtoA"), default="AtoB")
    main(parser.parse_args())
