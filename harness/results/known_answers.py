"""Expected scores of a control's cells: its effect is known beforehand. Pure, and the only table.

The report judges every control cell by it, `bench selftest scoring` its own cells. A rule that a
cell cannot decide (no face in the original, nothing moves, only a sample of frames) leaves the
answer open, which condemns no report; the self-test's own cells decide every rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from harness.core.base import Frozen
from harness.model.job import Setting
from harness.model.score import Attributes, CellScore, Comparison
from harness.model.video import VideoInfo
from harness.results.wording import fmt, percent
from harness.scoring.alignment import search_reach
from harness.scoring.detected import NOT_DETECTED_LOSS, lost_share

EXACT = 1e-6
CODEC_L2 = 0.05
"""Compression alone moves a mean distance by less."""
UNRELATED_PCC = 0.5
"""Mean PCC of movements that have nothing to do with each other stays under it."""
ENCODER_PCC = 0.05
"""Two encoders at one setting differ by less; the noise floor is met exactly by the encoder that
made it."""
FLOOR_CRF = 28
"""The setting of ``reencode`` whose video is the noise floor's own."""
FLICKER_SHARES = (0.5, 1.1)
"""Of the strength injected; some of the pixels measured lie around the face."""

PAIRS = (
    (Comparison.SWAPPED_ORIGINAL, Comparison.ORIGINAL_ORIGINAL),
    (Comparison.SWAPPED_SWAPPED, Comparison.ORIGINAL_SWAPPED),
)


class Answer(Frozen):
    """One thing that is known beforehand, and what was seen."""

    name: str
    expected: str
    seen: str
    passed: bool | None
    """None where the cell cannot decide it."""


@dataclass(frozen=True)
class Shown:
    """A control's cell: what was asked of it, the original's video, and what it scored."""

    score: CellScore
    settings: Mapping[str, Setting]
    info: VideoInfo | None = None


class _Seen(NamedTuple):
    """The parts of a rule, each decided or not, and the numbers behind them."""

    parts: tuple[bool | None, ...]
    words: str

    @property
    def passed(self) -> bool | None:
        if False in self.parts:
            return False
        return None if None in self.parts else True


class Rule(NamedTuple):
    """The expectation, as it stands in docs/protocol.md, and the judge of it."""

    expected: str
    judge: Callable[[Shown], _Seen]


def known_answer(tool: str, shown: Shown) -> Answer | None:
    """The answer of a control's cell; None for a tool whose answer is not known."""
    rule = RULES.get(tool)
    if rule is None:
        return None
    seen = rule.judge(shown)
    return Answer(name=tool, expected=rule.expected, seen=seen.words, passed=seen.passed)


def moved_l2(score: CellScore) -> float | None:
    """Shift of the swapped video's mean distances from the original's, to either face: the larger
    of |SW-OR - OR-OR| and |SW-SW - OR-SW|. None where the first is missing.
    """
    gaps = []
    for swapped, original in PAIRS:
        ours, theirs = _mean(score, swapped), _mean(score, original)
        if ours is not None and theirs is not None:
            gaps.append(abs(ours - theirs))
        elif not gaps:
            return None
    return max(gaps)


def _mean(score: CellScore, comparison: Comparison) -> float | None:
    distances = score.identity.comparisons.get(comparison)
    return distances.mean if distances else None


def _moved(score: CellScore, limit: float) -> bool | None:
    """True when the distances stayed within ``limit``. A face that is lost has moved; an original
    without any face decides nothing."""
    lost = lost_share(score)
    if lost is None:
        return None
    if lost >= NOT_DETECTED_LOSS:
        return False
    moved = moved_l2(score)
    return False if moved is None else moved <= limit


def _each(score: CellScore, judge: Callable[[Attributes], bool | None]) -> bool | None:
    """The same of every source of action units; one that finds nothing measurable is open."""
    verdicts = [judge(source) for source in score.attributes]
    return _Seen(tuple(verdicts) or (None,), "").passed


def _at_least(value: float | None, least: float) -> bool | None:
    return None if value is None else value >= least


def _at_most(value: float | None, most: float) -> bool | None:
    return None if value is None else value <= most


def _units(score: CellScore) -> str:
    pcc = [fmt(source.mean_pcc) for source in score.attributes]
    return f"PCC {' and '.join(pcc) or 'none'}"


def _noop(shown: Shown) -> _Seen:
    score = shown.score
    copied = _each(score, lambda source: _at_least(source.mean_pcc, 1 - EXACT))
    level = _each(score, lambda source: _at_most(source.mean_rmse, EXACT))
    rmse = " and ".join(fmt(source.mean_rmse) for source in score.attributes)
    words = f"moved by {fmt(moved_l2(score))}, {_units(score)}, RMSE {rmse or 'none'}"
    return _Seen((_moved(score, EXACT), copied, level), words)


def _reencode(shown: Shown) -> _Seen:
    score = shown.score
    floors = " and ".join(fmt(source.floor_mean_pcc) for source in score.attributes)
    words = f"moved by {fmt(moved_l2(score))}, {_units(score)}, floor {floors or 'none'}"
    parts = [_moved(score, CODEC_L2)]
    if shown.settings.get("crf", FLOOR_CRF) == FLOOR_CRF:
        parts.append(_each(score, _meets_floor))
    return _Seen(tuple(parts), words)


