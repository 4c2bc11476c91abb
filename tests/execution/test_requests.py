"""Requests are plain data that any process can be sent; what they need is made before them."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.controls import NOOP
from adapters.dfaker import DFAKER
from harness.core.errors import StoreError, UnfitMachineError, UsageError
from harness.execution.lanes import Lanes, Task
from harness.execution.outcomes import CellOutcome
from harness.execution.perform import perform
from harness.execution.requests import (
    AttackCohort,
    MeasureVideo,
    ObserveVideo,
    OutsideObserver,
    PrepareActor,
    PrepareDonor,
    Request,
    RunCell,
    ScorableCell,
    ScoreCell,
    TrainModel,
    WorkContext,
    product_folder,
)
from harness.execution.run_queue import RunQueue
from harness.model.cell import CellSpec, Status
from harness.model.dataset import (
    Actor,
    Clip,
    Dataset,
    Donor,
    MediaRef,
    Part,
    PreparedActor,
    Sex,
    Split,
)
from harness.model.identity import IdentityPath
from harness.model.job import Limits, Role
from harness.model.measurement import MeasurementRequest
from harness.model.protocol import protocol_of
from harness.model.score import CellScore, Comparison, Distances, Identity, SwappedReading
from harness.model.video import PhotoRef, VideoRef
from tests.scores import aligned

VIDEO, FACE = (
    MediaRef(sha256=digit * 64, suffix=suffix) for digit, suffix in (("1", ".mp4"), ("2", ".png"))
)
CLIP = Clip(path=Path("/material/three.mp4"), part=Part.TEST)
DATASET = Dataset(
    name="mine",
    actors=(Actor(number=3, sex=Sex.MALE, clips=(CLIP,)),),
    donors=(Donor(name="joe", sex=Sex.MALE, clips=(CLIP,)),),
)
MEASUREMENT = MeasurementRequest(
    label="actor 3",
    video=VideoRef(CLIP.path, VIDEO.sha256),
    identity=IdentityPath.FAST,
    frames=(1, 2),
    photo=PhotoRef(Path("/material/three.png"), FACE.sha256),
)
PROTOCOL = protocol_of(24)
MODEL = TrainModel(
    tool=DFAKER,
    tool_version="df",
    image_digest="sha256:a",
    settings={"iterations": 100},
    inputs={Role.ACTOR_TRAINING: VIDEO},
)


def cell(seed: int = 0) -> CellSpec:
    actor = PreparedActor(
        number=3,
        sex=Sex.MALE,
        split=Split.HELD_OUT,
        training=VIDEO,
        test=VIDEO,
        reference=FACE,
        reference_note="",
    )
    return CellSpec(
        tool="noop",
        version="1",
        config="default",
        settings={},
        dataset="mine",
        split=Split.HELD_OUT,
        actor=actor,
        seed=seed,
    )


SCORE = CellScore(
    cell_id=cell().id,
    protocol=PROTOCOL.name,
    inputs={},
    alignment=aligned(24),
    identity=Identity(
        recogniser="r",
        threshold=0.6,
        comparisons=dict.fromkeys(Comparison, Distances(asked=24, used=24, several_faces=0)),
        swapped_reading=SwappedReading.SWAPPED_FRAME,
        seed=1,
        frames=24,
    ),
    attributes=(),
)
EVERY_KIND: tuple[Request, ...] = (
    PrepareActor(dataset=DATASET, number=3, split=Split.HELD_OUT),
    PrepareDonor(dataset=DATASET, name="joe"),
    MODEL,
    RunCell(spec=cell(), tool=NOOP, needs=(MODEL.product,), wait=True, known=2),
    MeasureVideo(measurement=MEASUREMENT),
    ObserveVideo(
        measurement=MEASUREMENT,
        observer=OutsideObserver(tool=NOOP, image_digest="sha256:b"),
    ),
    ScoreCell(
        cell=ScorableCell(
            spec=cell(),
            protocol=PROTOCOL,
            original=VideoRef(CLIP.path, VIDEO.sha256),
            swapped=VideoRef(Path("/store/swapped.mp4"), "3" * 64),
            versions={"scoring": "1"},
        )
    ),
    AttackCohort(specs=(cell(),), scores=(SCORE,), key="k", protocol=PROTOCOL),
)
each_kind = pytest.mark.parametrize("request_", EVERY_KIND, ids=lambda one: type(one).__name__)


def kinds_of_the_package() -> Iterator[type[Request]]:
    for kind in Request.__subclasses__():
        if kind.__module__.startswith("harness."):
            yield kind


def test_every_kind_of_request_is_tested_here() -> None:
    assert set(kinds_of_the_package()) == {type(one) for one in EVERY_KIND}


@each_kind
def test_a_request_comes_out_of_another_process_as_it_went_in(request_: Request) -> None:
    again = pickle.loads(pickle.dumps(request_))  # noqa: S301 - made here
    assert again == request_
    assert type(again) is type(request_)


@each_kind
def test_a_request_holds_nothing_that_json_cannot_spell(request_: Request) -> None:
    # A closure, a lock or an open store would have no spelling.
    assert type(request_).model_validate_json(request_.model_dump_json()) == request_


@each_kind
def test_a_version_that_is_not_known_is_refused_in_a_sentence(
    request_: Request, tmp_path: Path
) -> None:
    newer = request_.model_copy(update={"version": request_.version + 1})
    words = rf"Version 2 of the request {type(newer).__name__} is not known .* version 1\."
    with pytest.raises(UnfitMachineError, match=words):
        perform(newer, WorkContext(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_worker_process_refuses_an_unknown_version_too(tmp_path: Path) -> None:
    tasks = [Task(EVERY_KIND[0].model_copy(update={"version": 7}), lambda _: None)]
    lanes = Lanes(1, WorkContext(tmp_path))
    with lanes, pytest.raises(UnfitMachineError, match="Version 7 of the request PrepareActor"):
        lanes.run(lambda taken: tasks.pop() if tasks else None)


def test_a_model_is_named_by_all_that_can_change_it_and_by_nothing_else() -> None:
    other = VIDEO.model_copy(update={"sha256": "3" * 64})
    changes: list[dict[str, object]] = [
        {"tool": NOOP},
        {"tool_version": "other"},
        {"image_digest": "sha256:b"},
        {"settings": {"iterations": 101}},
        {"inputs": {Role.ACTOR_TRAINING: other}},
        {"inputs": {Role.DONOR_TRAINING: VIDEO}},
        {"limits": Limits(wall_s=1.0)},
        {"seed": 1},
        {"needs": ("f" * 64,)},
    ]
    products = [MODEL.model_copy(update=change).product for change in changes]
    assert len({MODEL.product, *products}) == 1 + len(changes)
    in_other_words = {
        "tool": DFAKER.model_copy(update={"summary": "the same tool in other words"}),
        "inputs": {Role.ACTOR_TRAINING: VIDEO.model_copy(update={"suffix": ".mkv"})},
    }
    assert MODEL.model_copy(update=in_other_words).product == MODEL.product
    assert len(MODEL.product) == 64


def test_a_tool_that_cannot_train_apart_from_its_cells_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="dfaker cannot train a model that several cells share"):
        perform(MODEL, WorkContext(tmp_path))


class StandIn:
    """Performs training and cells without any tool, and notes the order of what it began."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, request: Request, context: WorkContext) -> CellOutcome | None:
        if isinstance(request, TrainModel):
            with self._lock:
                self.begun.append("model")
            # Cells that did not wait would begin meanwhile.
            context.stop.wait(0.3)
            product_folder(context.home, request.product).mkdir(parents=True)
            return None
        assert isinstance(request, RunCell)
        there = all(product_folder(context.home, need).is_dir() for need in request.needs)
        with self._lock:
            kind = "sharing" if request.needs else "alone"
            self.begun.append(kind if there else f"{kind} without its model")
        return CellOutcome(cell_id=request.spec.id, status=Status.OK)


