"""Runs DFaker's train.py without a window, so that it can be stopped and its saves are whole.

    python -m containers.dfaker.train_launcher SOURCE --first N --stop-at N ...

train.py has no options, shows two windows and reads one key. Here OpenCV's window functions are
ours: the key that ends it comes when it is time, and what it would show is kept at intervals.
Between those its preview predictions, four for each iteration and more work than the training, are
not made. Its weight files are replaced together, and one that cannot be loaded ends it instead of
starting at nothing.

Runs in the image's Python, in the folder that holds data/ and models/.
"""

import argparse
import os
import random
import runpy
import signal
import sys
from importlib import import_module
from typing import Any, Callable, List, Optional

from containers.dfaker import saves

SAVED = "launcher: saved at %d iterations"
MODELS = "models"
_RANGE = 1000000
"""The range that train.py counts through."""


class Session:
    """Session that train.py sees in the place of windows, keys and files."""

    def __init__(self, first: int, stop_at: int, preview_every: int, previews: str) -> None:
        self._done, self._stop_at = first, stop_at
        self._first = first
        self._preview_every, self._previews = preview_every, previews
        self._leaving = False
        self.asked_to_stop = False

    def wait_key(self, delay: int = 0) -> int:
        """Called once an iteration, at its end; 'q' saves and ends."""
        self._done += 1
        if self.asked_to_stop or (self._stop_at and self._done >= self._stop_at):
            self._leaving = True
            # The last save and Python's own end must not be interrupted.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return ord("q")
        return -1

    def preview_due(self) -> bool:
        """True when the running iteration's preview is wanted; the first always is."""
        running = self._done + 1
        if not self._preview_every:
            return False
        return running == self._first + 1 or running % self._preview_every == 0

    def show(self, name: str, picture: Any) -> None:
        """Keep the preview window's picture when it is due."""
        if name != "p" or not self.preview_due():
            return
        import cv2

        path = os.path.join(self._previews, "%08d" % (self._done + 1))
        if cv2.imwrite(path + ".partial.png", picture):
            os.replace(path + ".partial.png", path + ".png")

    def saved(self, path: str) -> None:
        """Called when one of the three files is written alongside its place."""
        if os.path.basename(path) != saves.FILES[-1]:
            return
        # A save within an iteration comes after its training; the one at the end is not within.
        iterations = self._done if self._leaving else self._done + 1
        saves.commit(os.path.dirname(path), iterations)
        # tqdm's bar has no end of line.
        print("\n" + SAVED % iterations, flush=True)


def patch_model(model: Any, session: Session) -> None:
    """Give a Keras ``Model`` class whole saves, loud loads, and predictions only when wanted."""
    save: Callable[..., None] = model.save_weights
    load: Callable[..., None] = model.load_weights
    predict: Callable[..., Any] = model.predict

    def save_weights(self: Any, path: str, *rest: Any, **options: Any) -> None:
        save(self, saves.beside(path), *rest, **options)
        session.saved(path)

    def load_weights(self: Any, path: str, *rest: Any, **options: Any) -> None:
        if not os.path.exists(path):
            raise OSError(path)  # train.py takes that for a new model
        try:
            load(self, path, *rest, **options)
        except Exception as error:  # noqa: BLE001 - train.py would swallow it and start at nothing
            print("\nError: %s cannot be loaded: %s" % (path, error), flush=True)
            os._exit(1)

    def predict_when_due(self: Any, inputs: Any, *rest: Any, **options: Any) -> Any:
        if session.preview_due():
            return predict(self, inputs, *rest, **options)
        return blank(inputs)

    model.save_weights, model.load_weights = save_weights, load_weights
    model.predict = predict_when_due


def blank(inputs: List[Any]) -> List[Any]:
    """Empty output of a decoder: pictures of 128 pixels and their masks."""
    import numpy

    count = len(inputs[0])
    return [numpy.zeros((count, 128, 128, 3)), numpy.zeros((count, 128, 128, 1))]


def continued(bar: Any, first: int) -> Callable[..., Any]:
    """tqdm that counts the training's iterations from ``first`` on."""

    def start(iterable: Any = None, *rest: Any, **options: Any) -> Any:
        if isinstance(iterable, range) and len(iterable) == _RANGE:
            options["initial"] = first
        return bar(iterable, *rest, **options)

    return start


def main(argv: Optional[List[str]] = None) -> None:
    """Prepare what train.py imports, and run it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    for name in ("--first", "--stop-at", "--preview-every", "--seed"):
        parser.add_argument(name, type=int, default=0)
    parser.add_argument("--previews", default=".")
    asked = parser.parse_args(argv)
    session = Session(asked.first, asked.stop_at, asked.preview_every, asked.previews)

    def stop(number: int, frame: Any) -> None:
        session.asked_to_stop = True

    signal.signal(signal.SIGINT, stop)
    sys.path.insert(0, asked.source)
    random.seed(asked.seed)
    import_module("numpy").random.seed(asked.seed)
    window: Any = import_module("cv2")
    bar: Any = import_module("tqdm")
    window.imshow, window.waitKey = session.show, session.wait_key
    bar.tqdm = continued(bar.tqdm, asked.first)
    patch_model(import_module("keras.models").Model, session)
    sys.argv = [os.path.join(asked.source, "train.py")]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
