"""Text of strangers: names, logs and sentences that a terminal must not obey."""

from __future__ import annotations

import re

UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Control characters but for tab and line feed, marks that turn the direction of writing, and
halves of characters, which no encoding can spell."""


def printable(text: str) -> str:
    """The text with every such character spelled out: ``\\x1b``."""
    return UNPRINTABLE.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
