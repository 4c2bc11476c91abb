"""A stand-in for DeepFaceLab 2's main.py: its flags, questions, log lines and files, no network.

It learns nothing and swaps nothing. What it imitates was read in these files (forks that hold
upstream's code; the wording is upstream's where they agree):

- flags, "Done." and exit code 0: xychelsea/DeepFaceLab main.py@4787b965
- questions of 2021: xychelsea/DeepFaceLab models/Model_SAEHD/Model.py@4787b965, doph/DeepFaceLab
  models/ModelBase.py@0266cb99; of 2020: transcripts in iperov/DeepFaceLab issues 896 and 908
- how a question is put and answered: doph/DeepFaceLab core/interact/interact.py@fdcc7606
- the trainer's two threads, its lines, that it stays after the target and hangs after an error
  while it loads: xychelsea/DeepFaceLab mainscripts/Trainer.py@4787b965
- extraction: doph/DeepFaceLab mainscripts/Extractor.py@2583e585
- merging: doph/DeepFaceLab merger/MergerConfig.py@408a96db and mainscripts/Merger.py@1acf3b96

The environment's STAND_IN (JSON) says what goes wrong: see ``WISH``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import queue
import shutil
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

WISH: dict[str, Any] = {
    "generation": 2021,
    "faceless": [],  # roles (folders) in which no face is found
    "blind": [],  # numbers of test frames without a face
    "crowd": [],  # numbers of test frames with two faces
    "gpu": True,
    "iteration_s": 0.002,
    "nan_at": None,
    "die_at": None,  # the whole process, as if by kill -9
    "error_at": None,
    "error_loading": None,
    "error_merging": None,
    "drop": [],  # merged frames that are not written
    "odd_question": False,
    "leaves": False,  # ends at the target, as one fork does
    "deaf": False,  # ignores SIGINT
    "in_short": False,  # asks what is in NEEDED, and takes the default of everything else
    **json.loads(os.environ.get("STAND_IN", "{}")),
}

NEEDED = (
    "Target number of faces?",
    "Which GPU indexes to choose?",
    "Target iteration",
    "Number of moons",
    "Use interactive merger?",
)


def is_asked(question: str) -> bool:
    return not WISH["in_short"] or question in NEEDED


def put(question: str, default: Any, hint: str = "") -> str:
    """Ask as upstream's interact does: default in brackets, hints in round ones, a colon."""
    if not is_asked(question):
        return str(default)
    prompt = f"[{default}] {question}" if question else f"[{default}]"
    prompt += f" ( {hint} )" if hint else ""
    while True:
        answer = input(prompt + " : ")
        if answer or default is not None:
            break
    result = answer or str(default)
    print(result)
    with Path(os.environ["STAND_IN_ANSWERS"]).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps([question, answer]) + "\n")
    return result


def put_choice(question: str, default: Any, choices: list[str]) -> str | None:
    """Upstream repeats a question with a list until the answer is in it; Enter is the default."""
    if not is_asked(question):
        return str(default) if default is not None else None
    while True:
        shown = f"[{default}] {question}" if default is not None else question
        answer = input(f"{shown} ( {'/'.join(choices)} ?:help ) : ")
        if not answer:
            print("" if default is None else default)
            return str(default) if default is not None else None
        if answer.lower() in choices:
            print(answer.lower())
            return answer.lower()


def put_bool(question: str, default: bool) -> bool:
    return put(question, "y" if default else "n", "y/n ?:help") == "y"


def numbered(heading: str, names: dict[int, str], default: int) -> str:
    """A list of names, and a prompt without any words."""
    print(heading + " \n" + "".join(f"({key}) {name}\n" for key, name in names.items()))
    return names[int(put("", default))]


def ask_devices() -> None:
    if not WISH["gpu"]:
        return
    print("\nChoose one or several GPU idxs (separated by comma).\n\n[CPU] : CPU\n  [0] : A card\n")
    put_choice("Which GPU indexes to choose?", "0", ["0", "cpu"])


