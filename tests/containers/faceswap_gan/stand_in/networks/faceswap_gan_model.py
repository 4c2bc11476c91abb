"""Stand-in: see ../README.md. A network's weights are a count of trainings and a side."""
# ruff: noqa: N802, N803

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
from wish import WISH, note  # type: ignore[import-not-found]


class Network:
    def __init__(self, name: str) -> None:
        self.name = name
        self.trained = 0
        self.side = name[-1]

    def save_weights(self, path: str) -> None:
        text = json.dumps({"trained": self.trained, "side": self.side})
        if WISH["die_saving"] == self.name and self.trained > 20:
            Path(path).write_text(text[:5])
            os.kill(os.getpid(), signal.SIGKILL)
        Path(path).write_text(text)

    def load_weights(self, path: str) -> None:
        self.__dict__.update(json.loads(Path(path).read_text()))


def _interrupt_for_ever() -> None:
    """A child of ours sends us SIGINT a thousand times a second until we are gone."""
    parent = os.getpid()
    if os.fork() == 0:
        while os.getppid() == parent:
            os.kill(parent, signal.SIGINT)
            time.sleep(0.001)
        os._exit(0)


class FaceswapGANModel:
    def __init__(self, **arch_config: Any) -> None:
        assert isinstance(arch_config["IMAGE_SHAPE"], tuple)
        self.IMAGE_SHAPE = arch_config["IMAGE_SHAPE"]
        note("architecture", arch_config)
        for name in ("encoder", "decoder_A", "decoder_B", "netDA", "netDB"):
            setattr(self, name, Network(name))
        for side in ("A", "B"):
            setattr(self, f"path_{side}", lambda inputs: [-np.asarray(inputs[0])])
            setattr(self, f"path_mask_{side}", lambda inputs: [np.ones_like(inputs[0])])
            setattr(self, f"path_abgr_{side}", self._abgr)
        self.seen = 0

    def _abgr(self, inputs: Any) -> list[Any]:
        if WISH["no_memory"]:
            raise RuntimeError("OOM when allocating tensor")
        picture = np.asarray(inputs[0])
        return [np.concatenate([np.ones_like(picture[..., :1]), -picture], axis=-1)]

    def build_pl_model(self, vggface_model: Any, before_activ: bool = False) -> None:
        assert vggface_model.loaded
        self.vggface_feats = before_activ

    def build_train_functions(self, loss_weights: Any = None, **loss_config: Any) -> None:
        assert loss_weights is not None
        assert isinstance(loss_weights["w_pl"], tuple)
        encoder: Any = self.encoder  # type: ignore[attr-defined]
        if loss_config["use_PL"]:
            assert self.vggface_feats is not None
        wanted = ("use_PL", "use_mask_hinge_loss", "m_mask", "lr_factor")
        note("losses", [encoder.trained, *(loss_config[name] for name in wanted)])
        note("weights", loss_weights)
        assert loss_config["gan_training"] == "mixup_LSGAN"
        assert loss_config["use_cyclic_loss"] is False

    def train_one_batch_D(self, data_A: Any, data_B: Any) -> tuple[list[Any], list[Any]]:
        assert len(data_A) == len(data_B) == 3
        return [0.4], [0.5]

    def train_one_batch_G(self, data_A: Any, data_B: Any) -> tuple[list[Any], list[Any]]:
        assert len(data_A) == len(data_B) == 3
        time.sleep(WISH["iteration_s"])
        for name in ("encoder", "decoder_A", "decoder_B", "netDA", "netDB"):
            getattr(self, name).trained += 1
        self.seen += 1
        if WISH["die_at"] == self.seen:
            os.kill(os.getpid(), signal.SIGKILL)
        encoder: Any = self.encoder  # type: ignore[attr-defined]
        if encoder.trained == WISH["interrupted_from"]:
            _interrupt_for_ever()
        loss = float("nan") if encoder.trained == WISH["nan_at"] else 2.0
        # The perceptual loss starts as K.zeros(1), so the sum has one element.
        return [np.array([loss]), 0.1, 1.0, 0.1, 0.0], [np.array([1.9]), 0.1, 1.0, 0.1, 0.0]
