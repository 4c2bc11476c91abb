"""Finding tools and resolving their settings."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from adapters.controls import REENCODE
from adapters.landmark_swap import LANDMARK_SWAP
from adapters.naive import BLUR
from harness.core.errors import UsageError
from harness.tools.registry import GROUP, find_tool, load_tools, read_registry, resolve_settings


def _entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=GROUP)


def test_all_embedded_tools_are_found() -> None:
    expected = {"noop", "reencode", "blackbox", "oracle", "blur", "pixelate", "mask"}
    assert expected | {"landmark-swap"} <= set(load_tools())


def test_a_misspelt_tool_brings_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="Did you mean 'blur'"):
        find_tool("blurr")


def test_a_broken_adapter_is_reported_and_the_others_still_work() -> None:
    registry = read_registry(
        [
            _entry("blur", "adapters.naive:BLUR"),
            _entry("gone", "no_such_package:TOOL"),
            _entry("odd", "adapters.naive:HOMEPAGE"),
        ]
    )
    assert list(registry.tools) == ["blur"]
    assert [bad.name for bad in registry.broken] == ["gone", "odd"]


def test_one_name_from_two_packages_is_an_error_that_names_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = _entry("blur", "other_package:BLUR")
    monkeypatch.setattr(EntryPoint, "load", lambda self: BLUR)
    with pytest.raises(UsageError, match=r"adapters\.naive:BLUR and other_package:BLUR"):
        read_registry([_entry("blur", "adapters.naive:BLUR"), other])


def test_overrides_win_over_the_config_which_wins_over_the_default() -> None:
    assert resolve_settings(REENCODE, "default", {}) == {"crf": 28}
    assert resolve_settings(REENCODE, "strong", {}) == {"crf": 40}
    assert resolve_settings(REENCODE, "strong", {"crf": "3"}) == {"crf": 3}
    assert resolve_settings(BLUR, "default", {"strength": "1"})["strength"] == 1.0
    assert resolve_settings(LANDMARK_SWAP, "default", {"keep_mouth": "no"})["keep_mouth"] is False


@pytest.mark.parametrize(
    ("config", "overrides", "message"),
    [
        ("defualt", {}, "Did you mean 'default'"),
        ("default", {"strenght": "1"}, "Did you mean 'strength'"),
        ("default", {"strength": "much"}, "must be a number, not 'much'"),
        ("default", {"strength": "2"}, "must lie between 0.005 and 1"),
        ("default", {"strength": "nan"}, "must lie between"),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(
    config: str, overrides: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        resolve_settings(BLUR, config, overrides)


def test_a_choice_names_what_may_be_chosen() -> None:
    with pytest.raises(UsageError, match="must be one of: seamless, feather"):
        resolve_settings(LANDMARK_SWAP, "default", {"blending": "magic"})