def extract(asked: argparse.Namespace) -> None:
    source, target = Path(asked.input_dir), Path(asked.output_dir)
    if any(target.iterdir()):
        input(
            f"\n WARNING !!! \n {target} contains files! \n They will be deleted. \n"
            " Press enter to continue.\n"
        )
    if not asked.cpu_only and asked.force_gpu_idxs is None:
        ask_devices()
    print("Extracting faces...")
    print("Running on CPU0" if asked.cpu_only or not WISH["gpu"] else "Running on A card")
    role = target.name.split(".")[0].removeprefix("faces_")
    pictures = sorted(source.glob("*.png"))
    count = 0
    for number, picture in enumerate(pictures, 1):
        sys.stderr.write(f"\rExtracting faces: {number}/{len(pictures)} [00:01<00:02,  9.1it/s]")
        found = 2 if role == "test_video" and number in WISH["crowd"] else 1
        if role in WISH["faceless"] or (role == "test_video" and number in WISH["blind"]):
            found = 0
        for index in range(min(found, asked.max_faces_from_image or found)):
            shutil.copyfile(picture, target / f"{picture.stem}_{index}.jpg")
            count += 1
    sys.stderr.write("\n")
    print("-------------------------")
    print(f"Images found:        {len(pictures)}")
    print(f"Faces detected:      {count}")
    print("-------------------------")


def sort(asked: argparse.Namespace) -> None:
    """Keeps the asked number, moves the others to NAME_trash, renames what stays."""
    print("Running sort tool.\r\n")
    folder = Path(asked.input_dir)
    keep = int(put("Target number of faces?", 2000)) if "final" in asked.by else 10**6
    faces = sorted(folder.glob("*.jpg"))
    trash = folder.parent / (folder.stem + "_trash")
    trash.mkdir(exist_ok=True)
    for face in faces[keep:]:
        face.rename(trash / face.name)
    for index, face in enumerate(faces[:keep]):
        face.rename(folder / f"{index:05d}.jpg")


class Model:
    """Counts iterations and writes the files of a SAEHD model."""

    def __init__(self, folder: Path, name: str, training: bool) -> None:
        self.folder, self.name, self.iter, self.target = folder, f"{name}_SAEHD", 0, 0
        data = folder / f"{self.name}_data.dat"
        if data.exists():
            print(f"Loading {self.name} model...")
            self.iter, self.target = json.loads(data.read_text())
        if self.iter == 0:
            print("\nModel first run.")
        self.training = training

    def choose_device(self, silent: bool, cpu_only: bool) -> None:
        if silent:
            device = "A card" if WISH["gpu"] else "CPU"
            print(f"Silent start: choosed device {device}")
        elif not cpu_only:
            ask_devices()

    def ask(self) -> None:
        if self.iter != 0:
            sys.stdout.write("Press enter in 2 seconds to override model settings.")
            sys.stdout.flush()
            time.sleep(0.1)
            return
        put("Autobackup every N hour", 0, "0..24 ?:help")
        if put_bool("Write preview history", False):
            put_bool("Choose image for the preview history", False)
        self.target = int(put("Target iteration", 0))
        if WISH["generation"] == 2020:
            put_bool("Flip faces randomly", True)
        else:
            put_bool("Flip SRC faces randomly", False)
            put_bool("Flip DST faces randomly", True)
        put("Batch_size", 8, "?:help")
        if WISH["odd_question"]:
            put("Number of moons", 1, "0-2 ?:help")
        put("Resolution", 128, "64-640 ?:help")
        face = put_choice("Face type", "f", ["h", "mf", "f", "wf", "head"])
        archi = put("AE architecture", "liae-ud", "?:help")
        put("AutoEncoder dimensions", 256, "32-1024 ?:help")
        put("Encoder dimensions", 64, "16-256 ?:help")
        put("Decoder dimensions", 64, "16-256 ?:help")
        put("Decoder mask dimensions", 22, "16-256 ?:help")
        if face in ("wf", "head"):
            put_bool("Masked training", True)
        eyes = "Eyes priority" if WISH["generation"] == 2020 else "Eyes and mouth priority"
        put_bool(eyes, False)
        put_bool("Uniform yaw distribution of samples", False)
        put_bool("Place models and optimizer on GPU", True)
        if WISH["generation"] != 2020:
            put_bool("Use AdaBelief optimizer?", True)
        put_choice("Use learning rate dropout", "n", ["n", "y", "cpu"])
        put_bool("Enable random warp of samples", True)
        if float(put("GAN power", 0.0, "0.0 .. 5.0 ?:help")) != 0:
            put("GAN patch size", 16, "3-640 ?:help")
            put("GAN dimensions", 16, "4-512 ?:help")
        if "df" in archi:
            put("'True face' power.", 0.0, "0.0000 .. 1.0 ?:help")
        put("Face style power", 0.0, "0.0..100.0 ?:help")
        put("Background style power", 0.0, "0.0..100.0 ?:help")
        choices = ["none", "rct", "lct", "mkl", "idt", "sot"]
        put_choice("Color transfer for src faceset", "none", choices)
        put_bool("Enable gradient clipping", False)
        put_bool("Enable pretraining mode", False)

    def save(self) -> None:
        for part in ("encoder", "inter", "decoder_src", "decoder_dst", "src_dst_opt"):
            (self.folder / f"{self.name}_{part}.npy").write_text(str(self.iter))
        data = self.folder / f"{self.name}_data.dat"
        data.write_text(json.dumps([self.iter, self.target]))

    def get_iter(self) -> int:
        return self.iter

    def get_static_previews(self) -> list[tuple[str, Any]]:
        import numpy as np

        return [("SAEHD", np.full((8, 8, 3), 0.5))]

    def at_target(self) -> bool:
        return self.target != 0 and self.iter >= self.target


