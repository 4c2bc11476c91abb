"""Trains Faceswap-GAN by its modules: its notebook's work, as a program that can be killed.

    python -m containers.faceswap_gan.train_gan SOURCE ORDER

ORDER is a JSON file: ``training`` (see settings.training), ``saves``, ``faces`` (A and B: folders
with ``rgb`` and ``binary_mask``), ``vggface`` (weights), ``stop_at`` (iterations; 0 is none),
``save_every``, ``preview_every`` (0 is none) and ``previews`` (a folder). SIGINT saves and ends.
"""

import gc
import json
import math
import os
import signal
import sys
import time
from importlib import import_module
from typing import Any, Dict, List, Optional, Tuple

from containers.faceswap_gan import saves, schedule, upstream

BEGINS = "train: from iteration %d of %d planned, in phase %d"
SAVED = "train: saved at %d iterations"
ENDS_IN = "train: ended in phase %d of %d"
LINE = "[iter %d] Loss_DA: %f Loss_DB: %f Loss_GA: %f Loss_GB: %f time: %f"
"""Upstream's own line."""

_SIDES = ("A", "B")


class Session:
    """The model, its data, and how far it is."""

    def __init__(self, order: Dict[str, Any]) -> None:
        self._order, self._asked = order, order["training"]
        self._phases = schedule.plan(self._asked["planned"])
        save = saves.newest(order["saves"])
        self.done = save.iterations if save else 0
        self._swapped = save.swapped if save else False
        self._folder = save.folder if save else None
        self.phase = schedule.phase_at(self._phases, self.done)
        self._model: Any = None
        self._batches: Tuple[Any, Any] = (None, None)

    def begin(self) -> None:
        """Build everything for the current phase, from the last save if there is one."""
        self._build()
        print(BEGINS % (self.done, self._asked["planned"], self.phase.number), flush=True)

    def advance(self) -> None:
        """Enter the phase of the next iteration when it is another: saved, and built again."""
        phase = schedule.phase_at(self._phases, self.done)
        if phase.number == self.phase.number:
            return
        self.save()
        self.phase = phase
        self._close()
        self._build()

    def iterate(self) -> List[float]:
        """One iteration: discriminators, then generators; the losses DA, DB, GA, GB."""
        of_d = self._model.train_one_batch_D(**self._next())
        of_g = self._model.train_one_batch_G(**self._next())
        self.done += 1
        return [_number(one[0]) for one in (*of_d, *of_g)]

    def save(self) -> None:
        """Save the five networks as one."""
        save = saves.write(self._order["saves"], self.done, self._swapped, self._write)
        self._folder = save.folder
        print(SAVED % self.done, flush=True)

    def preview(self) -> None:
        """A picture of each side's faces, the faces swapped, and the masks."""
        cv2: Any = import_module("cv2")
        numpy: Any = import_module("numpy")
        rows = []
        for side, batch in zip(_SIDES, self._batches):
            faces = batch.get_next_batch()[1][:6]
            other = _SIDES[1 - _SIDES.index(side)]
            swapped = getattr(self._model, "path_" + other)([faces])[0]
            mask = getattr(self._model, "path_mask_" + other)([faces])[0] * 2 - 1
            rows += [numpy.hstack(list(one)) for one in (faces, swapped, mask)]
        width = min(row.shape[1] for row in rows)
        picture = numpy.vstack([row[:, :width] for row in rows])
        path = os.path.join(self._order["previews"], "%08d" % self.done)
        values = numpy.clip((picture + 1) * 127.5, 0, 255).astype("uint8")
        if cv2.imwrite(path + ".partial.png", values):
            os.replace(path + ".partial.png", path + ".png")

    def _write(self, network: str, path: str) -> None:
        getattr(self._model, network).save_weights(path)

    def _next(self) -> Dict[str, Any]:
        first, second = self._batches
        return {"data_A": first.get_next_batch(), "data_B": second.get_next_batch()}

    def _build(self) -> None:
        import_module("tensorflow").set_random_seed(self._asked["seed"] + self.done)
        self._model = upstream.build(self._asked["architecture"])
        if self._folder is not None:
            upstream.load(self._model, self._folder)
        if self.phase.swapped and not self._swapped:
            self._swap_decoders()
        # Built in every phase, as upstream does: what is missing, or too large for the card, shows
        # at once and not after a fifth of the training.
        perceptual = upstream.perceptual_network(self._order["vggface"])
        before = self._asked["before_activation"]
        self._model.build_pl_model(vggface_model=perceptual, before_activ=before)
        losses = schedule.loss_config(self.phase, self._asked["gan"], before, self._asked["cyclic"])
        print("".join("%s = %s\n" % one for one in sorted(losses.items())), end="", flush=True)
        weights = dict(self._asked["weights"], w_pl=tuple(self._asked["weights"]["w_pl"]))
        self._model.build_train_functions(loss_weights=weights, **losses)
        self._batches = self._load_data()

    def _close(self) -> None:
        """End the session, and let go of all that lives in it: two do not fit on one card."""
        backend: Any = import_module("keras.backend")
        session = backend.get_session()
        self._model, self._batches = None, (None, None)
        session.close()
        backend.clear_session()
        gc.collect()

    def _swap_decoders(self) -> None:
        if self._folder is None:
            self.save()
        folder = str(self._folder)
        self._model.decoder_A.load_weights(saves.weights(folder, "decoder_B"))
        self._model.decoder_B.load_weights(saves.weights(folder, "decoder_A"))
        self._swapped = True
        print("train: the decoders changed sides", flush=True)

    def _load_data(self) -> Tuple[Any, Any]:
        loader = import_module("data_loader.data_loader").DataLoader
        session = import_module("keras.backend").get_session()
        names = {side: _pictures(self._order["faces"][side]) for side in _SIDES}
        both = names["A"] + names["B"]
        side_of = self._asked["architecture"]["IMAGE_SHAPE"][0]
        made = [
            loader(
                names[side],
                both,
                self._asked["batch_size"],
                os.path.join(self._order["faces"][side], "binary_mask"),
                side_of,
                os.cpu_count(),
                session,
                **self._asked["augmentation"],
            )
            for side in _SIDES
        ]
        return made[0], made[1]


