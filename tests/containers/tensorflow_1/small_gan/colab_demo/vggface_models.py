"""A small network in the place of VGGFace's; Python 3.6."""

from typing import Any

from keras.layers import Conv2D, Input
from keras.models import Model


def RESNET50(include_top: bool = True, weights: Any = "vggface", input_shape: Any = None) -> Any:
    first = Input(shape=(8, 8, 3))
    return Model(first, Conv2D(1, 3, name="features")(first))
