"""Sites for tests, and what tests ask of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html.parser import HTMLParser

from harness.model.cohort import ActorRate, Attack, Attacker, CohortScore, Rate, Verification
from reports.aggregate import cells_of
from reports.model import ReportData
from reports.site.model import (
    CellFacts,
    Column,
    ExtraPage,
    Faces,
    FramePair,
    Gallery,
    Picture,
    RawTable,
    Site,
)
from reports.site.publish import site_files

from .cohorts import CLEAR

JPEG = bytes.fromhex("ffd8ffe000104a464946")
"""Beginning of a JPEG file; no page asks whether more follows."""


def make_site(
    data: ReportData, faces: Faces = Faces.NONE, cohorts: Sequence[CohortScore] = ()
) -> Site:
    """A site of synthetic cells; its pictures are no pictures."""
    facts = {
        cell.spec.id: CellFacts(
            ended_at=f"2026-01-{1 + i % 28:02d}T00:00:00Z", swapped_sha256="a" * 64, swapped_bytes=7
        )
        for i, cell in enumerate(data.cells)
    }
    raw = RawTable(
        name="scores",
        help="one row per cell",
        columns=(Column(name="cell", kind="VARCHAR", help="Name of the cell."),),
        rows=tuple((cell.spec.slug,) for cell in data.cells),
    )
    shown = {} if faces is Faces.NONE else {c.spec.id: _gallery(c.spec.slug) for c in data.cells}
    return Site(
        report=data, faces=faces, facts=facts, galleries=shown, raw=(raw,), cohorts=tuple(cohorts)
    )


def make_cohort(data: ReportData, name: str, rank_1: float, spread: float) -> CohortScore:
    """All cells of a tool, attacked by the naive (who finds nobody) and, worse, by the parrot."""
    cells = cells_of(data, name)
    actors = tuple(sorted({cell.spec.actor.number for cell in cells}))
    spec = cells[0].spec
    found = Verification(
        actors=actors,
        probes=90,
        asked=100,
        rank_1=Rate(rate=rank_1, low=rank_1 - spread, high=rank_1 + spread, actors=len(actors)),
        chance=1 / len(actors),
        rank_1_corrected=(rank_1 - 1 / len(actors)) / (1 - 1 / len(actors)),
        by_actor=tuple(
            ActorRate(
                actor=actor,
                asked=100,
                probes=90,
                identified=rank_1,
                advantage=(rank_1 - 1 / len(actors)) / (1 - 1 / len(actors)),
            )
            for actor in actors
        ),
    )
    original = found.model_copy(
        update={
            "by_actor": tuple(
                one.model_copy(update={"identified": 1.0, "advantage": 1.0})
                for one in found.by_actor
            )
        }
    )
    naive = Attack(
        attacker=Attacker.NAIVE, source="dlib", method="As it is.", reason="Not detected."
    )
    parrot = Attack(
        attacker=Attacker.PARROT,
        source="dlib",
        method="Through the tool.",
        swapped=found,
        control=original,
        null=CLEAR,
        best_null=CLEAR,
    )
    return CohortScore(
        key=f"{name} key",
        protocol=data.protocol,
        label=f"{name}-1-default",
        tool=spec.tool,
        version=spec.version,
        config=spec.config,
        dataset=spec.dataset,
        cells=tuple(cell.spec.id for cell in cells),
        actors=actors,
        impostor_pairs=len(actors) * (len(actors) - 1) // 2,
        attacks=(naive, parrot),
        worst=1,
        worst_null=CLEAR,
        notes=("A note of the cohort.",),
    )


def _gallery(slug: str) -> Gallery:
    original, swapped = (
        Picture(path=f"frames/{slug}/worst-{side}.jpg", data=JPEG) for side in ("a", "b")
    )
    pair = FramePair(
        kind="worst", frame=3, distance_l2=0.5, time_s=1.0, original=original, swapped=swapped
    )
    return Gallery(pairs=(pair,))


def files_of(site: Site, extra: Sequence[ExtraPage] = ()) -> dict[str, bytes]:
    """Every file by its path."""
    found = list(site_files(site, extra))
    assert len({name for name, _ in found}) == len(found)
    return dict(found)


def pages_of(files: dict[str, bytes]) -> dict[str, str]:
    """The HTML pages as text."""
    return {name: data.decode() for name, data in files.items() if name.endswith(".html")}


class Outline(HTMLParser):
    """Links, loads, ids, headings and tables of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.tags: list[str] = []
        self.landmarks: list[str] = []
        self.unscoped = 0
        self.images_without_alt = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if (href := found.get("href")) is not None:
            (self.loads if tag == "link" else self.links).append(href)
        self.loads += [value for key in ("src", "srcset") if (value := found.get(key))]
        self.ids += [value] if (value := found.get("id")) else []
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))
        if tag in ("header", "nav", "main", "footer"):
            self.landmarks.append(tag)
        self.unscoped += tag == "th" and not found.get("scope")
        self.images_without_alt += tag == "img" and not found.get("alt")


@lru_cache(maxsize=512)
def outline(html: str) -> Outline:
    """Outline of a page; only to be read, since several tests look at the same page."""
    found = Outline()
    found.feed(html)
    return found
