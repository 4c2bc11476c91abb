"""A cell's id follows from everything that can change its result, and from nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.hashing import canonical_json, content_hash
from harness.model.cell import CellSpec
from harness.model.dataset import GalleryFace, MediaRef, PreparedActor, PreparedDonor, Sex, Split
from harness.model.job import Limits


def spec(**changes: Any) -> CellSpec:
    actor = PreparedActor(
        number=3,
        sex=Sex.MALE,
        split=Split.HELD_OUT,
        training=None,
        test=MediaRef(sha256="a" * 64, suffix=".mp4"),
        reference=MediaRef(sha256="b" * 64, suffix=".png"),
        reference_note="",
    )
    fields: dict[str, Any] = {
        "tool": "blur",
        "version": "1",
        "config": "default",
        "settings": {"strength": 0.5},
        "dataset": "sample",
        "split": Split.HELD_OUT,
        "actor": actor,
    }
    return CellSpec(**{**fields, **changes})


DONOR = PreparedDonor(
    name="d",
    sex=Sex.MALE,
    training=None,
    reference=MediaRef(sha256="c" * 64, suffix=".png"),
    reference_note="",
)


GALLERY = (
    GalleryFace(number=3, sex=Sex.MALE, reference=MediaRef(sha256="b" * 64, suffix=".png")),
    GalleryFace(number=4, sex=Sex.FEMALE, reference=MediaRef(sha256="d" * 64, suffix=".png")),
)


@pytest.mark.parametrize(
    "change",
    [
        {"tool": "mask"},
        {"version": "2"},
        {"image_digest": "sha256:1"},
        {"config": "weak"},
        {"settings": {"strength": 0.6}},
        {"dataset": "other"},
        {"split": Split.THESIS},
        {"donor": DONOR},
        {"gallery": GALLERY},
        {"gallery": GALLERY[:1]},
        {"seed": 1},
        {"limits": Limits(wall_s=1.0)},
    ],
)
def test_whatever_can_change_the_result_changes_the_id(change: dict[str, Any]) -> None:
    assert spec(**change).id != spec().id


def test_a_cell_without_a_gallery_keeps_the_id_it_had_before_there_were_galleries() -> None:
    assert spec().id == "98cf833c3e319521a6ec24f8b04f30bf18c91a895aff4ab78c4aa9f6a0f402ff"
    assert b"gallery" not in canonical_json(spec().model_dump(mode="json"))
    assert "gallery" not in spec().model_dump_json()


def test_a_gallery_survives_a_round_trip_through_json() -> None:
    with_gallery = spec(gallery=GALLERY)
    again = CellSpec.model_validate_json(with_gallery.model_dump_json())
    assert again == with_gallery
    assert again.id == with_gallery.id


def test_the_id_survives_a_round_trip_through_json() -> None:
    assert CellSpec.model_validate_json(spec().model_dump_json()).id == spec().id


def test_a_slug_is_a_safe_file_name_whatever_the_donor_is_called() -> None:
    donor = DONOR.model_copy(update={"name": "../Ünï \n'x'"})
    slug = spec(donor=donor).slug
    assert slug.replace("-", "").replace(".", "").isascii()
    assert "/" not in slug
    assert "\n" not in slug


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans()))
def test_the_order_of_keys_never_changes_a_hash(value: dict[str, Any]) -> None:
    assert content_hash(value) == content_hash(dict(reversed(value.items())))


def test_nan_has_no_canonical_spelling() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json(float("nan"))
