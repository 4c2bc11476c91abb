"""FFmpeg for the drivers' own modules, which know no package that brings one."""

from __future__ import annotations

import pytest

from harness.media.ffmpeg import ffmpeg_path


@pytest.fixture(autouse=True)
def _ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_FFMPEG", str(ffmpeg_path()))
