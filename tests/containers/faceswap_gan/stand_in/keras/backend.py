"""Stand-in: see ../README.md."""

from __future__ import annotations


def get_session() -> str:
    return "session"


def clear_session() -> None:
    pass


def set_learning_phase(value: int) -> None:
    assert value == 0, "upstream's last training notebook leaves it alone"
