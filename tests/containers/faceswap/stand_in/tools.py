"""A stand-in for Faceswap's tools.py: see faceswap.py alongside it."""

from __future__ import annotations

import importlib

if __name__ == "__main__":
    importlib.import_module("faceswap").main()