def run(requests: list[RunCell | TrainModel], home: Path) -> list[str]:
    """The order in which three lanes begin the requests."""
    performer = StandIn()
    with Lanes(3, WorkContext(home), performer=performer) as lanes:
        queue = RunQueue(requests, lanes.context)
        lanes.run(queue.next)
    assert len(queue.outcomes) == sum(isinstance(one, RunCell) for one in requests)
    return performer.begun


def sharing(seed: int) -> RunCell:
    return RunCell(spec=cell(seed), tool=NOOP, needs=(MODEL.product,))


def test_cells_begin_when_the_model_they_share_is_there_and_others_do_not_wait(
    tmp_path: Path,
) -> None:
    alone = RunCell(spec=cell(9), tool=NOOP)
    begun = run([sharing(1), MODEL, sharing(2), MODEL, alone], tmp_path)
    assert sorted(begun[:2]) == ["alone", "model"]
    assert begun[2:] == ["sharing", "sharing"]


def test_a_model_that_is_stored_is_not_trained_again(tmp_path: Path) -> None:
    product_folder(tmp_path, MODEL.product).mkdir(parents=True)
    assert run([MODEL, sharing(1)], tmp_path) == ["sharing"]
    assert run([sharing(2)], tmp_path) == ["sharing"]


def test_a_model_that_nothing_trains_is_missed_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"needs the model {MODEL.product[:12]}"):
        run([RunCell(spec=cell(), tool=NOOP), sharing(1)], tmp_path)


def test_a_model_that_its_training_did_not_leave_lets_no_cell_begin(tmp_path: Path) -> None:
    begun: list[str] = []

    def forgets(request: Request, context: WorkContext) -> None:
        begun.append(type(request).__name__)

    with Lanes(1, WorkContext(tmp_path), performer=forgets) as lanes:
        queue = RunQueue([MODEL, sharing(1)], lanes.context)
        with pytest.raises(StoreError, match="is not in the store"):
            lanes.run(queue.next)
    assert begun == ["TrainModel"]
