"""Numbers of processes and threads: what is done at once on this machine.

OpenBLAS's threads spin while they wait: with more of them than processors, a decomposition of a
small matrix takes three times the processor time. Libraries look once, when they are loaded.
"""

from __future__ import annotations

import os

from harness.core.errors import UsageError
from harness.core.host import host

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def thread_limits(threads: int) -> dict[str, str]:
    """Environment variables for a process that is to come."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


JOBS_VARIABLE = "BENCH_JOBS"

_MEMORY_PER_JOB_BYTES = 1 << 30
"""A worker that measures holds about 0.5 GiB, and so does an embedded tool."""


def default_jobs() -> int:
    """Number of things to do at once: ``$BENCH_JOBS``, else one for each core, memory permitting.

    Raises UsageError for a variable that is no whole number from 1.
    """
    named = os.environ.get(JOBS_VARIABLE)
    if named is None:
        here = host()
        return max(1, min(here.cores, here.memory_bytes // _MEMORY_PER_JOB_BYTES))
    if not named.isdecimal() or int(named) < 1:
        raise UsageError(
            f"{JOBS_VARIABLE} is '{named}', which is not a number of jobs.",
            hint="Give a whole number from 1, or unset it: one for each core.",
        )
    return int(named)
