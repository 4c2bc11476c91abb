"""Faceswap-GAN's loss schedule: what the losses are, by how much of the plan is done.

Upstream switches its losses at fractions of the iterations that are planned, so a shorter training
is another schedule and not the beginning of a long one. Pure; standard library only and Python 3.6
syntax. README.md names the cells that the fractions were read in.
"""

from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

_LEAD = 150
"""Upstream switches half a display interval (of 300 iterations) before a fraction is reached."""


class Phase(NamedTuple):
    """Losses from ``start`` (in iterations) on."""

    number: int
    start: int
    perceptual: bool
    hinge: bool
    """True when the alpha mask is pushed above ``mask``; else its mean is kept small."""
    mask: float
    lr_factor: float
    swapped: bool
    """True when the decoders have changed sides: upstream does it once, to train them crosswise."""


_Losses = Tuple[bool, bool, float, float, bool]
_FRACTIONS: Sequence[Tuple[int, int, _Losses]] = (
    # Numerator and denominator of the plan; then Phase's fields after ``start``.
    (0, 1, (False, False, 0.0, 1.0, False)),
    (1, 5, (True, False, 0.0, 1.0, False)),
    (3, 10, (True, True, 0.5, 1.0, False)),
    (2, 5, (True, True, 0.2, 1.0, False)),
    (1, 2, (True, True, 0.4, 1.0, False)),
    (2, 3, (True, False, 0.0, 0.3, False)),
    (8, 10, (True, True, 0.1, 0.3, True)),
    (9, 10, (True, False, 0.0, 0.1, True)),
)


def plan(total: int) -> List[Phase]:
    """The phases of a training of ``total`` iterations, in order.

    From 3000 iterations on the switches come where upstream has them; in shorter trainings they
    come 5 % of the plan early in the place of 150 iterations, so that none is left out. Raises
    ValueError when ``total`` is not positive.
    """
    if total <= 0:
        raise ValueError("a schedule needs planned iterations")
    lead = min(_LEAD, total // 20)
    phases = []
    for number, (above, below, losses) in enumerate(_FRACTIONS):
        start = max(0, above * total // below - lead)
        phases.append(Phase(number, start, *losses))
    return phases


def phase_at(phases: List[Phase], done: int) -> Phase:
    """The phase that the iteration after ``done`` belongs to; the last one lasts for ever."""
    return [phase for phase in phases if phase.start <= done][-1]


def loss_config(phase: Phase, gan: str, before_activation: bool, cyclic: bool) -> Dict[str, Any]:
    """The phase as the keywords of upstream's ``build_train_functions``."""
    return {
        "gan_training": gan,
        "use_PL": phase.perceptual,
        "PL_before_activ": before_activation,
        "use_mask_hinge_loss": phase.hinge,
        "m_mask": phase.mask,
        "lr_factor": phase.lr_factor,
        "use_cyclic_loss": cyclic,
    }
