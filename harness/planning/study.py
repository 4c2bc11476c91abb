"""A suite with everything its names stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.model.dataset import Dataset
from harness.model.protocol import Protocol, protocol_of
from harness.model.suite import PlannedCell, Suite
from harness.model.tool import Tool
from harness.planning.plan import expand


@dataclass(frozen=True)
class Study:
    """Work to run and score, and its store."""

    suite: Suite
    dataset: Dataset
    tools: Mapping[str, Tool]
    home: Path

    @property
    def protocol(self) -> Protocol:
        """The scoring protocol of the suite."""
        said = self.suite.protocol
        protocol = protocol_of(said.frames, said.seed, said.identity)
        return protocol.model_copy(update={"recognisers": said.recognisers})

    def plan(self) -> tuple[PlannedCell, ...]:
        """All cells, not yet prepared. Raises UsageError for unknown names."""
        return expand(self.suite, self.dataset, self.tools)
