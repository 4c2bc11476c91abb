"""Performs requests: the one place that knows what each kind asks for."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any

from harness.core.errors import BenchError, StoreError, UnfitMachineError, UsageError
from harness.execution.requests import (
    AttackCohort,
    MeasureVideo,
    ObserveVideo,
    PrepareActor,
    PrepareDonor,
    Request,
    RunCell,
    ScoreCell,
    TrainModel,
    WorkContext,
)
from harness.store.media import MediaStore

if TYPE_CHECKING:
    from harness.execution.outcomes import CellOutcome
    from harness.model.cohort import CohortScore
    from harness.model.dataset import PreparedActor, PreparedDonor
    from harness.model.score import CellScore
    from harness.observe.outside_observers import ObserverOutcome


def perform(request: Request, context: WorkContext) -> Any:
    """Do what ``request`` asks for, here and now, and return what its kind promises.

    Raises UnfitMachineError for a version that this release does not know, StoppedError when
    ``context.stop`` ended the work, and as what is asked for does.
    """
    kind, known = type(request), type(request).known_version()
    if request.version != known:
        raise UnfitMachineError(
            f"Version {request.version} of the request {kind.__name__} is not known here; this "
            f"deid-bench performs version {known}.",
            hint="Install the same deid-bench wherever a study's work is done.",
        )
    return _perform(request, context)


@singledispatch
def _perform(request: Request, context: WorkContext) -> Any:
    raise UnfitMachineError(
        f"The request {type(request).__name__} is not known here.",
        hint="Install the same deid-bench wherever a study's work is done.",
    )


@_perform.register(PrepareActor)
def _prepare_actor(request: PrepareActor, context: WorkContext) -> PreparedActor:
    from harness.datasets.prepare import find_actor, prepare_actor
    from harness.planning.current import record_person

    dataset, number, split = request.dataset, request.number, request.split
    prepared = prepare_actor(dataset, number, split, MediaStore(context.home))
    record_person(context.home, dataset, find_actor(dataset, number), split, prepared)
    return prepared


@_perform.register(PrepareDonor)
def _prepare_donor(request: PrepareDonor, context: WorkContext) -> PreparedDonor:
    from harness.datasets.prepare import prepare_donor
    from harness.planning.current import record_person
    from harness.planning.plan import find_donor

    donor = find_donor(request.dataset, request.name)
    prepared = prepare_donor(donor, MediaStore(context.home))
    record_person(context.home, request.dataset, donor, None, prepared)
    return prepared


@_perform.register(TrainModel)
def _train_model(request: TrainModel, context: WorkContext) -> None:
    raise UsageError(
        f"{request.tool.name} cannot train a model that several cells share.",
        hint="Run its cells: each trains a model of its own.",
    )


@_perform.register(RunCell)
def _run_cell(request: RunCell, context: WorkContext) -> CellOutcome:
    from harness.execution.cell import run_cell

    return run_cell(request, context)


@_perform.register(MeasureVideo)
def _measure_video(request: MeasureVideo, context: WorkContext) -> None:
    """A video that cannot be measured is reported by the scores that need it."""
    from harness.observe.measure import measure

    try:
        measure(request.measurement, context.home, context.listen)
    except StoreError:
        raise
    except BenchError:
        return


@_perform.register(ObserveVideo)
def _observe_video(request: ObserveVideo, context: WorkContext) -> ObserverOutcome:
    from harness.observe.measure import measured_video
    from harness.observe.outside_observers import ObserverPlace, run_observer
    from harness.tools.runtime.base import Control

    observer = request.observer
    place = ObserverPlace(
        context.home,
        context.select_runtime(observer.tool),
        observer.image_digest,
        control=Control(stop=context.stop),
    )
    return run_observer(observer.tool, measured_video(request.measurement, context.home), place)


@_perform.register(ScoreCell)
def _score_cell(request: ScoreCell, context: WorkContext) -> CellScore:
    from harness.execution.score_cells import score_cell

    return score_cell(request.cell, context.home, context.listen)


@_perform.register(AttackCohort)
def _attack_cohort(request: AttackCohort, context: WorkContext) -> CohortScore:
    from harness.execution.cohorts import score_cohort
    from harness.scoring.cohort.compute import Cohort

    cohort = Cohort(request.specs, request.scores, request.key)
    return score_cohort(cohort, context.home, request.protocol, context.listen)