def trainer_thread(
    s2c: queue.Queue[str], c2s: queue.Queue[str], event: threading.Event, asked: argparse.Namespace
) -> None:
    hooks: dict[str, Any] = {"os": os}
    if any("cv2." in program for _, program in asked.execute_program):
        # Upstream always has them; here they would be most of the time that a training takes.
        import cv2
        import numpy as np

        hooks.update(cv2=cv2, np=np)
    try:
        folder = Path(asked.model_dir)
        model = Model(folder, asked.force_model_name, True)
        model.choose_device(asked.silent_start, asked.cpu_only)
        model.ask()
        if WISH["error_loading"]:
            raise MemoryError(WISH["error_loading"])
        at_target = model.at_target()
        after_save = False

        def model_save() -> None:
            nonlocal after_save
            if not at_target:
                print("Saving....", end="\r", flush=True)
                model.save()
                after_save = True

        hooks.update(model=model, model_save=model_save)
        print('Starting. Press "Enter" to stop training and save model.')
        programs = [[int(one[0]), one[1], time.time()] for one in asked.execute_program]
        for turn in itertools.count():
            for program in programs:
                if time.time() - program[2] >= -program[0] * float(WISH.get("minute", 1)):
                    program[2] = time.time()
                    exec(program[1], hooks)  # noqa: S102 - as upstream does
            if not at_target:
                time.sleep(WISH["iteration_s"])
                model.iter += 1
                if model.iter == WISH["die_at"]:
                    (folder / f"{model.name}_encoder.npy").write_text("half a save")
                    os.kill(os.getpid(), 9)
                if model.iter == WISH["error_at"]:
                    raise ValueError("OOM when allocating tensor")
                loss = float("nan") if model.iter == WISH["nan_at"] else 1 / model.iter
                line = f"[{time.strftime('%H:%M:%S')}][#{model.iter:06d}][0002ms]"
                line += f"[{loss:.4f}][{loss:.4f}]"
                print(line, end="\n" if after_save else "\r", flush=True)
                after_save = False
                if model.iter == 1:
                    model_save()
                if model.at_target():
                    print("Reached target iteration.")
                    model_save()
                    at_target = True
                    print("You can use preview now.")
                    if WISH["leaves"]:
                        break
            else:
                time.sleep(0.01)
            if turn == 0:
                event.set()
            if not s2c.empty():
                s2c.get()
                model_save()
                break
    except Exception as error:  # noqa: BLE001 - upstream catches all and prints
        print(f"Error: {error}")
        traceback.print_exc()
    c2s.put("close")


def train(asked: argparse.Namespace) -> None:
    print("Running trainer.\r\n")
    s2c: queue.Queue[str] = queue.Queue()
    c2s: queue.Queue[str] = queue.Queue()
    event = threading.Event()
    threading.Thread(target=trainer_thread, args=(s2c, c2s, event, asked), daemon=True).start()
    while True:
        try:
            event.wait()
            while c2s.empty():
                time.sleep(0.05)
            return
        except KeyboardInterrupt:
            if not WISH["deaf"]:
                s2c.put("close")


