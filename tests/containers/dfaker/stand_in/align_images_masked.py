"""A stand-in for dfaker/df align_images_masked.py@4b1b4d7d: its arguments, order, files and names.

It crops nothing, and reads no picture: a crop is the frame. The scale of its transform is that of
a real one: 1 / size.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path

import dlib
from face_alignment import FaceAlignment, LandmarksType
from tqdm import tqdm

dlib.cnn_face_detection_model_v1 = lambda path: dlib.get_frontal_face_detector()
FACE_ALIGNMENT = FaceAlignment(LandmarksType._2D, enable_cuda=True, flip_input=False)


def main(asked: argparse.Namespace) -> None:
    source = Path(asked.input_dir)
    target = source / asked.output_dir
    target.mkdir(parents=True, exist_ok=True)
    files = list(source.glob("*." + asked.file_type))
    assert files, "Can't find input files"
    found = []
    role = source.name.split(".")[0].removeprefix("faces_")
    for file in tqdm(files):
        os.environ["STAND_IN_FRAME"] = f"{role}/{file.stem}"
        faces = FACE_ALIGNMENT.get_landmarks(file.read_bytes())
        if not faces or (asked.only_one_face and len(faces) != 1):
            continue
        for index, points in enumerate(faces):
            name = f"{file.stem}.jpg" if len(faces) == 1 else f"{file.stem}_{index}.jpg"
            shutil.copyfile(file, target / name)
            scale = 1 / float(points[0][0])
            mat = [scale, 0.0, 0.0, 0.0, scale, 0.0]
            flat = [value for point in points for value in point]
            found.append([file.name, f"{asked.output_dir}/{name}", mat, flat])
    (source / asked.output_file).write_text(json.dumps(found))
    print("Save face alignments to output file:", source / asked.output_file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("input_dir")
    parser.add_argument("output_dir", nargs="?", default="aligned")
    parser.add_argument("output_file", nargs="?", default="alignments.json")
    parser.set_defaults(only_one_face=False)
    parser.add_argument("--one-face", dest="only_one_face", action="store_true")
    parser.add_argument("--all-faces", dest="only_one_face", action="store_false")
    parser.add_argument("--startFrame", type=int, default=0)
    parser.add_argument("--maxFrames", type=int, default=0)
    parser.add_argument("--file-type", default="jpg")
    main(parser.parse_args())
