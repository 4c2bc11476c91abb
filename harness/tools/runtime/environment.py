"""Environment of a driver that runs as a child process: a short list, and what its adapter names.

Everything else of the caller's environment stays out, so that a result does not depend on it
unseen; the names (never the values, which may be secret) of what was passed on are recorded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from harness.core.interpreters import PYTHONPATH, SAFE_PATH, absolute_entries, safe_imports
from harness.core.threads import THREAD_VARIABLES, thread_limits
from harness.model.tool import ChildProcess

THREADS = 2

_SEARCHED = ("PATH", "LD_LIBRARY_PATH", PYTHONPATH)
"""Lists of folders. PYTHONPATH, since an adapter that was found on it has its driver there."""
_PLACES = (
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "TRANSFORMERS_CACHE",
    "TORCH_HOME",
    "TORCH_EXTENSIONS_DIR",
    "TORCHINDUCTOR_CACHE_DIR",
    "TRITON_CACHE_DIR",
    "KERAS_HOME",
    "TFHUB_CACHE_DIR",
    "DEEPFACE_HOME",
    "INSIGHTFACE_HOME",
    "NUMBA_CACHE_DIR",
    "CUDA_CACHE_PATH",
    "CUDA_HOME",
    "CUDA_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)
"""Caches, toolkits and certificates: files and folders, made absolute, as a driver works in another
folder than its caller."""
_WORDS = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "BENCH_FFMPEG",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "NVIDIA_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
    "ZE_AFFINITY_MASK",
    "ONEAPI_DEVICE_SELECTOR",
    "HF_ENDPOINT",
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    *(
        spelled
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
        for spelled in (name, name.upper())
    ),
)
PASSED_ON = frozenset({*_SEARCHED, *_PLACES, *_WORDS})
"""Names of the variables that every driver gets; containers/CONTRACT.md lists them."""

SILENCE = {"ORT_DISABLE_TELEMETRY": "1"}
"""Libraries that would call home from a driver do not; the same for every runtime."""
SET_BY_BENCH = frozenset(
    {SAFE_PATH, "PYTHONUNBUFFERED", "PYTHONUTF8", "MPLBACKEND", "TMPDIR"}
    | {*THREAD_VARIABLES, *SILENCE}
)


def passed_on(spec: ChildProcess, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of ``environ`` that a driver gets: those of the list, those it names."""
    given = {name: value for name, value in environ.items() if name in PASSED_ON}
    for name in _SEARCHED:
        if name in given:
            given[name] = absolute_entries(given[name])
    for name in _PLACES:
        if given.get(name):
            given[name] = os.path.abspath(given[name])  # noqa: PTH100 - no link is followed
    named = {name: environ[name] for name in spec.environment if name in environ}
    return {
        name: value for name, value in (named | given).items() if value or name not in _SEARCHED
    }


def driver_environment(
    given: Mapping[str, str], temporary: Path, extra: Mapping[str, str]
) -> dict[str, str]:
    """The whole environment of a driver: what is passed on, and what it runs with anyway.

    ``temporary`` is for its temporary files; ``extra`` goes over everything.
    """
    env = {**given, **safe_imports(given), **thread_limits(THREADS), **SILENCE}
    env |= {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "MPLBACKEND": "Agg"}
    return env | {"TMPDIR": str(temporary)} | dict(extra)
