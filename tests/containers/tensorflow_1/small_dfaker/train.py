"""DFaker's train.py with a small network, in real Keras: its loop, files, windows; Python 3.6."""

import sys
from typing import Any

import cv2
import numpy
from keras.layers import Conv2D, Input
from keras.models import Model
from tqdm import tqdm


def network(name: str) -> Any:
    first = Input(shape=(4, 4, 3))
    return Model(first, Conv2D(3, 3, padding="same", name=name)(first))


if __name__ == "__main__":
    encoder, decoder_a, decoder_b = (network(name) for name in ("e", "a", "b"))
    nets = {"encoder": encoder, "decoder_A": decoder_a, "decoder_B": decoder_b}
    for net in nets.values():
        net.compile("sgd", "mse")
    try:
        for name, net in nets.items():
            net.load_weights("models/%s.h5" % name)
        print("loaded models")
    except:  # noqa: E722 - as upstream does
        print("a new model")

    def save() -> None:
        for name, net in nets.items():
            net.save_weights("models/%s.h5" % name)

    picture = numpy.zeros((8, 4, 4, 3))
    bar = tqdm(range(1000000))
    for epoch in bar:
        losses = [net.train_on_batch(picture, picture) for net in (encoder, decoder_a)]
        bar.set_description("Loss A [%r] Loss B [%r]" % tuple(losses))
        if epoch % 100 == 0:
            save()
        cv2.imshow("w", numpy.zeros((8, 8, 3), numpy.uint8))
        shown = [decoder_a.predict([picture, picture])[0] for _ in range(4)]
        cv2.imshow("p", numpy.zeros((8, 8, 3), numpy.uint8))
        if cv2.waitKey(1) == ord("q"):
            save()
            print("predicted: %s" % (shown[0].shape,))
            sys.exit()
