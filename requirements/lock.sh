#!/usr/bin/env bash
# Writes the two locks: every version pinned, every archive's hash, for Python 3.11 and later.
# locked.txt is what running needs; locked-dev.txt holds the same and what `make test` needs.
# Both have face_recognition and the headless OpenCV, which the wheel does not ask for:
# docs/decisions/0036-no-compiler-for-a-plain-install.md says why.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
    printf '%s\n' face-recognition==1.3.0 'opencv-python-headless>=4.10' | uv pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-annotate --no-header --override requirements/overrides.txt "$@" \
        pyproject.toml -
}
compile --extra dev --output-file requirements/locked-dev.txt
# Versions come from the developers' lock, so that what is tested is what runs.
compile --constraint requirements/locked-dev.txt --output-file requirements/locked.txt
