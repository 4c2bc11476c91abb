#!/usr/bin/env bash
# Writes requirements/locked.txt: every version pinned, every archive's hash, for Python 3.11 and later.
set -euo pipefail
cd "$(dirname "$0")/.."
printf 'dlib-bin>=20\n' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-annotate --no-header --extra dev --override requirements/overrides.txt \
    pyproject.toml - --output-file requirements/locked.txt
