"""Chooses the cells to run next, when several are at once, and holds those that must wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from harness.core.errors import StoreError, UsageError
from harness.execution.lanes import Task
from harness.execution.outcomes import CellOutcome
from harness.execution.requests import (
    Request,
    RunCell,
    TrainModel,
    WorkContext,
    ignore,
    product_folder,
)
from harness.model.cell import CellSpec
from harness.model.job import Event
from harness.model.tool import Tool
from harness.store.cells import CellStore

Finished = Callable[[CellSpec, CellOutcome], None]
Heard = Callable[[CellSpec, Event], None]


def cell_requests(
    specs: Sequence[CellSpec], tools: Mapping[str, Tool], home: Path
) -> list[RunCell]:
    """A request for each different cell, which knows the attempts that are there already."""
    store = CellStore(home)
    return [
        RunCell(spec=spec, tool=tools[spec.tool], known=_last_number(store, spec))
        for spec in {spec.id: spec for spec in specs}.values()
    ]


def _last_number(store: CellStore, spec: CellSpec) -> int:
    """The number of the cell's last finished attempt; 0 without any."""
    return max((attempt.number for attempt in store.attempts(spec)), default=0)


class RunQueue:
    """The cells to run, and the models they share. A cell that another process runs is passed over,
    and waited for last; a request whose products are not there yet waits for them.
    """

    def __init__(
        self,
        requests: Sequence[RunCell | TrainModel],
        context: WorkContext,
        *,
        finished: Finished = ignore,
        heard: Heard = ignore,
    ) -> None:
        """``finished`` is called for each cell as it ends, ``heard`` (in any thread) for what its
        tool reports. Raises UsageError for a product that is neither stored nor made by a request.
        """
        self._context = context
        self._finished = finished
        self._heard = heard
        self._missing = {
            product
            for request in requests
            for product in _touched(request)
            if not product_folder(context.home, product).is_dir()
        }
        self._pending = list(
            {_key(request): request for request in requests if not self._is_made(request)}.values()
        )
        self._held: list[RunCell | TrainModel] = []
        self.outcomes: dict[str, CellOutcome] = {}
        self._refuse_unmade()

    def next(self, taken: Set[str]) -> Task | None:
        """The next request that nobody is known to be at, that lacks no product, and whose device
        is not ``taken``.
        """
        return self._pick(self._pending, taken)

    def next_held(self, taken: Set[str]) -> Task | None:
        """The next cell that another process runs: this one waits, and takes over its result."""
        return self._pick(self._held, taken)

    def _pick(self, queue: list[RunCell | TrainModel], taken: Set[str]) -> Task | None:
        for place, request in enumerate(queue):
            device = self._context.device(request.tool)
            if device not in taken and self._missing.isdisjoint(request.needs):
                del queue[place]
                return self._task(request, device)
        return None

    def _task(self, request: RunCell | TrainModel, device: str | None) -> Task:
        if isinstance(request, TrainModel):
            return Task(request, lambda _: self._trained(request), device=device)

        def done(outcome: CellOutcome) -> None:
            if outcome.busy:
                self._held.append(request.model_copy(update={"wait": True}))
            else:
                self.outcomes[request.spec.id] = outcome
                self._finished(request.spec, outcome)

        def listen(event: Any) -> None:
            self._heard(request.spec, event)

        return Task(request, done, listen=listen, device=device)

    def _trained(self, request: TrainModel) -> None:
        """Let go what waits for the model. Raises StoreError when the store does not hold it."""
        if not product_folder(self._context.home, request.product).is_dir():
            raise StoreError(
                f"{request.tool.name} was trained, but its model {request.product[:12]} is not in "
                "the store.",
                hint="Run the same command again: it trains what is missing.",
            )
        self._missing.discard(request.product)

    def _is_made(self, request: Request) -> bool:
        return isinstance(request, TrainModel) and request.product not in self._missing

    def _refuse_unmade(self) -> None:
        """Raise UsageError when a request waits for a product that never comes."""
        coming = {request.product for request in self._pending if isinstance(request, TrainModel)}
        for request in self._pending:
            unmade = self._missing.intersection(request.needs) - coming
            if unmade:
                who = request.spec.slug if isinstance(request, RunCell) else request.tool.name
                raise UsageError(
                    f"{who} needs the model {min(unmade)[:12]}, which the store does not hold and "
                    "nothing here trains.",
                    hint="Train it first, in this study or in another.",
                )


def _key(request: RunCell | TrainModel) -> str:
    return request.product if isinstance(request, TrainModel) else request.spec.id


def _touched(request: RunCell | TrainModel) -> tuple[str, ...]:
    products = (request.product,) if isinstance(request, TrainModel) else ()
    return *request.needs, *products
