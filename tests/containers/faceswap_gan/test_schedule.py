"""The loss schedule by itself."""

from __future__ import annotations

import pytest

from containers.faceswap_gan import schedule


def test_a_plan_of_upstreams_length_switches_where_upstream_does() -> None:
    phases = schedule.plan(40000)
    starts = [phase.start for phase in phases]
    assert starts == [0, 7850, 11850, 15850, 19850, 26516, 31850, 35850]
    losses = [(one.perceptual, one.hinge, one.mask, one.lr_factor) for one in phases]
    assert losses == [
        (False, False, 0.0, 1.0),
        (True, False, 0.0, 1.0),
        (True, True, 0.5, 1.0),
        (True, True, 0.2, 1.0),
        (True, True, 0.4, 1.0),
        (True, False, 0.0, 0.3),
        (True, True, 0.1, 0.3),
        (True, False, 0.0, 0.1),
    ]
    assert [one.swapped for one in phases] == [False] * 6 + [True] * 2


@pytest.mark.parametrize("total", [20, 40, 299, 3000, 214500])
def test_every_phase_has_its_time_in_short_and_long_plans(total: int) -> None:
    phases = schedule.plan(total)
    met = [schedule.phase_at(phases, done).number for done in range(total)]
    assert sorted(set(met)) == list(range(8))
    assert met == sorted(met)


def test_the_last_phase_lasts_beyond_the_plan() -> None:
    assert schedule.phase_at(schedule.plan(100), 10**6).number == 7


def test_a_plan_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="planned"):
        schedule.plan(0)


def test_a_phase_becomes_upstreams_keywords() -> None:
    phase = schedule.phase_at(schedule.plan(1000), 450)
    assert schedule.loss_config(phase, "mixup_LSGAN", False, True) == {
        "gan_training": "mixup_LSGAN",
        "use_PL": True,
        "PL_before_activ": False,
        "use_mask_hinge_loss": True,
        "m_mask": 0.4,
        "lr_factor": 1.0,
        "use_cyclic_loss": True,
    }
