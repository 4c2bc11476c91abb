"""Conventions of a network's pixels: those its user states, those tried, and their wording."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from harness.core.errors import UsageError
from harness.vision.recognisers.base import Alignment
from harness.vision.recognisers.convention import (
    KNOWN,
    Convention,
    Order,
    StatedConvention,
    read_stated,
)


def stated(folder: Path, text: str) -> StatedConvention:
    (folder / "net.yaml").write_text(text)
    return read_stated(folder / "net.onnx")


def test_each_colour_has_its_mean_and_scale_whatever_the_order() -> None:
    pixel = np.array([[[[255, 128, 0]]]], np.uint8)
    for order, expected in ((Order.RGB, [2.45, 1.08, -0.3]), (Order.BGR, [-0.3, 1.08, 2.45])):
        convention = Convention(order=order, mean=(10, 20, 30), scale=(100, 100, 100))
        assert convention.apply(pixel).ravel() == pytest.approx(expected)


def test_conventions_are_named_by_their_range() -> None:
    assert [str(one) for one in KNOWN[:4]] == [
        "RGB, -1 to 1",
        "RGB, 0 to 255",
        "RGB, 0 to 1",
        "RGB, by ImageNet's means and deviations",
    ]
    bgr = Convention.model_validate({"order": "bgr", "mean": 127.5, "scale": 128})
    assert str(bgr) == "BGR, -0.996 to 0.996"
    odd = Convention.model_validate({"order": "bgr", "mean": (1, 2, 3), "scale": 2})
    assert str(odd) == "BGR, minus (1, 2, 3), divided by (2, 2, 2)"


def test_without_a_description_all_known_conventions_are_tried(tmp_path: Path) -> None:
    nothing = read_stated(tmp_path / "net.onnx")
    assert nothing.candidates() == KNOWN
    assert nothing.alignment is Alignment.FIVE_POINTS


def test_what_is_stated_is_kept_and_the_rest_is_tried(tmp_path: Path) -> None:
    of_order = stated(tmp_path, "order: bgr").candidates()
    assert of_order == tuple(one for one in KNOWN if one.order is Order.BGR)
    of_range = stated(tmp_path, "mean: 127.5\nscale: 128").candidates()
    assert [(one.order, one.mean[0], one.scale[2]) for one in of_range] == [
        (Order.RGB, 127.5, 128),
        (Order.BGR, 127.5, 128),
    ]
    whole = stated(tmp_path, "order: rgb\nmean: [1, 2, 3]\nscale: 4\nsize: 96\nalignment: dlib")
    assert whole.candidates() == (Convention(order=Order.RGB, mean=(1, 2, 3), scale=(4, 4, 4)),)
    assert (whole.size, whole.alignment) == (96, Alignment.DLIB)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("order: grb", "line 1, field 'order': 'grb' is none of 'rgb' or 'bgr'"),
        ("order: rgb\nmaen: 1", "line 2, field 'maen': there is no such field (did you mean 'mean"),
        ("mean: 127.5", "state mean and scale, or neither"),
        ("mean: 0\nscale: 0", "line 2, field 'scale.0': Input should be greater than 0"),
        ("mean: .nan\nscale: 1", "line 1, field 'mean.0': Input should be a finite number"),
        ("mean: [1, 2]\nscale: 1", "line 1, field 'mean.2': this field is missing"),
        ("size: 8", "line 1, field 'size'"),
        ("alignment: eyes", "line 1, field 'alignment'"),
    ],
)
def test_a_wrong_description_is_refused_by_line_and_field(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(UsageError, match="is not a valid description of a recogniser") as refused:
        stated(tmp_path, text)
    assert said in refused.value.message


def test_the_example_in_the_docs_is_sface_and_its_table_holds_the_known(tmp_path: Path) -> None:
    docs = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")
    example = docs.split("```yaml\n# sface.yaml")[1].split("```")[0]
    assert stated(tmp_path, "#" + example).candidates() == (KNOWN[1],)
    rows = re.findall(r"^\| .* \| `(rgb|bgr)` \| (.*) \| (.*) \|$", docs, re.MULTILINE)
    texts = (f"order: {order}\nmean: {mean}\nscale: {scale}" for order, mean, scale in rows)
    documented = {one for text in texts for one in stated(tmp_path, text).candidates()}
    assert documented >= {one for one in KNOWN if one.order is Order.RGB}
    assert documented <= set(KNOWN)
