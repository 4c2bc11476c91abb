"""Origins of an image's base and weights; what may not be passed on cannot be pushed."""

from __future__ import annotations

import pytest

from harness.core.errors import UnfitMachineError, UsageError
from harness.model.tool import Container
from harness.tools.engine import Engine
from harness.tools.images.bases import find_base
from harness.tools.images.build import build_image
from harness.tools.images.check import check_image
from harness.tools.images.find import find_described
from harness.tools.images.labels import Base, BuiltImage, Upstream, image_labels, read_image
from harness.tools.images.recipe import UNPUSHABLE, content_tag, read_recipe
from harness.tools.registry import load_observers, load_tools
from tests.tools.images.conftest import DOCKERFILE, TinyRecipe

BASE = Base(reference="debian:12", id="sha256:" + "a" * 64, digest="debian@sha256:" + "b" * 64)
TRUSTING = """RUN echo "0123  /opt/weights/s3fd.h5" > /opt/bench/unverified.sha256
USER 65534:65534
"""


def _read(labels: dict[str, str]) -> BuiltImage:
    attributes = {
        "Id": "sha256:1",
        "Created": "2026-01-01",
        "Size": 1,
        "Config": {"Labels": labels},
    }
    image = read_image(attributes)
    assert image is not None
    return image


def test_a_label_holds_the_bases_digest_and_the_files_that_were_trusted(tiny: TinyRecipe) -> None:
    upstream = Upstream(source="https://example.org", revision="1")
    image = _read(image_labels(tiny.read(), BASE, upstream, ["0123:s3fd.h5", "4567:fan.h5"]))
    assert (image.base, image.base_id, image.base_digest) == (BASE.reference, BASE.id, BASE.digest)
    assert image.unverified == ("0123:s3fd.h5", "4567:fan.h5")


def test_an_image_of_an_earlier_bench_is_still_read(tiny: TinyRecipe) -> None:
    labels = image_labels(tiny.read(), BASE, Upstream(source="x", revision="1"))
    for name in ("base-digest", "unverified"):
        del labels[f"deid-bench.image.{name}"]
    assert _read(labels).base_digest == ""
    assert _read(labels).unverified == ()


def test_what_may_not_be_passed_on_has_a_name_that_no_registry_can_have(tiny: TinyRecipe) -> None:
    tiny.versions(redistribute=False)
    assert content_tag(tiny.read(), BASE.id).startswith(f"{UNPUSHABLE}/deid-bench/tiny")
    assert UNPUSHABLE.endswith(".invalid")


def test_every_recipe_of_ours_is_pinned_by_commit_tag_or_version() -> None:
    moving = {"master", "main", "HEAD", "latest"}
    for tool in {**load_tools(), **load_observers()}.values():
        for version in tool.versions if isinstance(tool.runs_as, Container) else ():
            entry = read_recipe(tool, version).entry
            assert entry.commit not in moving, tool.name
            assert not entry.base.endswith(":latest"), tool.name


def test_an_unknown_name_is_told_with_observers_among_the_known() -> None:
    with pytest.raises(UsageError, match="Did you mean 'openface'"):
        find_described("openfase")


def test_deepfacelabs_weights_are_listed_by_checksum() -> None:
    recipe = read_recipe(load_tools()["deepfacelab"])
    listed = recipe.files["facelib.sha256"].read_text().splitlines()
    assert [line.split()[1] for line in listed] == [
        "2DFAN.npy",
        "3DFAN.npy",
        "FaceEnhancer.npy",
        "S3FD.npy",
    ]
    assert all(len(line.split()[0]) == 64 for line in listed)
    assert "sha256sum -c /tmp/facelib.sha256" in recipe.files["Dockerfile"].read_text()


def test_trusted_weights_are_on_the_label_and_told_by_the_check(
    engine: Engine, tidy: TinyRecipe
) -> None:
    tidy.write("Dockerfile", DOCKERFILE.replace("USER 65534:65534\n", TRUSTING))
    image = build_image(engine, tidy.read(), say=print)
    assert image.unverified == ("0123:s3fd.h5",)
    assert image.base_digest == find_base(engine, image.base, tidy.read(), print).digest
    found = {one.what: one.text for one in check_image(engine, image)}
    assert "1 without one, which this build trusted: s3fd.h5 (0123)" in found["weights"]
    assert (image.base_digest or "made on this machine") in found["base"]


def test_a_licence_is_asked_about_before_anything_is_pulled(
    engine: Engine, tidy: TinyRecipe
) -> None:
    tidy.write("Dockerfile", DOCKERFILE.replace("USER", "ARG ACCEPT_TINY\nUSER"))
    tidy.versions(args={"GREETING": "hello", "ACCEPT_TINY": "no"}, base="nowhere.invalid/tiny:1")
    heard: list[str] = []
    with pytest.raises(UnfitMachineError, match="accept its licence") as refused:
        build_image(engine, tidy.read(), say=heard.append)
    assert heard == []
    assert refused.value.hint is not None
    assert refused.value.hint.endswith(f"bench images build {tidy.tool.name}@1 --accept-licence")
    image = build_image(
        engine, tidy.read().accepted(), base="deid-bench/base:bookworm", say=heard.append
    )
    assert image.recipe == tidy.read().hash


def test_a_full_disk_is_told_before_a_base_is_pulled(engine: Engine, tidy: TinyRecipe) -> None:
    tidy.versions(base="nowhere.invalid/tiny:1", size_bytes=10**18)
    heard: list[str] = []
    with pytest.raises(UnfitMachineError, match="building tiny"):
        build_image(engine, tidy.read(), say=heard.append)
    assert heard == []


def test_an_image_that_may_not_be_passed_on_cannot_be_pushed(
    engine: Engine, tidy: TinyRecipe
) -> None:
    tidy.versions(redistribute=False)
    image = build_image(engine, tidy.read(), say=print)
    (tag,) = image.tags
    try:
        assert tag.startswith(UNPUSHABLE)
        said = str(engine.client.images.push(tag))
        assert "error" in said
        assert UNPUSHABLE in said
    finally:
        engine.client.images.remove(tag, force=True)
