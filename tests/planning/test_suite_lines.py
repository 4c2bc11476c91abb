"""Names in a suite that nothing here has are reported with the suite's line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.selection import Choice, study_from_suite
from harness.core.errors import UsageError

_SUITE = """\
name: mine
dataset: {dataset}
actors: "{actors}"
repeat: {{times: 2, actors: "{repeated}"}}
protocol: {{observers: [{observer}], recognisers: [{recogniser}]}}
tools:
  - tool: noop
  - tool: {tool}
    config: {config}
    set: {{strength: {strength}}}
also: [{also}]
"""

_RIGHT = {
    "dataset": "sample",
    "actors": "2,3",
    "repeated": "3",
    "observer": "openface",
    "recogniser": "dlib",
    "also": "quickstart",
    "tool": "blur",
    "config": "weak",
    "strength": "0.1",
}


@pytest.mark.clips
@pytest.mark.parametrize(
    ("wrong", "line", "field"),
    [
        ({"dataset": "smaple"}, 2, "dataset"),
        ({"actors": "99"}, 3, "actors"),
        ({"repeated": "9"}, 4, "repeat.actors"),
        ({"observer": "openfake"}, 5, "protocol.observers.0"),
        ({"tool": "blru"}, 8, "tools.1.tool"),
        ({"config": "weka"}, 9, "tools.1.config"),
        ({"strength": "99"}, 10, "tools.1.set"),
        ({"recogniser": "arcfac"}, 5, "protocol.recognisers"),
        ({"also": "nosuch"}, 11, "also"),
    ],
)
def test_a_wrong_name_or_value_is_told_with_its_line(
    sample_home: Path, tmp_path: Path, wrong: dict[str, str], line: int, field: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(_SUITE.format(**_RIGHT))
    assert len(study_from_suite(str(path), sample_home).plan()) == 6
    path.write_text(_SUITE.format(**{**_RIGHT, **wrong}))
    with pytest.raises(UsageError, match=rf"mine\.yaml, line {line}, field '{field}'"):
        study_from_suite(str(path), sample_home)


@pytest.mark.clips
def test_what_the_command_line_says_is_not_the_files_fault(
    sample_home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(_SUITE.format(**_RIGHT))
    with pytest.raises(UsageError, match="has no actor 99") as told:
        study_from_suite(str(path), sample_home, Choice(actor="99"))
    assert "line" not in told.value.message
