"""Numbers and names as every page, message and table shows them."""

from __future__ import annotations

import math

import pytest

from harness.cli.output import print_table
from harness.model.cohort import Attacker
from harness.model.estimates import Interval
from harness.results.compare.reasons import number, span
from harness.results.wording import attacker_name, detector_name, fmt, percent
from harness.scoring.cohort.score import CROPS_SOURCE, MOTION_SOURCE


@pytest.mark.parametrize("zero", [-0.0, -0.0004, 0.0, 0.0004])
def test_a_zero_has_no_sign(zero: float) -> None:
    assert fmt(zero) == fmt(zero, signed=True) == number(zero, 3, signed=True) == "0.000"
    assert percent(zero / 10) == "0.0 %"


def test_a_signed_number_has_its_sign_and_no_number_is_a_dash() -> None:
    assert [fmt(value, 2, signed=True) for value in (0.126, -0.126)] == ["+0.13", "-0.13"]
    assert fmt(math.nan) == fmt(None) == "\N{EN DASH}"
    assert number(None, 3) == number(math.inf, 3) == "-"


def test_the_ends_of_an_interval_have_no_minus_zero() -> None:
    """`bench compare` printed "-0.000 to +0.000"."""
    found = Interval(n=6, estimate=0.0, low=-0.0004, high=0.0004, method="t")
    assert span(found, 3) == "0.000 to 0.000"
    wide = found.model_copy(update={"low": -0.01, "cut": True})
    assert span(wide, 3) == "-0.010 to 0.000 (cut)"


def test_a_table_has_no_minus_zero(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("metric", "now"), [("flicker", -0.0)])
    assert capsys.readouterr().out.splitlines()[1].split() == ["flicker", "0"]


def test_an_attacker_has_one_name_with_or_without_what_it_compares_by() -> None:
    assert attacker_name(Attacker.NAIVE) == "A0 naive"
    assert attacker_name(Attacker.PARROT, "dlib") == "A1 parrot (dlib)"
    assert attacker_name(Attacker.PARROT, CROPS_SOURCE) == "A1 parrot (self-trained)"
    assert attacker_name(Attacker.MOTION, MOTION_SOURCE) == "A4 motion"
    assert len({attacker_name(one) for one in Attacker}) == len(Attacker)


def test_the_second_detector_is_spelled_as_its_authors_do() -> None:
    assert detector_name("centerface") == "CenterFace"
    assert detector_name("another") == "another"