def _meets_floor(source: Attributes) -> bool | None:
    """Exactly, by the encoder that made the floor; another one's is near, which decides nothing."""
    if source.mean_pcc is None or source.floor_mean_pcc is None:
        return None
    gap = abs(source.mean_pcc - source.floor_mean_pcc)
    if gap <= EXACT:
        return True
    return None if gap <= ENCODER_PCC else False


def _blackbox(shown: Shown) -> _Seen:
    lost = lost_share(shown.score)
    return _Seen((_at_least(lost, NOT_DETECTED_LOSS),), f"{percent(lost)} of the faces lost")


def _oracle(shown: Shown) -> _Seen:
    score, threshold = shown.score, shown.score.identity.threshold
    distance = _mean(score, Comparison.SWAPPED_ORIGINAL)
    near = _mean(score, Comparison.SWAPPED_SWAPPED)
    words = f"SW-OR {fmt(distance)}, SW-SW {fmt(near)}, {_units(score)}"
    return _Seen(
        (
            None if distance is None else distance > threshold,
            # Without a face of the person who is shown there is nothing to be near to.
            near is None or near <= threshold,
            _each(score, lambda source: _at_most(source.mean_pcc, UNRELATED_PCC)),
        ),
        words,
    )


def late_frames(shown: Shown) -> int | None:
    """By how many frames a ``time-shift`` is late; below 0 where it is nearer to being early. It
    goes round. None without the video's frame rate."""
    if shown.info is None or not shown.info.frames:
        return None
    frames = shown.info.frames
    late = round(float(shown.settings["shift_s"]) * Fraction(shown.info.fps)) % frames
    return late - frames if late > frames / 2 else late


def _time_shift(shown: Shown) -> _Seen:
    score, late = shown.score, late_frames(shown)
    lag = score.alignment.lag_frames
    words = (
        f"late by {'none' if lag is None else lag} frames of {'?' if late is None else late}, "
        f"moved by {fmt(moved_l2(score))}, {_units(score)}"
    )
    stays = _moved(score, CODEC_L2)
    unlike = _each(score, lambda source: _at_most(source.mean_pcc, UNRELATED_PCC))
    if late is None or shown.info is None:
        return _Seen((stays, None), words)
    if abs(late) > search_reach(shown.info.frames):
        return _Seen((stays, lag is None and unlike), words)
    if lag is None:
        # A picture that stands still has no time; that its movements fit decides against it.
        return _Seen((stays, None if unlike is not False else False), words)
    unpaired = all(source.mean_pcc is None for source in score.attributes)
    return _Seen((stays, lag == late and not score.alignment.aligned and unpaired), words)


def _flicker(shown: Shown) -> _Seen:
    quality = shown.score.quality
    added = quality.flicker.added if quality and quality.flicker else None
    strength = float(shown.settings["strength"])
    low, high = (share * strength for share in FLICKER_SHARES)
    within = None if added is None else low <= added <= high
    return _Seen((within,), f"{fmt(added, 1)} grey levels added of {strength:g}")


def _leak(shown: Shown) -> _Seen:
    leaks, info = shown.score.leaks, shown.info
    stretches = leaks.stretches if leaks else ()
    words = ", ".join(
        f"frames {stretch.first_frame} to {stretch.last_frame} from {stretch.start_s:.3f} s"
        for stretch in stretches
    )
    if info is None or leaks is None or not leaks.every_frame:
        return _Seen((None,), words or "not every frame was looked at")
    fps = Fraction(info.fps)
    first = round(float(shown.settings["at_s"]) * fps)
    last = first + int(shown.settings.get("frames", 1)) - 1
    exactly = [(stretch.first_frame, stretch.last_frame) for stretch in stretches] == [
        (first, last)
    ]
    in_time = all(
        abs(stretch.start_s - float(stretch.first_frame / fps)) <= EXACT for stretch in stretches
    )
    return _Seen((exactly, in_time), words or "no leak")


RULES: Mapping[str, Rule] = {
    "noop": Rule(
        "mean distances to either face moved by 0, PCC 1 and RMSE 0 by every source, all to 1e-6",
        _noop,
    ),
    "reencode": Rule(
        f"mean distances moved by at most {CODEC_L2:g}; at CRF {FLOOR_CRF}, PCC equal to the noise "
        f"floor (open up to {ENCODER_PCC:g} away: another encoder)",
        _reencode,
    ),
    "blackbox": Rule(
        f"at least {100 * NOT_DETECTED_LOSS:.0f} % of the original's faces lost", _blackbox
    ),
    "oracle": Rule(
        f"SW-OR above the threshold, SW-SW at or under it, PCC at most {UNRELATED_PCC:g} by every "
        "source",
        _oracle,
    ),
    "time-shift": Rule(
        f"mean distances moved by at most {CODEC_L2:g}; a shift within the search named to the "
        f"frame and no action unit compared, else PCC at most {UNRELATED_PCC:g}",
        _time_shift,
    ),
    "flicker": Rule(
        f"{FLICKER_SHARES[0]:g} to {FLICKER_SHARES[1]:g} times the injected grey levels added",
        _flicker,
    ),
    "leak": Rule("the leaks are exactly the frames that were spared, at their times", _leak),
}
