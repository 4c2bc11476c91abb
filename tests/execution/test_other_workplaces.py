"""A study is worked off wherever a workplace sends its requests: they are all that is sent."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.core.errors import BenchError
from harness.datasets.sample import load_sample
from harness.execution.lanes import Choose, local_runtimes
from harness.execution.perform import perform
from harness.execution.pipeline import RunOptions, run_study
from harness.execution.requests import WorkContext
from harness.model.suite import Suite, SuiteProtocol, ToolEntry
from harness.planning.study import Study
from harness.tools.registry import load_tools

pytestmark = pytest.mark.clips


class ByPost:
    """Performs one request after the other; nothing but their bytes gets there or back."""

    count = 1

    def __init__(self, home: Path) -> None:
        self.context = WorkContext(home, local_runtimes(home, 1))
        self.performed: list[str] = []

    def run(self, choose: Choose) -> None:
        while task := choose(set()):
            request = pickle.loads(pickle.dumps(task.request))  # noqa: S301 - made here
            self.performed.append(type(request).__name__)
            try:
                answer = pickle.dumps(perform(request, self.context))
            except BenchError as error:
                task.failed(error)
            else:
                task.done(pickle.loads(answer))  # noqa: S301 - made here


def order_of(kinds: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(kinds))


def test_a_study_needs_nothing_of_a_workplace_but_that_it_performs_requests(
    sample_home: Path,
) -> None:
    suite = Suite(
        name="posted",
        tools=(ToolEntry(tool="noop"),),
        actors="3",
        protocol=SuiteProtocol(frames=2),
    )
    study = Study(suite, load_sample(sample_home), load_tools(), sample_home)
    post = ByPost(sample_home)
    outcome = run_study(study, RunOptions(workplace=post))
    assert outcome.whole
    assert len(outcome.scores) == len(outcome.cohorts) == 1
    kinds = ["PrepareActor", "MeasureVideo", "RunCell", "ScoreCell", "AttackCohort"]
    assert order_of(post.performed) == kinds
