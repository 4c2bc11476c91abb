"""Checks a tool's patterns on its log: progress read where there is some, failures only there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.model.cell import Status
from harness.model.tool import LogPattern, Tool
from harness.tools.runtime.container_log import line_events
from harness.tools.runtime.ending import explain

_NO_FAILURE = {Status.OK, Status.CANCELLED}


def progress_faults(tool: Tool) -> Iterator[str]:
    """Progress patterns that do not read their own example."""
    for pattern in tool.progress:
        where = f"The progress pattern of {pattern.step} for {pattern.example[:50]!r}"
        if pattern.step not in tool.steps:
            yield f"{where} is of a step that the tool does not have."
        if not pattern.unit.strip():
            yield f"{where} names no unit."
        yield from (f"{where} {fault}" for fault in _pattern_faults(pattern))


def _pattern_faults(progress: LogPattern) -> Iterator[str]:
    pattern = re.compile(progress.pattern)
    groups = set(pattern.groupindex)
    strange = [name for name in groups if name not in {"done", "total"} and name[:5] != "loss_"]
    if strange:
        yield f"has the group {', '.join(sorted(strange))}; known are done, total and loss_NAME."
    if "done" not in groups and not any(name.startswith("loss_") for name in groups):
        yield "has neither a group `done` nor a group `loss_NAME`, so it reports nothing."
    if pattern.search(""):
        yield "matches an empty line."
    match = pattern.search(progress.example)
    if match is None:
        yield "does not match its own example."
        return
    events = line_events(match, progress.unit, None)
    said = sum((event.done is not None) + len(event.values) for event in events)
    matched = [
        name for name, text in match.groupdict().items() if text is not None and name != "total"
    ]
    if said < len(matched):
        yield "takes something from its example that is no finite number."
    for event in events:
        if event.done is not None and event.total is not None and event.done > event.total:
            yield f"reads {event.done:g} of {event.total:g} in its example: more than all."


def failure_faults(tool: Tool) -> Iterator[str]:
    """Known failures that are not recognised, or recognised where there is none."""
    for failure in tool.failures:
        where = f"The known failure {failure.example[:60]!r}"
        if failure.status in _NO_FAILURE:
            yield f"{where} ends as '{failure.status}', which is no failure."
        if not failure.reason.strip():
            yield f"{where} has no reason: a sentence for the user, with what to do next."
        if not failure.source.strip():
            yield f"{where} does not say where its text is known from."
        if re.search(failure.pattern, failure.example, re.MULTILINE) is None:
            yield f"{where} is not matched by its own pattern."
            continue
        verdict = explain((Status.TOOL_ERROR, ""), tool.failures, failure.example)
        if verdict != (failure.status, failure.reason):
            yield f"{where} is taken for an earlier one in the list: {verdict[1][:80]}"
    for failure in tool.failures:
        for line in tool.progress:
            if re.search(failure.pattern, line.example, re.MULTILINE):
                which = f"The failure pattern {failure.pattern!r}"
                yield f"{which} matches ordinary progress: {line.example!r}"
