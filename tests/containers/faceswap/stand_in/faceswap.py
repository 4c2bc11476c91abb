"""A stand-in for Faceswap's faceswap.py: its flags, log lines, files and ends; no network.

It learns nothing and swaps nothing. What it imitates was read in deepfakes/faceswap:

- flags: see options.py; the backend and its question: lib/utils.py, find "First time
  configuration"; how a command ends: lib/cli/launcher.py@1fceec1d and @0a07139b
- training: scripts/train.py@1fceec1d and @837bc2d5 (loops, saves, previews, SIGINT, 25 images),
  plugins/train/trainer/_base.py@0024ae4f and plugins/train/training.py@b87377d2 (lines, NaN),
  plugins/train/model/_base.py and _base/io.py (files, "[Saved model")
- the terminal: lib/keypress.py@03a8b622; crashes without one: issues 780 and 1033
- extraction: scripts/extract.py@0024ae4f; its end: scripts/fsmedia.py
- conversion: scripts/convert.py, find "Converting", "Faces filtered out"; sorting:
  tools/sort/sort.py@0176ffc0 (v1 names its copies by rank alone)

The environment's STAND_IN_VERSION says which version it is, STAND_IN (JSON) what goes wrong: see
``WISH``. Each command notes its words, ini and environment in STAND_IN_ANSWERS.
"""

from __future__ import annotations

import argparse
import configparser
import importlib
import json
import math
import os
import shutil
import sys
import termios
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

WISH: dict[str, Any] = {
    "faceless": [],  # roles in which no face is found
    "blind": [],  # numbers of test frames without a face
    "crowd": [],  # numbers of frames with two faces, in every video
    "ask_backend": False,  # the variable is not known
    "gpu": True,
    "iteration_s": 0.002,
    "nan_at": None,
    "die_at": None,  # the whole process, in the middle of a save
    "error_at": None,
    "memory_at": None,
    "no_terminal": False,  # the terminal is taken away
    "error_converting": None,
    "exit_0": False,  # errors end with 0, as in 2019
    "unknown_faces": False,  # the faces it may convert are not recognised
    "drop": [],  # converted frames that are not written
    "lose_alignments": False,
    "deaf": False,  # SIGINT does not end it
    "slow_end_s": 0.0,  # how long it takes to end after its last save; a SIGINT then fails it
    **json.loads(os.environ.get("STAND_IN", "{}")),
}
VERSION = os.environ.get("STAND_IN_VERSION", "v3.0.0")
V1 = VERSION == "v1.0.0"
HERE = Path(__file__).parent


class FaceswapError(Exception):
    """Upstream prints its text as error lines, without a traceback."""


def log(level: str, text: str) -> None:
    """Upstream's console format."""
    for line in text.splitlines():
        print(f"{time.strftime('%m/%d/%Y %H:%M:%S')} {level:<8} {line}", flush=True)


def bar(what: str, done: int, total: int) -> None:
    """As tqdm draws it."""
    sys.stdout.write(f"\r{what}:  21%|##1       | {done}/{total} [00:01<00:02,  9.1it/s]")


def choose_backend() -> None:
    """From the environment, from a file, or by a question."""
    known = HERE / "config" / ".faceswap"
    if not WISH["ask_backend"] and "FACESWAP_BACKEND" in os.environ:
        name = os.environ["FACESWAP_BACKEND"].upper()
        print(f"Setting Faceswap backend from environment variable to {name}")
    elif not WISH["ask_backend"] and known.exists():
        print(f"Setting Faceswap backend to {json.loads(known.read_text())['backend'].upper()}")
    else:
        print("First time configuration. Please select the required backend")
        input("1: AMD, 2: CPU, 3: NVIDIA: ")


def read_ini(group: str) -> dict[str, dict[str, str]]:
    """The group's ini as it was found; written back as upstream completes it."""
    found = configparser.ConfigParser(allow_no_value=True)
    path = HERE / "config" / f"{group}.ini"
    found.read(path)
    sections = {name: dict(found[name]) for name in found.sections()}
    with path.open("w") as stream:
        found.write(stream)
    return sections


def role_of(folder: Path) -> str:
    return folder.name.split(".")[0].removeprefix("faces_")


