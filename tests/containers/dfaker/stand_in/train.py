"""A stand-in for dfaker/df train.py@057249f1: its files, windows, key, saves and log lines.

Like utils.py@6aa173fe it takes only crops that alignments.json names; like
training_data.py@9256267d it waits for ever when a side has fewer than 32. It learns nothing.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from keras.models import Model
from tqdm import tqdm

WISH = json.loads(os.environ.get("STAND_IN", "{}"))


def load(folder: str) -> int:
    listed = json.loads(Path(folder, "alignments.json").read_text())
    there = {entry.name for entry in os.scandir(folder)}
    return sum(os.path.split(crop)[1] in there for _, crop, _, _ in listed)


def wait_for_batch(count: int) -> None:
    while count < 32:
        time.sleep(1)


if __name__ == "__main__":
    print("running")
    counts = [load("data/A"), load("data/B")]
    print("Images A", (counts[0], 256, 256, 4))
    print("press 'q' to stop training and save model")
    for count in counts:
        wait_for_batch(count)
    cv2.imshow("w", np.zeros((8, 8, 3), np.uint8))
    encoder, decoder_a, decoder_b = Model(), Model(), Model()
    autoencoder_a, autoencoder_b = decoder_a, decoder_b
    try:
        encoder.load_weights("models/encoder.h5")
        decoder_a.load_weights("models/decoder_A.h5")
        decoder_b.load_weights("models/decoder_B.h5")
    except:  # noqa: E722 - as upstream does
        pass

    def save_model_weights() -> None:
        encoder.save_weights("models/encoder.h5")
        if WISH.get("die_in_save") and decoder_a.weights > 1:
            os.kill(os.getpid(), 9)
        decoder_a.save_weights("models/decoder_A.h5")
        decoder_b.save_weights("models/decoder_B.h5")
        print("\nSave model weights")

    while 1:
        bar = tqdm(range(1000000))
        for epoch in bar:
            time.sleep(WISH.get("iteration_s", 0.001))
            encoder.weights += 1
            loss_a = autoencoder_a.train_on_batch([], [])
            loss_b = autoencoder_b.train_on_batch([], [])
            if encoder.weights == WISH.get("nan_at"):
                loss_a = [float("nan")] * 3
            if encoder.weights == WISH.get("die_at"):
                os.kill(os.getpid(), 9)
            if encoder.weights == WISH.get("error_at"):
                raise ValueError("OOM when allocating tensor with shape[32,128,128,3]")
            bar.set_description(f"Loss A [{loss_a}] Loss B [{loss_b}]")
            if epoch % 100 == 0:
                save_model_weights()
                test = np.zeros((8, 64, 64, 3))
            cv2.imshow("w", np.zeros((8, 8, 3), np.uint8))
            mask = np.zeros((8, 128, 128, 1))
            shown = [model.predict([test, mask])[0] for model in (autoencoder_a, autoencoder_b)]
            shown += [model.predict([test, mask])[0] for model in (autoencoder_a, autoencoder_b)]
            assert all(one[0:18, :, :, :3].shape == (8, 128, 128, 3) for one in shown)
            cv2.imshow("p", (shown[0][0] * 255).astype(np.uint8))
            if cv2.waitKey(1) == ord("q"):
                save_model_weights()
                print("predictions made:", Model.predictions)
                sys.exit()
