"""A small dataset of one's own, with real faces, and the `bench` command on a store of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from harness.cli.selection import Choice, study_from_suite
from harness.datasets.prepare import prepare_actor, prepare_donor
from harness.execution.resolve import spec_of
from harness.media.ffmpeg import run_ffmpeg
from harness.model.cell import CellSpec, Status
from harness.model.dataset import GalleryFace
from harness.model.job import Role
from harness.planning.current import record_asked, record_person
from harness.planning.plan import find_donor
from harness.store.media import MediaStore

from .conftest import Bench

FRAMES = 6


class Kitchen:
    """The manifest ``kitchen.yaml`` of two actors, to be changed between commands.

    Actor 5 is shown by ``five.mp4`` and the photo ``man.jpg``, actor 6 by ``six.mp4`` and
    ``woman.jpg``; ``other.mp4`` and ``third.jpg`` are there to change to.
    """

    def __init__(self, folder: Path, home: Path, sample_dir: Path) -> None:
        self.folder, self.home = folder, home
        film = sample_dir / "WolfgangLanger_Pexels.mp4"
        for name, start in (("five", "0.2"), ("six", "10"), ("other", "11")):
            options = ["-ss", start, "-i", str(film), "-frames:v", str(FRAMES)]
            run_ffmpeg([*options, "-vf", "scale=320:-2", "-an", str(folder / f"{name}.mp4")])
        group = sample_dir / "multi_face.jpg"
        for name, crop in (("man", "120:160:425:175"), ("woman", "165:175:495:285")):
            run_ffmpeg(["-i", str(group), "-vf", f"crop={crop}", str(folder / f"{name}.jpg")])
        run_ffmpeg(["-i", str(sample_dir / "single_face.jpg"), str(folder / "third.jpg")])
        self.people: dict[int, dict[str, Any]] = {
            5: _actor(5, "man.jpg", "five.mp4"),
            6: _actor(6, "woman.jpg", "six.mp4"),
        }
        self.manifest = folder / "kitchen.yaml"
        self.suite = folder / "meal.yaml"
        self.write()
        self.order({"tool": "noop"})

    def write(self, **changes: Any) -> None:
        """Write the manifest; ``photo`` and ``clip`` are other ones of actor 5, ``donor`` is
        Mia's photo."""
        if "photo" in changes:
            self.people[5]["photo"] = changes["photo"]
        if "clip" in changes:
            self.people[5]["clips"][0]["path"] = changes["clip"]
        donors = [{"name": "Mia", "sex": "female", "photo": changes.get("donor", "woman.jpg")}]
        donors += [{"name": "Joe", "sex": "male", "photo": "third.jpg"}]
        content = {"name": "kitchen", "actors": list(self.people.values()), "donors": donors}
        self.manifest.write_text(yaml.safe_dump(content), encoding="utf-8")

    def order(self, *tools: dict[str, Any], frames: int = 2) -> None:
        """Write the suite of these tools."""
        content = {
            "name": "meal",
            "dataset": str(self.manifest),
            "actors": "all",
            "tools": list(tools),
            "protocol": {"frames": frames},
        }
        self.suite.write_text(yaml.safe_dump(content), encoding="utf-8")

    def __call__(self, *args: str, code: int = 0) -> Any:
        """Run ``bench``; its exit code must be ``code``."""
        from harness.cli.main import app

        env = {"BENCH_HOME": str(self.home), "COLUMNS": "80"}
        done = CliRunner().invoke(app, list(args), env=env)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done

    def json(self, *args: str, code: int = 0) -> Any:
        """The output of a command with ``--json``."""
        return json.loads(self(*args, "--json", code=code).stdout)

    def run(self, *args: str) -> list[dict[str, Any]]:
        """Run the suite: the rows of its cells."""
        found: list[dict[str, Any]] = self.json("run", "--suite", str(self.suite), *args)
        return found

    def pretend(self, *, digest: str | None = None, actors: str = "all") -> list[CellSpec]:
        """The cells of the suite as `bench run` leaves them, but for their videos and scores,
        which nobody made; ``digest`` is the image that they say they ran in."""
        study = study_from_suite(str(self.suite), self.home, Choice(actor=actors))
        media = MediaStore(self.home)
        split = study.suite.split
        bench = Bench(self.home)
        people = {}
        plan = study.plan()
        gallery = any(Role.GALLERY in study.tools[cell.tool].needs for cell in plan)
        for one in study.dataset.actors:
            if not gallery and one.number not in {cell.actor for cell in plan}:
                continue
            people[one.number] = prepare_actor(study.dataset, one.number, split, media)
            record_person(self.home, study.dataset, one, split, people[one.number])
        faces = [
            GalleryFace(number=one.number, sex=one.sex, reference=one.reference)
            for one in people.values()
        ]
        specs = []
        for cell in plan:
            donor = None
            if cell.donor is not None:
                person = find_donor(study.dataset, cell.donor)
                donor = prepare_donor(person, media)
                record_person(self.home, study.dataset, person, None, donor)
            shown = tuple(faces) if Role.GALLERY in study.tools[cell.tool].needs else ()
            specs.append(spec_of(study, cell, people[cell.actor], donor, digest, shown))
        record_asked(self.home, study.suite.name, specs)
        for spec in specs:
            if bench.store.result(spec) is None:
                bench.attempt(spec, Status.OK)
                bench.score(spec, study.protocol.name)
        return specs

    def cells(self, *args: str) -> set[str]:
        """The ids that `bench status` lists."""
        return {row["id"] for row in self.json("status", *args)}


def _actor(number: int, photo: str, clip: str) -> dict[str, Any]:
    return {
        "number": number,
        "sex": "male" if number % 2 else "female",
        "photo": photo,
        "clips": [{"path": clip, "part": "test"}],
    }
