"""Stores with cells that were never run, and synthetic scores from known numbers.

The noise is that of the research notes on regression statistics (10 actors, 4 donors, frames of
AR(1) with phi 0.98, a run-to-run sd of 0.01 per cell): actors differ by 0.04 and cells by 0.02, the
same on both sides; each run adds 0.01 of its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from typer.testing import CliRunner

from harness.core.host import Host
from harness.model.cell import Attempt, CellSpec, Resources, Status
from harness.model.dataset import MediaRef, PreparedActor, PreparedDonor, Sex, Split
from harness.model.job import Limits, Setting, Step, StepReport
from harness.model.quality import Quality
from harness.model.score import (
    Attributes,
    CellScore,
    Comparison,
    Distances,
    Identity,
    SwappedReading,
)
from harness.model.utility import Utility
from harness.results.compare.gather import Cell
from harness.statistics.values import Array
from harness.store.atomic import write_json
from harness.store.cells import CellStore
from tests.scores import aligned

ACTOR_SD, CELL_SD, RUN_SD = 0.04, 0.02, 0.01
ALIGNED = aligned(4)
SEEN = Distances(asked=1000, used=1000, several_faces=0, mean=0.3)


@dataclass(frozen=True)
class Viewed:
    """Values that a viewer sees besides identity and action units."""

    blinks: float = 0.8
    head_pose: float = 2.0
    landmarks: float = 0.05
    warping: float = 1.2
    flicker: float = 2.0
    background: float = 0.98

    def utility(self) -> Utility:
        kept = _bare(
            blinks=_bare(f1=self.blinks),
            head_pose=_bare(mean=self.head_pose),
            landmarks=_bare(mean=self.landmarks),
        )
        return cast(Utility, _bare(kept=kept))

    def quality(self) -> Quality:
        found = _bare(
            warping=_bare(detail_fair_ratio=self.warping),
            flicker=_bare(added=self.flicker),
            background=_bare(ssim=self.background),
        )
        return cast(Quality, found)


_bare = SimpleNamespace
"""In place of a model: thousands of them take longer to build than to judge. What is read and was
not given is an error."""


@dataclass(frozen=True)
class Numbers:
    """Numbers that a cell is to score."""

    sw_or: float | None = 0.72
    match_rate: float = 0.1
    pcc: float | None = 0.7
    rmse: float = 0.1
    faces: int = 1000
    viewed: Viewed | None = None


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def make_spec(
    tool: str = "blur",
    actor: int = 1,
    donor: str | None = None,
    *,
    version: str = "1",
    config: str = "default",
    settings: dict[str, Setting] | None = None,
    dataset: str = "sample",
    video: str = "",
    limits: Limits | None = None,
) -> CellSpec:
    sex = Sex.MALE if actor % 2 else Sex.FEMALE
    face = MediaRef(sha256=sha(f"face {actor}"), suffix=".png")
    person = PreparedActor(
        number=actor,
        sex=sex,
        split=Split.HELD_OUT,
        training=None,
        test=MediaRef(sha256=sha(video or f"test {actor}"), suffix=".mp4"),
        reference=face,
        reference_note="",
    )
    given = donor and PreparedDonor(
        name=donor, sex=sex, training=None, reference=face, reference_note=""
    )
    return CellSpec(
        tool=tool,
        version=version,
        config=config,
        settings=settings or {},
        dataset=dataset,
        split=Split.HELD_OUT,
        actor=person,
        donor=given or None,
        limits=limits or Limits(),
    )


def make_score(
    spec: CellSpec,
    numbers: Numbers,
    *,
    protocol: str = "thesis",
    inputs: dict[str, str] | None = None,
) -> CellScore:
    swapped = Distances(
        asked=1000,
        used=numbers.faces,
        several_faces=0,
        mean=numbers.sw_or,
        share_at_or_under_threshold=numbers.match_rate,
    )
    comparisons = {Comparison.ORIGINAL_ORIGINAL: SEEN, Comparison.SWAPPED_ORIGINAL: swapped}
    units = Attributes(
        source="mediapipe-blendshapes",
        scale="0 to 1",
        frames=1000,
        paired=1000,
        units=(),
        mean_pcc=numbers.pcc,
        mean_rmse=numbers.rmse,
        mean_ccc=numbers.pcc,
    )
    return CellScore(
        cell_id=spec.id,
        protocol=protocol,
        inputs={"scoring": "2"} if inputs is None else inputs,
        alignment=ALIGNED,
        identity=Identity(
            recogniser="r",
            threshold=0.6,
            comparisons=comparisons,
            swapped_reading=SwappedReading.NONE,
            seed=1,
            frames=1000,
        ),
        attributes=() if numbers.pcc is None else (units,),
    )


@cache
def swap_spec(actor: int, donor: int, version: str) -> CellSpec:
    return make_spec("faceswap", actor, f"donor{donor}", version=version)


class Study:
    """Two versions of one tool on the same actors and donors, with noise of a known size."""

    def __init__(self, seed: int, actors: int = 10, donors: int = 4) -> None:
        self.rng = np.random.default_rng(seed)
        self.shape = actors, donors
        own = self.rng.normal(0, ACTOR_SD, (actors, 1)) + self.rng.normal(0, CELL_SD, self.shape)
        self.own = own

    def side(
        self, version: str, shift: float = 0.0, run_sd: float = RUN_SD, *, viewed: bool = False
    ) -> list[Cell]:
        """One run of every cell; ``shift`` is added to the SW-OR distances alone. With ``viewed``
        there are behaviour and quality too, each with a noise of its own.
        """
        noise = self.rng.normal(0, run_sd, (4, *self.shape))
        sw_or = 0.70 + shift + self.own + noise[0]
        pcc = 0.70 + 2 * self.own + 2 * noise[1]
        rate, rmse = np.clip(0.2 + 2 * noise[2], 0, 1), 0.1 + 0.5 * noise[3]
        seen = run_sd * self.rng.normal(0, 1, (6, *self.shape)) if viewed else None
        looks = [None] * self.own.size if seen is None else _viewed(seen, self.own)
        columns = [column.ravel().tolist() for column in (sw_or, rate, pcc, rmse)]
        numbers = [
            Numbers(sw_or=a, match_rate=b, pcc=c, rmse=d, viewed=look)
            for a, b, c, d, look in zip(*columns, looks, strict=True)
        ]
        places = np.ndindex(self.shape)
        return [
            Cell(swap_spec(actor + 1, donor, version), quick_score(one))
            for (actor, donor), one in zip(places, numbers, strict=True)
        ]


def _viewed(noise: Array, own: Array) -> list[Viewed]:
    """For each cell; ``noise`` has six numbers of each."""
    scale = np.array([3.0, 20.0, 0.5, 4.0, 10.0, 0.3])
    middle = np.array([0.8, 2.0, 0.05, 1.2, 2.0, 0.98])
    values = middle + scale * np.moveaxis(noise + own, 0, -1)
    return [Viewed(*row) for row in values.reshape(-1, 6).tolist()]


def quick_score(numbers: Numbers) -> CellScore:
    """A score of thousands: unchecked, with what is compared and nothing else."""
    swapped = SEEN.model_copy(
        update={"mean": numbers.sw_or, "share_at_or_under_threshold": numbers.match_rate}
    )
    units = _bare(
        source="mediapipe-blendshapes",
        mean_pcc=numbers.pcc,
        mean_rmse=numbers.rmse,
        mean_ccc=numbers.pcc,
    )
    comparisons = {Comparison.ORIGINAL_ORIGINAL: SEEN, Comparison.SWAPPED_ORIGINAL: swapped}
    viewed = numbers.viewed
    score = _bare(
        identity=_bare(comparisons=comparisons, threshold=0.6),
        attributes=(units,),
        utility=viewed.utility() if viewed else None,
        quality=viewed.quality() if viewed else None,
    )
    return cast(CellScore, score)


class Home:
    """A store on the disk that is filled by hand."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = CellStore(home)

    def add(
        self,
        spec: CellSpec,
        numbers: Numbers | None = None,
        *,
        score: CellScore | None = None,
        cpu: str = "c",
        trained: bool = False,
        status: Status = Status.OK,
    ) -> CellSpec:
        """A finished cell, scored when ``numbers`` (or a ``score``) are given."""
        host = Host(
            system="L",
            machine="m",
            cpu=cpu,
            cores=2,
            memory_bytes=1,
            python="3",
            bench_version="0",
        )
        with self.store.lock(spec):
            opened = self.store.begin(spec)
            attempt = Attempt(
                cell_id=spec.id,
                number=opened.number,
                uuid=opened.uuid,
                started_at=opened.started_at,
                ended_at=opened.started_at,
                status=status,
                reason="done",
                exit_code=0,
                log_tail=(),
                resources=Resources(wall_s=1, cpu_s=1, peak_memory_bytes=1),
                host=host,
                steps=(StepReport(step=Step.TRAIN),) if trained else (),
            )
            if status is not Status.OK:
                self.store.finish(spec, attempt)
                return spec
            video = opened.folder / "swapped.mp4"
            video.write_bytes(spec.id.encode())
            self.store.publish(spec, attempt, video, attempt.steps)
        if numbers is not None:
            score = make_score(spec, numbers)
        if score is not None:
            write_json(self.home / "scores" / spec.id / f"{score.protocol}.json", score)
        return spec

    def __call__(self, *args: str, code: int = 0, columns: int = 160) -> Any:
        """``bench compare ARGS`` on this store; nothing may escape as a fault."""
        from harness.cli.main import app

        env = {"BENCH_HOME": str(self.home), "COLUMNS": str(columns)}
        done = CliRunner().invoke(app, ["compare", *args], env=env)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done
