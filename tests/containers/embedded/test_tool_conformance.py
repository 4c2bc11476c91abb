"""Duties of every registered embedded tool, whoever wrote it, besides what `bench tools check`
asks of it (tests/tools/conformance)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.media.probe import probe
from harness.model.job import Event, ExitCode, Role
from harness.model.tool import ChildProcess, Tool
from harness.tools.registry import load_tools, resolve_settings
from tests.containers.embedded.conftest import each

if TYPE_CHECKING:
    from tests.containers.embedded.conftest import Ran

TOOLS = [tool for tool in load_tools().values() if isinstance(tool.runs_as, ChildProcess)]


every_tool = each(TOOLS)
face_tools = each([tool for tool in TOOLS if Role.FACE_LANDMARKER in tool.needs])
pytestmark = pytest.mark.clips


@every_tool
def test_the_output_has_the_count_size_and_rate_of_the_input(
    tool: Tool, ran: Ran, clips: Path
) -> None:
    ended = ran(tool, "woman.mp4")
    assert ended.code == ExitCode.DONE, ended.errors
    before, after = probe(clips / "woman.mp4"), probe(ended.swapped)
    assert (after.frames, after.width, after.height) == (12, before.width, before.height)
    assert after.fps == before.fps
    assert ended.report.frames == 12


@every_tool
def test_progress_ends_at_its_total(tool: Tool, ran: Ran) -> None:
    ended = ran(tool, "woman.mp4")
    lines = [line[7:] for line in ended.log.splitlines() if line.startswith("@bench ")]
    progress = [
        event for event in map(Event.model_validate_json, lines) if event.kind == "progress"
    ]
    assert progress[-1].done == progress[-1].total


@face_tools
def test_a_clip_without_a_face_passes_with_all_its_frames_counted(tool: Tool, ran: Ran) -> None:
    ended = ran(tool, "empty.mp4")
    assert ended.code == ExitCode.DONE, ended.errors
    assert probe(ended.swapped).frames == 6
    assert ended.report.frames_without_face == 6


@face_tools
def test_frames_with_several_faces_are_counted(tool: Tool, ran: Ran) -> None:
    ended = ran(tool, "crowd.mp4")
    assert ended.code == ExitCode.DONE, ended.errors
    assert ended.report.frames_with_several_faces == 4


@every_tool
def test_a_truncated_video_is_an_unusable_input_in_one_sentence(tool: Tool, ran: Ran) -> None:
    ended = ran(tool, "truncated.mp4")
    assert ended.code == ExitCode.INPUT_UNUSABLE
    assert "Traceback" not in ended.errors
    assert not ended.swapped.exists()


@every_tool
def test_every_config_resolves_within_its_bounds(tool: Tool) -> None:
    for config in tool.configs:
        resolve_settings(tool, config.name, {})
    assert tool.configs[0].name == "default"
    assert all(setting.help for setting in tool.settings)
    assert bool(tool.expected) == tool.control
