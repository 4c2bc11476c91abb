"""Digest of a night: one text, new alarms first, and each alarm only once."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.nightly import Alarm, NightMetric, NightRecord
from harness.results.compare.metrics import IDENTIFIED
from harness.results.wording import fmt


def new_alarms(records: Sequence[NightRecord], history: Sequence[NightRecord]) -> list[NightRecord]:
    """Confirmed alarms of the night that no earlier night has given."""
    return [
        record
        for record in records
        if record.alarm is Alarm.CONFIRMED and not _since(record, history)
    ]


def digest(night: str, records: Sequence[NightRecord], history: Sequence[NightRecord]) -> str:
    """The night as Markdown; the first line is enough for a subject. Ends with a newline.

    ``history``: the records of all nights.
    """
    fresh = new_alarms(records, history)
    standing = [o for o in records if o.alarm is Alarm.CONFIRMED and o not in fresh]
    loose = [o for o in records if o.alarm is Alarm.UNCONFIRMED]
    unrepeated = [o for o in records if o.alarm is Alarm.UNREPEATED]
    lacking = [o for o in records if o.scored < o.asked]
    count = f"{len(fresh)} new alarm{'s' if len(fresh) != 1 else ''}" if fresh else "no new alarm"
    lines = [f"# Nightly {night}: {count}", ""]
    for heading, chosen in (
        ("New alarms", fresh),
        ("Standing alarms", standing),
        ("Suspected, without a second run to compare", unrepeated),
        ("Seen once, not confirmed", loose),
    ):
        if chosen:
            lines += [f"## {heading}", "", *(_sentence(record, history) for record in chosen), ""]
    if lacking:
        lines += ["## Cells without a score", ""]
        lines += [f"- {o.what}: {o.asked - o.scored} of {o.asked}{_unprepared(o)}" for o in lacking]
        lines += ["", "See why: `bench status --status failed`.", ""]
    lines += ["## Every tool", ""]
    header = (
        *("tool", "last good", "verdict", "scored", "identified by the worst attacker"),
        *("SW-OR distance", "run-to-run sd"),
    )
    lines += [_row(header), _row(["---"] * len(header))]
    lines += [_row(_cells(record)) for record in records]
    return "\n".join(lines) + "\n"


def _unprepared(one: NightRecord) -> str:
    return f"; could not be prepared: {', '.join(one.unprepared)}" if one.unprepared else ""


def _sentence(record: NightRecord, history: Sequence[NightRecord]) -> str:
    since = _since(record, history)
    standing = f" Since {since}." if since else ""
    return f"- **{record.what}** against {record.good_version}: {record.reason}{standing}"


def _since(record: NightRecord, history: Sequence[NightRecord]) -> str | None:
    """The earlier night that gave the same alarm first."""
    same = [
        o.night
        for o in history
        if o.alarm is Alarm.CONFIRMED and o.alarm_id == record.alarm_id and o.night < record.night
    ]
    return min(same, default=None)


def _cells(record: NightRecord) -> list[str]:
    metrics = {metric.key: metric for metric in record.metrics}
    identified, distance = metrics.get(IDENTIFIED.key), metrics.get("sw_or")
    return [
        record.what,
        record.good_version or "-",
        record.verdict.value if record.verdict else "first night",
        f"{record.scored} of {record.asked}",
        _number(identified, scale=100, digits=1, unit=" %"),
        _number(distance),
        fmt(distance.run_sd if distance else None, 4, missing="-"),
    ]


def _number(metric: NightMetric | None, scale: float = 1, digits: int = 3, unit: str = "") -> str:
    """``0.712 (0.690 to 0.734)``; a hyphen where the night has no such number."""
    if metric is None:
        return "-"
    shown = f"{fmt(scale * metric.mean, digits)}{unit}"
    if metric.low is None or metric.high is None:
        return shown
    low, high = (fmt(scale * end, digits) for end in (metric.low, metric.high))
    return f"{shown} ({low} to {high})"


def _row(texts: Sequence[str]) -> str:
    return "| " + " | ".join(texts) + " |"
