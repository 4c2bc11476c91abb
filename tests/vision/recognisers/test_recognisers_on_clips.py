"""Other recognisers alongside dlib's on real video, and what a score says of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from harness.model.protocol import Protocol
from harness.model.score import Comparison
from harness.observe.recognised import read_recognised, stored_recognisers
from harness.observe.video import observe_faces

if TYPE_CHECKING:
    from tests.scoring.conftest import Bench

from tests.scoring.conftest import bench, encoded, make_bench

__all__ = ["bench", "encoded", "make_bench"]

pytestmark = pytest.mark.clips


def test_others_measure_the_same_faces_and_are_scored_once_they_have_seen_all(
    bench: Bench, sface: Path
) -> None:
    copy = bench.home / "copy.mp4"
    shutil.copyfile(bench.original_path, copy)
    before = bench.score("noop", copy)
    assert before.recognisers == ()
    network = shutil.copyfile(sface, bench.home / "net.onnx")
    (bench.home / "net.yaml").write_text("order: rgb\nmean: 0\nscale: 1\n")
    bench.protocol = Protocol(frames=5, recognisers=("dlib", str(network)))
    after = bench.score("noop", copy)
    assert after.identity == before.identity
    dlib, net = sorted(after.recognisers, key=lambda one: one.name)
    plain = after.identity.comparisons[Comparison.SWAPPED_ORIGINAL]
    assert dlib.sw_or.mean == pytest.approx(plain.mean, abs=1e-4)
    assert dlib.sw_or.share_at_or_under_threshold == plain.share_at_or_under_threshold
    assert (net.name, net.distance, net.threshold) == ("net", "cosine", None)
    assert net.preprocessing == "RGB, 0 to 255; 112 px, aligned by five points"
    # The photo shows another man; with the wrong pixels all distances are under 0.1.
    assert net.or_or.mean is not None
    assert 0.5 < net.or_or.mean < 1.2
    assert net.or_or == net.sw_or
    assert (net.sw_or.asked, net.sw_or.used) == (5, 5)
    assert net.sw_or.share_at_or_under_threshold is None

    # Without being asked again, what was measured stays in the score.
    bench.protocol = Protocol(frames=5)
    assert bench.score("noop", copy) == after
    files = stored_recognisers(bench.original.sha256, bench.observations)
    key = next(key for name, key in files.items() if "dlib" in name)
    info, rows = read_recognised(key, bench.observations)
    faces = observe_faces(bench.video, bench.observations)
    assert info.threshold == 0.6
    for first, second in zip(rows["embedding"], faces["embedding"], strict=True):
        assert np.asarray(first) == pytest.approx(np.asarray(second), abs=1e-5)
