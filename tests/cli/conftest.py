"""Stores with cells that were never run: what a command reads is the files, not how they came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.core.hashing import canonical_json
from harness.core.host import Host
from harness.model.cell import Attempt, CellSpec, Resources, Status
from harness.model.dataset import MediaRef, PreparedActor, PreparedDonor, Sex, Split
from harness.model.job import Limits, Setting
from harness.model.score import (
    CellScore,
    Comparison,
    Distances,
    Identity,
    SwappedReading,
)
from harness.store.atomic import write_bytes, write_json
from harness.store.cells import SPEC_FILE, CellStore
from harness.store.schema import mark_store
from tests.scores import aligned

MEDIA = MediaRef(sha256="0" * 64, suffix=".mp4")
HOST = Host(
    system="Linux 9.9.9-kernel",
    machine="m",
    cpu="c",
    cores=2,
    memory_bytes=1,
    python="3",
    bench_version="0",
)


class Bench:
    """The `bench` command in this process, on a store of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = CellStore(home)

    def __call__(self, *args: str, code: int = 0) -> Any:
        """Run a command; its exit code must be ``code``, and nothing may escape as a fault."""
        from harness.cli.main import app

        done = CliRunner().invoke(app, list(args), env={"BENCH_HOME": str(self.home)})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done

    def add(
        self,
        tool: str = "blur",
        actor: int = 3,
        *,
        status: Status | None = Status.OK,
        dataset: str = "sample",
        split: Split = Split.HELD_OUT,
        donor: str | None = None,
        wall_s: float = 3600,
        version: str = "1",
        settings: dict[str, Setting] | None = None,
    ) -> CellSpec:
        """A cell with one attempt that ended as ``status``; without any when that is None."""
        spec = make_spec(tool, actor, dataset, split, donor)
        spec = spec.model_copy(update={"version": version, "limits": Limits(wall_s=wall_s)})
        spec = spec.model_copy(update={"settings": settings or {}})
        if status is None:
            mark_store(self.home)
            path = self.store.folder(spec) / SPEC_FILE
            write_bytes(path, canonical_json(spec.model_dump(mode="json")))
        else:
            self.attempt(spec, status)
        return spec

    def attempt(self, spec: CellSpec, status: Status, *logs: tuple[str, str]) -> None:
        """One more attempt; ``logs`` are (step's folder, text)."""
        with self.store.lock(spec):
            opened = self.store.begin(spec)
            for step, text in logs:
                (opened.folder / step).mkdir()
                (opened.folder / step / "log.txt").write_text(text)
            attempt = Attempt(
                cell_id=spec.id,
                number=opened.number,
                uuid=opened.uuid,
                started_at=opened.started_at,
                ended_at=opened.started_at,
                status=status,
                reason="done" if status is Status.OK else "The tool broke.",
                exit_code=0,
                log_tail=(),
                resources=Resources(wall_s=1.5, cpu_s=2.5, peak_memory_bytes=7),
                host=HOST,
            )
            if status is Status.OK:
                video = opened.folder / "swapped.mp4"
                video.write_bytes(b"12345")
                self.store.publish(spec, attempt, video, ())
            else:
                self.store.finish(spec, attempt)

    def score(self, spec: CellSpec, protocol: str) -> None:
        """A stored score with a mean SW-OR distance of 0.75."""
        frames = Distances(asked=4, used=3, several_faces=0, mean=0.75)
        score = CellScore(
            cell_id=spec.id,
            protocol=protocol,
            inputs={},
            alignment=aligned(4),
            identity=Identity(
                recogniser="r",
                threshold=0.6,
                comparisons=dict.fromkeys(Comparison, frames),
                swapped_reading=SwappedReading.SWAPPED_FRAME,
                seed=1,
                frames=4,
            ),
            attributes=(),
        )
        write_json(self.home / "scores" / spec.id / f"{protocol}.json", score)


def make_spec(
    tool: str, actor: int, dataset: str, split: Split, donor: str | None = None
) -> CellSpec:
    sex = Sex.MALE if actor % 2 else Sex.FEMALE
    person = PreparedActor(
        number=actor,
        sex=sex,
        split=split,
        training=None,
        test=MEDIA,
        reference=MEDIA,
        reference_note="",
    )
    given = donor and PreparedDonor(
        name=donor, sex=sex, training=None, reference=MEDIA, reference_note=""
    )
    return CellSpec(
        tool=tool,
        version="1",
        config="default",
        settings={},
        dataset=dataset,
        split=split,
        actor=person,
        donor=given or None,
    )


@pytest.fixture(params=["home", "hôme 'x'\nand [y] \"z\""], ids=["plain", "odd"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """A store whose folder has a plain name, then one with every odd sign."""
    return Bench(tmp_path / str(request.param))