def merge(asked: argparse.Namespace) -> None:
    print("Running merger.\r\n")
    print("Running on CPU0.")  # its helpers always do
    try:
        model_names = sorted(Path(asked.model_dir).glob("*_SAEHD_data.dat"))
        print("Choose one of saved models, or enter a name to create a new model.")
        print("[r] : rename\n[d] : delete\n")
        for index, path in enumerate(model_names):
            print(f"[{index}] : {path.name.split('_')[0]} " + ("- latest" if index == 0 else ""))
        input(" : ")
        print("0")
        if not asked.cpu_only:
            ask_devices()
        Model(Path(asked.model_dir), model_names[0].name.split("_")[0], False)
        if put_bool("Use interactive merger?", True):
            raise RuntimeError("could not connect to display")
        modes = ["original", "overlay", "hist-match", "seamless", "seamless-hist-match"]
        mode = numbered("Choose mode:", dict(enumerate(modes)), 1)
        if "hist-match" in mode:
            put("Hist match threshold", 255, "0..255")
        masks = ["dst", "learned-prd", "learned-dst", "learned-prd*learned-dst"]
        masks.append("learned-prd+learned-dst")
        # The numbers moved by one when 'full' came; both were seen.
        first = 1 if WISH["generation"] == 2020 else 0
        listing = dict(enumerate(masks, 1))
        if not first:
            listing = {0: "full", **listing}
        mask = numbered("Choose mask mode:", listing, 1)
        put("Choose erode mask modifier", 0, "-400..400")
        put("Choose blur mask modifier", 0, "0..400")
        put("Choose motion blur power", 0, "0..100")
        put("Choose output face scale modifier", 0, "-50..50")
        colours = ["rct", "lct", "mkl", "mkl-m", "idt", "idt-m", "sot-m", "mix-m"]
        put_choice("Color transfer to predicted face", None, colours)
        numbered("Choose sharpen mode:", {0: "None", 1: "box", 2: "gaussian"}, 0)
        put("Choose super resolution power", 0, "0..100 ?:help")
        put("Choose image degrade by denoise power", 0, "0..500")
        put("Choose image degrade by bicubic rescale power", 0, "0..100")
        put("Degrade color power of final image", 0, "0..100")
        put("Number of workers?", 8, f"1-{multiprocessing.cpu_count()} ?:help")
        if WISH["error_merging"]:
            raise RuntimeError(WISH["error_merging"])
        write_merged(asked, f"{mode}, {mask}")
    except Exception:  # noqa: BLE001 - upstream catches all and prints
        print(traceback.format_exc())


def write_merged(asked: argparse.Namespace, how: str) -> None:
    print(how)
    target = Path(asked.output_dir)
    Path(asked.output_mask_dir).mkdir(exist_ok=True)
    aligned = {path.stem.split("_")[0] for path in Path(asked.aligned_dir).glob("*.jpg")}
    for number, picture in enumerate(sorted(Path(asked.input_dir).glob("*.png")), 1):
        if number in WISH["drop"]:
            continue
        if picture.stem not in aligned:
            print(f"no faces found for {picture.name}, copying without faces")
        shutil.copyfile(picture, target / picture.name)


MODELS = ("AMP", "Quick96", "SAEHD", "XSeg")
SORTED_BY = (
    *("blur", "motion-blur", "face-yaw", "face-pitch", "face-source-rect-size", "hist"),
    *("hist-dissim", "brightness", "hue", "black", "origname", "oneface"),
    *("final-by-blur", "final-by-size", "absdiff"),
)


def devices_of(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)

    def verb(name: str, run: Any, texts: str, flags: str = "") -> argparse.ArgumentParser:
        made = verbs.add_parser(name)
        for text in texts.split():
            made.add_argument(text.rstrip("!"), required=text.endswith("!"))
        for flag in flags.split():
            made.add_argument(flag, action="store_true")
        made.set_defaults(run=run)
        return made

    one = verb(
        "extract",
        extract,
        "--input-dir! --output-dir!",
        "--output-debug --no-output-debug --manual-fix --manual-output-debug-fix --cpu-only",
    )
    one.add_argument("--detector", choices=("s3fd", "manual"))
    faces = ("half_face", "full_face", "whole_face", "head", "mark_only")
    one.add_argument("--face-type", choices=faces)
    for name in ("max-faces-from-image", "image-size", "jpeg-quality", "manual-window-size"):
        one.add_argument(f"--{name}", type=int)
    one.add_argument("--force-gpu-idxs", type=devices_of)
    verb("sort", sort, "--input-dir!").add_argument("--by", choices=SORTED_BY)
    one = verb(
        "train",
        train,
        "--training-data-src-dir! --training-data-dst-dir! --pretraining-data-dir "
        "--pretrained-model-dir --model-dir! --force-model-name",
        "--debug --no-preview --cpu-only --silent-start --dump-ckpt",
    )
    one.add_argument("--model", required=True, choices=MODELS)
    one.add_argument("--force-gpu-idxs", type=devices_of)
    one.add_argument("--execute-program", default=[], action="append", nargs="+")
    one = verb(
        "merge",
        merge,
        "--input-dir! --output-dir! --output-mask-dir! --aligned-dir --model-dir! "
        "--force-model-name --force-gpu-idxs",
        "--cpu-only",
    )
    one.add_argument("--model", required=True, choices=MODELS)
    asked = parser.parse_args()
    asked.run(asked)
    print("Done.")


if __name__ == "__main__":
    main()
