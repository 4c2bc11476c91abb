"""Recipes of images, and when two count as the same."""

from __future__ import annotations

import pytest

from harness.core.errors import UsageError
from harness.tools.images.recipe import content_tag, read_recipe
from harness.tools.registry import find_tool
from tests.tools.images.conftest import DOCKERFILE, TinyRecipe

BASE_ID = "sha256:" + "a" * 64


def test_the_recipes_that_ship_can_all_be_read() -> None:
    recipe = read_recipe(find_tool("deface"))
    assert recipe.name == "deface@1.5.0"
    assert {"Dockerfile", "driver.py", "common/bench_driver.py"} <= set(recipe.files)


@pytest.mark.parametrize("changed", ["Dockerfile", "driver.py", "more.txt"])
def test_a_changed_file_makes_another_image(tiny: TinyRecipe, changed: str) -> None:
    before = content_tag(tiny.read(), BASE_ID)
    path = tiny.folder / changed
    path.write_text((path.read_text() if path.exists() else "") + "\n# changed\n")
    assert content_tag(tiny.read(), BASE_ID) != before


@pytest.mark.parametrize(
    "entry",
    [
        {"commit": "b" * 40},
        {"args": {"GREETING": "good evening"}},
        {
            "weights": [
                {
                    "url": "https://example.org/w",
                    "sha256": "c" * 64,
                    "path": "/opt/w",
                    "licence": "MIT",
                }
            ]
        },
    ],
)
def test_a_changed_version_entry_makes_another_image(
    tiny: TinyRecipe, entry: dict[str, object]
) -> None:
    before = tiny.read().hash
    tiny.versions(**entry)
    assert tiny.read().hash != before


def test_documentation_and_unused_shared_parts_make_no_other_image(tiny: TinyRecipe) -> None:
    before = tiny.read()
    tiny.write("README.md", "Licences.")
    tiny.write("__init__.py", "")
    (tiny.folder / "__pycache__").mkdir()
    tiny.write("__pycache__/driver.cpython-311.pyc", "")
    tiny.versions(notes=["Slow on old machines."], size_bytes=10)
    assert tiny.read().hash == before.hash
    assert [name for name in before.files if name.startswith("common/")] == [
        "common/bench_driver.py"
    ]


def test_a_dockerfile_that_copies_the_shared_folder_gets_all_of_it(tiny: TinyRecipe) -> None:
    tiny.write("Dockerfile", DOCKERFILE.replace("common/bench_driver.py driver.py", "common/"))
    assert {"common/bench_driver.py", "common/fetch_weights.py"} <= set(tiny.read().files)


def test_another_base_makes_another_image(tiny: TinyRecipe) -> None:
    recipe = tiny.read()
    assert content_tag(recipe, BASE_ID) != content_tag(recipe, BASE_ID.replace("a", "b"))
    assert content_tag(recipe, BASE_ID).startswith(f"deid-bench/{tiny.tool.name}:1-")


def test_a_base_is_asked_for_by_name_or_by_reference(tiny: TinyRecipe) -> None:
    tiny.versions(bases={"old": "debian:9"})
    entry = tiny.read().entry
    assert entry.base_reference(None) == "deid-bench/base:bookworm"
    assert entry.base_reference("old") == "debian:9"
    assert entry.base_reference("debian:13") == "debian:13"


def test_only_declared_arguments_are_passed(tiny: TinyRecipe) -> None:
    assert set(tiny.read().arguments("x")) == {"BASE", "UPSTREAM", "COMMIT", "GREETING"}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"comit": "x"}, ["line 10", "'versions.1.comit'"]),
        ({"upstream": "github.com/x"}, ["line 4", "versions.1.upstream"]),
        (
            {"weights": [{"url": "https://x", "sha256": "12", "path": "/w", "licence": "MIT"}]},
            ["versions.1.weights.0.sha256"],
        ),
        ({"args": {"COLOUR": "red"}}, ["COLOUR", "does not declare"]),
    ],
)
def test_a_wrong_versions_file_is_refused_with_line_and_field(
    tiny: TinyRecipe, entry: dict[str, object], words: list[str]
) -> None:
    tiny.versions(**entry)
    with pytest.raises(UsageError) as refused:
        tiny.read()
    for word in [*words, "versions.yaml"]:
        assert word in str(refused.value)


def test_a_recipe_without_its_driver_is_refused(tiny: TinyRecipe) -> None:
    (tiny.folder / "driver.py").unlink()
    with pytest.raises(UsageError, match=r"lacks its driver\.py"):
        tiny.read()


def test_a_version_that_the_recipe_lacks_is_refused(tiny: TinyRecipe) -> None:
    tool = tiny.tool.model_copy(update={"versions": ("1", "2")})
    with pytest.raises(UsageError, match="says nothing about 2"):
        read_recipe(tool)
    with pytest.raises(UsageError, match=r"no version of tiny.* '3'"):
        read_recipe(tool, "3")


def test_a_tool_without_a_container_needs_no_image() -> None:
    with pytest.raises(UsageError, match="needs no image"):
        read_recipe(find_tool("blur"))
