"""Small networks with the calls of Faceswap-GAN's model, in real Keras; Python 3.6."""

import gc
from typing import Any, Dict, List, Tuple

import keras.backend as K
import numpy
import tensorflow as tf  # type: ignore[import-untyped]
from keras.layers import Conv2D, Input
from keras.models import Model
from keras.optimizers import Adam


def _network(name: str) -> Any:
    first = Input(shape=(8, 8, 3))
    return Model(first, Conv2D(3, 3, padding="same", name=name)(first))


class FaceswapGANModel:
    encoder: Any
    decoder_A: Any
    decoder_B: Any

    def __init__(self, **arch_config: Any) -> None:
        # Two sessions at once are what does not fit on one card.
        sessions = [one for one in gc.get_objects() if isinstance(one, tf.Session)]
        print("open sessions: %d" % sum(not one._closed for one in sessions), flush=True)
        assert isinstance(arch_config["IMAGE_SHAPE"], tuple)
        for name in ("encoder", "decoder_A", "decoder_B", "netDA", "netDB"):
            setattr(self, name, _network(name))

    def build_pl_model(self, vggface_model: Any, before_activ: bool = False) -> None:
        self.vggface_feats = vggface_model

    def build_train_functions(self, loss_weights: Any = None, **loss_config: Any) -> None:
        assert isinstance(loss_weights["w_pl"], tuple)
        self._train: Dict[str, Any] = {}
        for side, decoder in (("A", self.decoder_A), ("B", self.decoder_B)):
            warped, real = Input(shape=(8, 8, 3)), Input(shape=(8, 8, 3))
            loss = K.mean(K.abs(decoder(self.encoder(warped)) - real))
            if loss_config["use_PL"]:
                loss += 0.1 * K.mean(self.vggface_feats(warped))
            weights = self.encoder.trainable_weights + decoder.trainable_weights
            updates = Adam(lr=1e-4 * loss_config["lr_factor"], beta_1=0.5).get_updates(
                weights, [], loss
            )
            self._train[side] = K.function([warped, real], [loss], updates)

    def train_one_batch_D(self, data_A: Any, data_B: Any) -> Tuple[List[Any], List[Any]]:
        assert len(data_A) == len(data_B) == 3
        return [numpy.float32(0.5)], [numpy.float32(0.5)]

    def train_one_batch_G(self, data_A: Any, data_B: Any) -> Tuple[Any, Any]:
        return self._train["A"](list(data_A[:2])), self._train["B"](list(data_B[:2]))
