"""The suites that ship, planned on a folder in RAVDESS's layout; cells that two name are one."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

from harness.cli.selection import Choice, study_from_suite
from harness.core.errors import UsageError
from harness.execution.resolve import spec_of
from harness.model.dataset import MediaRef, PreparedActor, PreparedDonor
from harness.planning.plan import find_donor
from harness.planning.study import Study
from harness.planning.suites import load_suite


@pytest.fixture
def ravdess(tmp_path: Path) -> Path:
    """All 24 actors with a training and a test take each, and two donors; the files are empty,
    since a plan opens none."""
    root = tmp_path / "ravdess"
    for actor in range(1, 25):
        folder = root / f"Actor_{actor:02d}"
        folder.mkdir(parents=True)
        for take in ("02-01-01-01-01-01", "02-01-03-01-02-02"):
            (folder / f"{take}-{actor:02d}.mp4").touch()
    for name in ("giorgio", "giulia"):
        (root / f"{name}.mp4").touch()
    (root / "donors.yaml").write_text(
        "donors:\n"
        "  - {name: Giorgio, sex: male, clips: [{path: giorgio.mp4}]}\n"
        "  - {name: Giulia, sex: female, clips: [{path: giulia.mp4}]}\n"
    )
    return root


def study(suite: str, ravdess: Path, home: Path) -> Study:
    return study_from_suite(suite, home, Choice(dataset=str(ravdess)))


def ids(made: Study) -> dict[str, tuple[str, int, str | None, int]]:
    """Id to (tool, actor, donor, seed), with people whose media are named by who they are."""
    found = {}
    for cell in made.plan():
        (actor,) = [one for one in made.dataset.actors if one.number == cell.actor]
        prepared = PreparedActor(
            number=actor.number,
            sex=actor.sex,
            split=made.suite.split,
            training=ref(f"{actor.number} {made.suite.split}"),
            test=ref(f"{actor.number} test"),
            reference=ref(f"{actor.number} face"),
            reference_note="",
        )
        donor = None
        if cell.donor is not None:
            person = find_donor(made.dataset, cell.donor)
            donor = PreparedDonor(
                name=person.name,
                sex=person.sex,
                training=ref(person.name),
                reference=ref(f"{person.name} face"),
                reference_note="",
            )
        spec = spec_of(made, cell, prepared, donor, f"sha256:{cell.tool}")
        assert spec.id not in found
        found[spec.id] = (cell.tool, cell.actor, cell.donor, cell.seed)
    return found


def ref(name: str) -> MediaRef:
    return MediaRef(sha256=hashlib.sha256(name.encode()).hexdigest(), suffix=".mp4")


def test_the_sex_switch_shares_its_same_sex_cells_with_the_thesis(
    ravdess: Path, tmp_path: Path
) -> None:
    thesis = ids(study("thesis", ravdess, tmp_path / "home"))
    switch = ids(study("sex-switch", ravdess, tmp_path / "home"))
    assert (len(thesis), len(switch)) == (4 * 24, 4 * 10 * 2)
    shared = thesis.keys() & switch.keys()
    assert len(shared) == 40
    for tool, actor, donor, _ in (switch[one] for one in switch.keys() - shared):
        assert donor == ("Giulia" if actor % 2 else "Giorgio")
        assert tool in {"dfaker", "deepfacelab", "faceswap", "faceswap-gan"}


def test_the_thesis_gives_each_actor_the_donor_of_the_same_sex(
    ravdess: Path, tmp_path: Path
) -> None:
    found = ids(study("thesis", ravdess, tmp_path / "home"))
    assert all(
        donor == ("Giorgio" if actor % 2 else "Giulia") for _, actor, donor, _ in found.values()
    )


def test_crossed_has_five_donors_of_each_sex_for_every_actor(ravdess: Path, tmp_path: Path) -> None:
    made = study("crossed", ravdess, tmp_path / "home")
    met: dict[tuple[str, int], list[str]] = {}
    for cell in made.plan():
        sex = find_donor(made.dataset, str(cell.donor)).sex
        met.setdefault((cell.tool, cell.actor), []).append(sex)
    assert len(met) == 5 * 10
    assert all((s.count("male"), s.count("female")) == (5, 5) for s in met.values())


def test_crossed_with_one_donor_of_a_sex_is_refused(ravdess: Path, tmp_path: Path) -> None:
    choice = Choice(dataset=str(ravdess), donor="all")
    with pytest.raises(UsageError, match="cannot be distinguished") as told:
        study_from_suite("crossed", tmp_path / "home", choice)
    assert "line" not in told.value.message


def test_nightly_repeats_its_reference_cells_with_ids_of_their_own(
    ravdess: Path, tmp_path: Path
) -> None:
    found = ids(study("nightly", ravdess, tmp_path / "home"))
    tools = {tool for tool, *_ in found.values()}
    for tool in tools:
        seeds = [(actor, seed) for name, actor, _, seed in found.values() if name == tool]
        assert sorted(seeds) == sorted(
            [(actor, 0) for actor in range(1, 11)] + [(a, s) for a in (1, 2) for s in (1, 2)]
        )


def test_smoke_names_every_tool_that_ships() -> None:
    # Read from the file: what is installed may be older than the checkout.
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    shipped = set(project["entry-points"]["bench.adapters"])
    assert {entry.tool for entry in load_suite("smoke").tools} == shipped