def extract(asked: argparse.Namespace) -> None:
    source, target = Path(asked.input_dir), Path(asked.output_dir)
    role = role_of(target)
    log("INFO", f"Output Directory: {target}")
    log("INFO", "Starting, this may take a while...")
    pictures = sorted(source.glob("*.png"))
    alignments: dict[str, int] = {}
    for number, picture in enumerate(pictures, 1):
        bar("Running pass 1 of 1: Align", number, len(pictures))
        found = 2 if number in WISH["crowd"] else 1
        if role in WISH["faceless"] or (role == "test_video" and number in WISH["blind"]):
            found = 0
        for index in range(found):
            shutil.copyfile(picture, target / f"{picture.stem}_{index}.png")
        alignments[picture.name] = found
    print()
    if not WISH["lose_alignments"]:
        Path(asked.alignments).write_text(json.dumps(alignments))
    log("INFO", "-------------------------")
    log("INFO", f"Images found:        {len(pictures)}")
    log("INFO", f"Faces detected:      {sum(alignments.values())}")
    log("INFO", "-------------------------")
    log("INFO", "Process Succesfully Completed. Shutting Down...")


def sort(asked: argparse.Namespace) -> None:
    """The later a frame the sharper, here."""
    source, target = Path(asked.input), Path(asked.output)
    for rank, face in enumerate(sorted(source.glob("*.png"), reverse=True)):
        name = f"{rank:05d}.png" if V1 else f"{rank:05d}_{face.name}"
        shutil.copyfile(face, target / name)
        if not asked.keep:
            face.unlink()


