"""The three cards that a report starts with, for a page and for a terminal."""

from __future__ import annotations

from typing import NamedTuple

from harness.results.headline import Card
from reports.model import ReportData
from reports.verdict import judge


class Headline(NamedTuple):
    """The cards, why tools are not ranked among the others, and why none of it can be trusted."""

    cards: tuple[Card, Card, Card]
    left_out: list[str]
    warnings: tuple[str, ...]


def headline(data: ReportData) -> Headline:
    """The verdict on a report's tools, as cards."""
    judged = judge(data)
    return Headline(judged.cards, judged.left_out, judged.warnings)
