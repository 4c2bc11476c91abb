"""Limits the threads that the numerical libraries of a process start.

OpenBLAS's threads spin while they wait: with more of them than processors, a decomposition of a
small matrix takes three times the processor time. Libraries look once, when they are loaded.
"""

from __future__ import annotations

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def thread_limits(threads: int) -> dict[str, str]:
    """Environment variables for a process that is to come."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))