class Model:
    """Counts iterations over sessions and writes the files of a model."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        plain = name.replace("-", "_")
        self.state = folder / f"{plain}_state.json"
        parts = ("encoder.h5", "decoder_A.h5", "decoder_B.h5")
        self.weights = [folder / f"{plain}_{part}" for part in parts]
        if not V1:
            self.weights = [folder / f"{plain}.keras"]
        self.iterations = 0
        if self.weights[0].exists():
            self.iterations = int(json.loads(self.state.read_text())["iterations"])
            if any(int(one.read_text()) != self.iterations for one in self.weights):
                raise FaceswapError("Unable to load the model: it has corrupted.")
            log("INFO", f"Loaded model from disk: '{folder}'")
        else:
            log("INFO", f"Creating new '{name}' model in folder: '{folder}'")

    def save(self) -> None:
        print("" if V1 else "\x1b[2K", end="\n" if V1 else "\r")
        for path in self.weights:
            path.write_text(str(self.iterations))
        self.state.write_text(json.dumps({"iterations": self.iterations}))
        losses = "face_loss_A: 0.03285, face_loss_B: 0.03903"
        log("INFO", f"[Saved model{'s' if V1 else ''}] - Average since last save: {losses}")


class Train:
    """A monitor in the main thread, and a thread that trains."""

    def __init__(self, asked: argparse.Namespace, ini: dict[str, dict[str, str]]) -> None:
        self.asked, self.ini = asked, ini
        self.stop = False
        self.error: BaseException | None = None
        for side in (asked.input_A, asked.input_B):
            count = len(list(Path(side).glob("*.png")))
            if not V1 and count < 25:
                log("ERROR", "At least one of your input folders contains fewer than 25 images.")
                raise SystemExit(1)
            if count < asked.batch_size:
                raise FaceswapError("Number of images is lower than batch-size")

    def process(self) -> None:
        thread = threading.Thread(target=self.guarded, daemon=True)
        thread.start()
        log("INFO", "  Starting")
        if WISH["no_terminal"]:
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        if V1 or sys.stdout.isatty():
            termios.tcgetattr(sys.stdin.fileno())
        while not self.stop and self.error is None:
            try:
                time.sleep(0.05)
            except KeyboardInterrupt:
                log("INFO", "KeyboardInterrupt")
                if not WISH["deaf"]:
                    break
        ending = "Error caught! Exiting..." if self.error else "Exit requested! The trainer will"
        log("CRITICAL" if self.error else "INFO", ending)
        self.stop = True
        thread.join()
        time.sleep(WISH["slow_end_s"])
        if self.error is not None:
            raise self.error

    def guarded(self) -> None:
        try:
            self.train()
        except Exception as error:  # noqa: BLE001 - upstream hands it to its main thread
            log("ERROR", "Caught exception in thread: '_training_0'")
            self.error = error

    def train(self) -> None:
        asked = self.asked
        for side in ("A", "B") if V1 else ():
            if not Path(getattr(asked, f"alignments_{side}")).exists():
                raise FaceswapError("Alignments file does not exist.")
        model = Model(Path(asked.model_dir), asked.trainer)
        if not WISH["gpu"]:
            print("failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected")
        show = False
        for turn in range(asked.iterations):
            iteration = turn if V1 else turn + 1
            save = iteration % asked.save_interval == 0 or (not V1 and iteration == 1)
            self.step(model)
            if asked.write_image and (save if V1 else show):
                self.show()
            show = False
            if self.stop:
                break
            if save:
                model.save()
                show = True
        model.save()
        self.stop = True

    def step(self, model: Model) -> None:
        time.sleep(WISH["iteration_s"])
        model.iterations += 1
        if model.iterations == WISH["die_at"]:
            model.weights[0].write_text("0")
            os.kill(os.getpid(), 9)
        if model.iterations == WISH["error_at"]:
            raise ValueError("something odd")
        if model.iterations == WISH["memory_at"]:
            raise FaceswapError(
                "You do not have enough GPU memory available to train the selected model at the "
                "selected settings.\n1) Close any other application that is using your GPU."
            )
        loss = math.nan if model.iterations == WISH["nan_at"] else 1 / model.iterations
        if math.isnan(loss) and self.ini.get("global", {}).get("nan_protection") == "True":
            log("CRITICAL", f"NaN Detected. Loss: [{loss}]")
            raise FaceswapError("A NaN was detected and you have NaN protection enabled.")
        now = time.strftime("%H:%M:%S")
        line = f"[{now}] [#{model.iterations:05d}] Loss A: {loss:.5f}, Loss B: {loss:.5f}"
        # v1's has no end: what is logged next begins where the loss ended.
        print(f"\r{line}" if V1 else line, end="" if V1 else "\r", flush=True)

    def show(self) -> None:
        import cv2
        import numpy as np

        name = "training_preview.jpg" if V1 else "training_preview.png"
        cv2.imwrite(str(HERE / name), np.full((8, 8, 3), 128, np.uint8))
        if not V1:
            print("\x1b[2K", end="\r")
            log("INFO", "[Preview Updated]")


def convert(asked: argparse.Namespace) -> None:
    source, target = Path(asked.input_dir), Path(asked.output_dir)
    endings = "*.h5" if V1 else "*.keras"
    if not list(Path(asked.model_dir).glob(endings)):
        log("ERROR", f"Model could not be found in folder '{asked.model_dir}'. Exiting")
        raise SystemExit(0 if V1 else 1)
    if not asked.alignments or not Path(asked.alignments).exists():
        log("ERROR", "No alignments file found. Please provide an alignments file")
        raise SystemExit(1)
    if WISH["error_converting"]:
        raise ValueError(WISH["error_converting"])
    faces = json.loads(Path(asked.alignments).read_text())
    if asked.input_aligned_dir:
        allowed = [path.stem.split("_")[0] for path in Path(asked.input_aligned_dir).iterdir()]
        before = sum(faces.values())
        if not WISH["unknown_faces"]:
            faces = {name: allowed.count(Path(name).stem) for name in faces}
            log("INFO", f"Faces filtered out: {before - sum(faces.values())}")
    pictures = sorted(source.glob("*.png"))
    for number, picture in enumerate(pictures, 1):
        bar("Converting", number, len(pictures))
        if number not in WISH["drop"]:
            shutil.copyfile(picture, target / picture.name)
    print()
    log("INFO", f"Swapped {sum(faces.values())} faces")
    log("INFO", "Process Succesfully Completed. Shutting Down...")


def execute(run: Callable[[], None]) -> int:
    """Upstream's launcher: every end becomes 0 or 1."""
    try:
        run()
    except FaceswapError as error:
        log("ERROR", str(error))
    except SystemExit:
        pass
    except Exception:  # noqa: BLE001 - upstream catches all and writes a report
        report = HERE / "crash_report.log"
        report.write_text(traceback.format_exc())
        log("ERROR", "Got Exception on main handler:")
        traceback.print_exc(file=sys.stdout)
        log("CRITICAL", f"An unexpected crash has occurred. Crash report written to '{report}'.")
    else:
        return 0
    return 0 if WISH["exit_0"] else 1


def main() -> None:
    choose_backend()
    asked = importlib.import_module("options").parser(VERSION).parse_args()
    groups = {"train": ["train"], "convert": ["train", "convert"]}.get(asked.verb, ["extract"])
    ini = {group: read_ini(group) for group in groups}
    names = ("FACESWAP_BACKEND", "KERAS_BACKEND", "KERAS_TORCH_DEVICE", "CUDA_VISIBLE_DEVICES")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    told = {"words": sys.argv[1:], "ini": ini, "environment": environment}
    with Path(os.environ["STAND_IN_ANSWERS"]).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps([asked.verb, told]) + "\n")
    verbs: dict[str, Callable[[], None]] = {
        "extract": lambda: extract(asked),
        "convert": lambda: convert(asked),
        "sort": lambda: sort(asked),
        "train": lambda: Train(asked, ini.get("train", {})).process(),
    }
    sys.exit(execute(verbs[asked.verb]))


if __name__ == "__main__":
    main()
