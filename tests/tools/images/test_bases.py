"""Bases named by a tag, which may name another image tomorrow."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import UnfitMachineError
from harness.store.manifests import ManifestStore
from harness.tools.engine import Engine
from harness.tools.images.bases import KnownBases, find_base
from harness.tools.images.labels import Base
from harness.tools.images.recipe import read_recipe
from harness.tools.registry import find_tool
from tests.tools.images.conftest import TinyRecipe

TAG = "nvcr.io/nvidia/tensorflow:23.03-tf1-py3"
FIRST, SECOND = (f"nvcr.io/nvidia/tensorflow@sha256:{digit * 64}" for digit in "ab")


def _base(digest: str, reference: str = TAG) -> Base:
    return Base(reference=reference, id="sha256:0", digest=digest)


def test_a_tag_that_names_another_image_than_at_the_first_build_is_refused(
    tiny: TinyRecipe, tmp_path: Path
) -> None:
    known, recipe = KnownBases(tmp_path), tiny.read()
    known.require(_base(FIRST), recipe)
    known.require(_base(FIRST), recipe)
    known.require(_base(SECOND, "tensorflow/tensorflow:1.15.5-py3"), recipe)
    with pytest.raises(UnfitMachineError) as refused:
        known.require(_base(SECOND), recipe)
    assert f"{TAG} of {recipe.name} is another image" in refused.value.message
    assert "sha256:bbbbbbbbbbbb now, sha256:aaaaaaaaaaaa then" in refused.value.message
    assert f"docker pull {FIRST}" in (refused.value.hint or "")
    assert f"bench images build {recipe.name} --accept-new-base" in (refused.value.hint or "")


def test_a_base_that_is_accepted_takes_the_place_of_the_recorded_one(
    tiny: TinyRecipe, tmp_path: Path
) -> None:
    recipe = tiny.read()
    KnownBases(tmp_path).require(_base(FIRST), recipe)
    KnownBases(tmp_path, accept_new=True).require(_base(SECOND), recipe)
    KnownBases(tmp_path).require(_base(SECOND), recipe)
    assert [use.digest for use in ManifestStore(tmp_path).bases] == [SECOND]
    with pytest.raises(UnfitMachineError, match="another image"):
        KnownBases(tmp_path).require(_base(FIRST), recipe)


def test_what_cannot_change_or_is_made_here_is_not_recorded(
    tiny: TinyRecipe, tmp_path: Path
) -> None:
    known, recipe = KnownBases(tmp_path), tiny.read()
    known.require(_base("", "deid-bench/base:bookworm"), recipe)
    known.require(_base(FIRST, FIRST), recipe)
    assert ManifestStore(tmp_path).bases == ()


def test_a_base_that_cannot_be_pulled_names_the_others_that_the_recipe_knows(
    engine: Engine, tiny: TinyRecipe
) -> None:
    # Nobody listens at this registry.
    other = "nvcr.io/nvidia/tensorflow:23.02-tf1-py3"
    tiny.versions(base="127.0.0.1:9/no/base:1", bases={"tf1-23.02": other})
    with pytest.raises(UnfitMachineError, match="cannot be pulled") as failed:
        find_base(engine, "127.0.0.1:9/no/base:1", tiny.read(), print)
    assert f"--base tf1-23.02: {other}" in (failed.value.hint or "")


@pytest.mark.parametrize("name", ["dfaker", "deepfacelab", "faceswap@v1.0.0", "faceswap-gan"])
def test_recipes_on_nvidias_last_tensorflow_1_know_the_one_before(name: str) -> None:
    tool, _, version = name.partition("@")
    entry = read_recipe(find_tool(tool), version or None).entry
    assert entry.base == TAG
    assert entry.base_reference("tf1-23.02") == TAG.replace("23.03", "23.02")