def run(session: Session, order: Dict[str, Any], stop: List[bool]) -> None:
    """Iterate until ``stop`` holds something or ``stop_at`` is reached, and save then."""
    began_s = time.time()
    every, stop_at = order["save_every"], order["stop_at"]
    shown = None  # type: Optional[int]
    sums, count = [0.0] * 4, 0
    while not stop and (not stop_at or session.done < stop_at):
        session.advance()
        losses = session.iterate()
        sums, count = [one + other for one, other in zip(sums, losses)], count + 1
        broken = not all(math.isfinite(one) for one in losses)
        due = session.done % every == 0 or session.done == stop_at
        if broken or due:
            means = losses if broken else [one / count for one in sums]
            print(LINE % (session.done, *means, time.time() - began_s), flush=True)
            sums, count = [0.0] * 4, 0
        if broken:
            sys.exit("Error: a loss is no number any more; the last save is from before it.")
        if due:
            session.save()
            if order["preview_every"] and _preview_due(session.done, shown, order):
                session.preview()
                shown = session.done
    if session.done % every and session.done != stop_at:
        session.save()
    print(ENDS_IN % (session.phase.number + 1, 8), flush=True)


def _preview_due(done: int, shown: Optional[int], order: Dict[str, Any]) -> bool:
    return shown is None or done - shown >= order["preview_every"]


def _number(value: Any) -> float:
    """A loss as a number; upstream's sums have one element or none."""
    return float(import_module("numpy").mean(value))


def _pictures(folder: str) -> List[str]:
    place = os.path.join(folder, "rgb")
    return [os.path.join(place, name) for name in sorted(os.listdir(place))]


def main(argv: Optional[List[str]] = None) -> None:
    source, path = sys.argv[1:] if argv is None else argv
    with open(path, encoding="utf-8") as stream:
        order = json.load(stream)
    stop = []  # type: List[bool]
    signal.signal(signal.SIGINT, lambda number, frame: stop.append(True))
    upstream.prepare(source, int(order["training"]["seed"]))
    session = Session(order)
    session.begin()
    run(session, order, stop)
    # All is saved. Python gives up its handlers while it ends, and a SIGINT then would look like a
    # failure.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
