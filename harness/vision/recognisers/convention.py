"""Format of a network's pixels: as its user states it, or one of the known conventions."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from harness.core.base import Frozen
from harness.core.yaml_files import read_yaml
from harness.vision.recognisers.base import Alignment, Chips


class Order(StrEnum):
    """Colour of the first channel."""

    RGB = "rgb"
    BGR = "bgr"


def _for_each_colour(value: Any) -> Any:
    """One number stands for all three."""
    return (value,) * 3 if isinstance(value, int | float) else value


_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(allow_inf_nan=False, gt=0)]
Mean = Annotated[tuple[_Number, _Number, _Number], BeforeValidator(_for_each_colour)]
Scale = Annotated[tuple[_Positive, _Positive, _Positive], BeforeValidator(_for_each_colour)]


_IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


class Convention(Frozen):
    """A pixel from 0 to 255 becomes (pixel - mean) / scale."""

    order: Order
    mean: Mean
    """Of red, green and blue, whatever the order."""
    scale: Scale

    def apply(self, chips: Chips) -> NDArray[np.float32]:
        """The network's numbers, n x size x size x 3."""
        mean, scale = (np.array(three, np.float32) for three in (self.mean, self.scale))
        numbers: NDArray[np.float32] = (chips.astype(np.float32) - mean) / scale
        return numbers if self.order is Order.RGB else numbers[..., ::-1]

    @property
    def whole(self) -> bool:
        """Pixels stay as they are."""
        return set(self.mean) == {0} and set(self.scale) == {1}

    def __str__(self) -> str:
        """``RGB, -1 to 1``."""
        if len(set(self.mean)) == len(set(self.scale)) == 1:
            low, high = ((end - self.mean[0]) / self.scale[0] for end in (0, 255))
            return f"{self.order.upper()}, {low:.3g} to {high:.3g}"
        if (self.mean, self.scale) == _IMAGENET:
            return f"{self.order.upper()}, by ImageNet's means and deviations"
        mean, scale = (
            ", ".join(f"{number:g}" for number in three) for three in (self.mean, self.scale)
        )
        return f"{self.order.upper()}, minus ({mean}), divided by ({scale})"


def _known() -> tuple[Convention, ...]:
    ranges: tuple[tuple[Any, Any], ...] = (
        (127.5, 127.5),  # ArcFace and most of its family
        (0, 1),  # SFace
        (0, 255),
        _IMAGENET,  # torchvision
    )
    return tuple(
        Convention(order=order, mean=mean, scale=scale) for order in Order for mean, scale in ranges
    )


KNOWN = _known()
"""The commonest first."""


class StatedConvention(Frozen):
    """The statement of a network's user, in the YAML file alongside it; the rest is tried."""

    order: Order | None = None
    mean: Mean | None = None
    """Of red, green and blue, whatever the order; or one number for all."""
    scale: Scale | None = None
    size: Annotated[int, Field(ge=16, le=1024)] | None = None
    """Side of the picture in pixels, for a network that leaves it open."""
    alignment: Alignment = Alignment.FIVE_POINTS

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.mean is None) != (self.scale is None):
            raise ValueError("state mean and scale, or neither")
        return self

    def candidates(self) -> tuple[Convention, ...]:
        """The conventions that agree with what is stated, in the order of ``KNOWN``."""
        of_order = [convention for convention in KNOWN if self.order in (None, convention.order)]
        if self.mean is None or self.scale is None:
            return tuple(of_order)
        stated = {"mean": self.mean, "scale": self.scale}
        return tuple(dict.fromkeys(convention.model_copy(update=stated) for convention in of_order))


def stated_path(network: Path) -> Path:
    """Path of the file in which the user of a network states its convention; may not exist."""
    return network.with_suffix(".yaml")


def read_stated(network: Path) -> StatedConvention:
    """The statement in the file alongside the network; an empty one where there is no file.

    Raises UsageError with line and field.
    """
    path = stated_path(network)
    if not path.exists():
        return StatedConvention()
    return read_yaml(path, StatedConvention, "description of a recogniser")
