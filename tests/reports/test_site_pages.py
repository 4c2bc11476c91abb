"""The pages of a site: what they hold, where they lead, what they must never do."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from html import unescape
from urllib.parse import unquote

import pytest

from harness.model.privacy import LeakingStretch, LeakProfile
from harness.model.quality import Background, Quality
from harness.model.recognised import RecogniserScore, Similarity
from harness.model.score import Comparison
from harness.model.utility import Difference, Events, Kept, Utility
from harness.results.headline import NOBODY, Card
from reports.aggregate import by_actor_distance, cells_of, over_actors
from reports.build import page
from reports.headline import headline
from reports.model import ReportCell, ReportData
from reports.site.answers import answers
from reports.site.chart import chart
from reports.site.leaderboard import leaderboard
from reports.site.model import Entry, ExtraPage, Faces
from reports.site.paths import actor_page
from reports.site.publish import FIRST_VIEW
from reports.tables import Table, text
from reports.verdict import judge

from .sites import JPEG, files_of, make_site, outline, pages_of

Maker = Callable[..., ReportData]

# Most look at the same pages, so one worker has them all.
pytestmark = pytest.mark.xdist_group("site-pages")


@pytest.fixture(scope="module")
def files(full_data: ReportData) -> dict[str, bytes]:
    return files_of(make_site(full_data))


@pytest.fixture(scope="module")
def pages(files: dict[str, bytes]) -> dict[str, str]:
    return pages_of(files)


def broken_links(files: dict[str, bytes]) -> list[tuple[str, str]]:
    """(page, link) of every link that leads nowhere in the site."""
    outlines = {name: outline(html) for name, html in pages_of(files).items()}
    wrong = []
    for name, found in outlines.items():
        for link in (*found.links, *found.loads):
            if link == "data:,":
                continue
            path, _, anchor = unquote(link).partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
            target = name if not path else target
            known = target in files and (not anchor or anchor in outlines[target].ids)
            if not known:
                wrong.append((name, link))
    return wrong


def test_every_link_is_relative_and_leads_to_a_file_of_the_site(files: dict[str, bytes]) -> None:
    assert broken_links(files) == []
    links = [link for html in pages_of(files).values() for link in outline(html).links]
    assert len(links) > 1000
    assert not [link for link in links if re.match(r"[a-z]+:|/", link)]


def test_nothing_is_asked_of_another_machine(files: dict[str, bytes]) -> None:
    for html in pages_of(files).values():
        assert "default-src &#39;none&#39;" in html
        assert "img-src data:" in html
    assert b"@import" not in files["assets/site.css"]
    assert b"url(" not in files["assets/site.css"]


def test_without_faces_no_file_holds_a_picture(
    full_data: ReportData, files: dict[str, bytes]
) -> None:
    assert any(cell.evidence for cell in full_data.cells), "the report's own pictures are at hand"
    assert full_data.faces
    for name, data in files.items():
        assert not name.endswith((".jpg", ".jpeg", ".png", ".webp", ".gif", ".mp4", ".svg"))
        assert JPEG[:3] not in data
        assert b"\x89PNG" not in data
        if not name.startswith("assets/"):
            assert b"data:image" not in data
            assert b"<img" not in data
    shown = files_of(make_site(full_data, Faces.FULL))
    assert sum(name.endswith(".jpg") for name in shown) == 2 * 96
    assert broken_links(shown) == []


def test_the_same_site_is_the_same_bytes_but_for_one_timestamp(make_data: Maker) -> None:
    data = make_data(actors=2)
    later = data.model_copy(update={"generated_at": "2031-01-01 00:00 UTC"})
    first, again, third = (files_of(make_site(one)) for one in (data, data, later))
    assert first == again
    changed = {name for name, content in first.items() if third[name] != content}
    assert changed == {"index.html", "results.json"}
    for name in changed:
        assert first[name].replace(b"2026-01-01 00:00 UTC", b"2031-01-01 00:00 UTC") == third[name]


def test_every_page_has_landmarks_levels_and_unique_ids(pages: dict[str, str]) -> None:
    for name, html in pages.items():
        found = outline(html)
        assert found.landmarks == ["header", "nav", "main", "footer"], name
        assert found.headings[0] == 1
        assert found.headings.count(1) == 1
        steps = zip(found.headings, found.headings[1:], strict=False)
        assert all(later <= earlier + 1 for earlier, later in steps), name
        assert len(found.ids) == len(set(found.ids)), name
        assert found.unscoped == 0, name
        assert found.tags.count("table") == found.tags.count("caption"), name
        assert found.images_without_alt == 0


def test_the_first_view_is_small_and_loads_no_plotly(files: dict[str, bytes]) -> None:
    assert sum(len(files[name]) for name in FIRST_VIEW) < 1_000_000
    loads = outline(files["index.html"].decode()).loads
    assert set(loads) <= {*FIRST_VIEW, "feed.xml", "data:,"}
    assert b"data-plotly" not in files["index.html"]


def test_there_is_a_page_for_every_tool_actor_and_cell(
    pages: dict[str, str], full_data: ReportData
) -> None:
    assert {f"cells/{cell.spec.slug}.html" for cell in full_data.cells} <= pages.keys()
    assert sum(name.startswith("tools/") for name in pages) == 4
    assert sum(name.startswith("actors/") for name in pages) == 24
    assert {"methods.html", "data/index.html"} <= pages.keys()


@pytest.mark.parametrize("names", [("my set", "my-set"), ("лица", "顔")])
def test_actors_of_two_datasets_with_like_names_have_pages_of_their_own(
    make_data: Maker, names: tuple[str, str]
) -> None:
    data = make_data(actors=2)
    cells = []
    for name in names:
        for cell in data.cells:
            spec = cell.spec.model_copy(update={"dataset": name})
            cells.append(cell.model_copy(update={"spec": spec}))
    files = files_of(make_site(data.model_copy(update={"cells": tuple(cells)})))
    assert broken_links(files) == []
    pages = {name: html for name, html in pages_of(files).items() if name.startswith("actors/")}
    assert len(pages) == 4
    told = sorted(re.findall("<h1>(.*)</h1>", "\n".join(pages.values())))
    assert told == sorted(f"Actor {actor}, {name}" for actor in (1, 2) for name in names)
    assert all(re.fullmatch(r"actors/[A-Za-z0-9.-]+\.html", name) for name in pages)


def test_an_actors_page_keeps_its_plain_name(full_data: ReportData) -> None:
    spec = full_data.cells[0].spec.model_copy(update={"dataset": "sample"})
    assert actor_page(spec) == f"actors/sample-{spec.actor.number:02d}.html"


def test_a_cell_that_failed_has_a_page_that_says_why(
    pages: dict[str, str], full_data: ReportData
) -> None:
    failed = [cell for cell in full_data.cells if cell.score is None]
    assert len(failed) == 2
    for cell in failed:
        assert cell.reason in pages[f"cells/{cell.spec.slug}.html"]
    assert "94 of 96 cells scored" in pages["index.html"]
    assert "22 of 24" in pages["index.html"]


def test_a_cells_page_names_hashes_settings_host_and_attempts(
    pages: dict[str, str], full_data: ReportData
) -> None:
    cell = next(c for c in full_data.cells if c.variant == "blur")
    html = pages[f"cells/{cell.spec.slug}.html"]
    assert cell.score is not None
    wanted = [cell.spec.id, cell.spec.actor.test.sha256, cell.spec.actor.reference.sha256]
    wanted += ["a" * 64, "a processor", "strength", "face_recognition@1.3.0", "hash checked"]
    assert [one for one in wanted if one not in html] == []


def test_the_leaderboard_says_what_the_report_says(full_data: ReportData) -> None:
    rows = {row.name: row for row in leaderboard(full_data, judge(full_data))}
    for name in ("blur", "landmark-swap"):
        cells = cells_of(full_data, name)
        mean = over_actors(by_actor_distance(cells, Comparison.SWAPPED_ORIGINAL))
        found = rows[name].distance
        assert found.n == mean.n
        assert found.value == pytest.approx(mean.mean)
        assert found.low is not None
        assert found.high is not None
        assert found.value is not None
        assert found.low < found.value < found.high
    assert rows["blackbox"].distance.value is None
    assert "not the same as hidden" in rows["blackbox"].distance.reason
    assert rows["blackbox"].lost.value == 1.0
    assert (rows["landmark-swap"].cells, rows["landmark-swap"].scored) == (24, 22)


def test_an_interval_never_leaves_what_the_number_can_be(make_data: Maker) -> None:
    data = make_data(actors=2)
    for row in leaderboard(data, judge(data)):
        assert row.distance.low is None or row.distance.low >= 0
        assert row.pcc.high is None or row.pcc.high <= 1
        assert row.recognised.high is None or row.recognised.high <= 1


def test_controls_are_listed_apart_and_do_not_compete(
    pages: dict[str, str], full_data: ReportData
) -> None:
    rows = leaderboard(full_data, judge(full_data))
    assert [row.name for row in rows] == ["blur", "landmark-swap", "noop", "blackbox"]
    assert [row.rank for row in rows] == [None] * 4, "distance ranks nobody"
    board, controls = pages["index.html"].split("<caption>Controls: ")
    assert ">noop<" not in board.split('id="leaderboard"')[1]
    assert ">noop<" in controls


def answered(data: ReportData) -> list[Card]:
    judged = judge(data)
    return answers(data, leaderboard(data, judged), judged)


def test_the_answers_are_the_reports_cards_and_what_they_rest_on(
    pages: dict[str, str], full_data: ReportData
) -> None:
    *cards, rests = answered(full_data)
    assert tuple(cards) == headline(full_data).cards
    index = unescape(pages["index.html"])
    for card in (*cards, rests):
        assert all(words in index for words in (card.label, card.who, card.detail, card.sure))
    assert (rests.value, rests.clear) == ("24 actors", None)


def test_with_few_actors_nobody_is_ranked(make_data: Maker) -> None:
    hides, keeps, _, rests = answered(make_data(actors=5))
    assert (hides.who, keeps.who) == (NOBODY, NOBODY)
    assert (hides.clear, keeps.clear) == (None, None)
    assert "fewer than 6" in keeps.sure
    assert "blur 0." in keeps.detail, "numbers all the same"
    assert "rank no tool" in rests.sure


def test_equal_tools_are_not_told_apart(full_data: ReportData) -> None:
    keeps = answered(full_data)[1]
    assert (keeps.who, keeps.clear) == ("blur and landmark-swap", None)
    assert "cannot be distinguished" in keeps.sure
    assert "compared on the 22 that both have" in keeps.sure


def test_a_failed_control_is_said_beside_the_answers(make_data: Maker) -> None:
    data = make_data(actors=8)
    cells = tuple(
        c.model_copy(update={"spec": c.spec.model_copy(update={"tool": "noop"})})
        if c.variant == "blur"
        else c
        for c in data.cells
    )
    rests = answered(data.model_copy(update={"cells": cells}))[3]
    assert rests.clear is False
    assert "do not trust" in rests.sure


def test_methods_and_limits_are_the_reports_own_words(
    pages: dict[str, str], full_data: ReportData
) -> None:
    report = page(full_data).split('id="h-methods"')[1]
    points = re.findall(r"<li><strong>.*?</li>", report, re.DOTALL)
    assert len(points) >= 8
    assert all(point in pages["methods.html"] for point in points)


NASTY = 'O\'Brien "q" </script><script>alert(1)</script><img src=x onerror=alert(2)> Zo\u00eb &amp;'


def test_names_with_quotes_and_markup_are_shown_as_text(make_data: Maker) -> None:
    data = make_data(actors=2, title=NASTY)
    cells = tuple(
        c.model_copy(update={"variant": f"{NASTY}{c.variant}", "reason": NASTY, "status": NASTY})
        for c in data.cells
    )
    files = files_of(make_site(data.model_copy(update={"cells": cells})))
    assert broken_links(files) == []
    for html in pages_of(files).values():
        assert "<script>alert" not in html
        assert "<img" not in html
    assert "Zo\u00eb" in files["index.html"].decode()


def test_a_selection_without_any_score_still_makes_a_site(make_data: Maker) -> None:
    data = make_data(actors=1)
    failed = [
        ReportCell(spec=c.spec, variant=c.variant, status="oom", reason="Out of memory.")
        for c in data.cells
    ]
    files = files_of(make_site(data.model_copy(update={"cells": tuple(failed)})))
    assert "0 of 4 cells scored" in files["index.html"].decode()
    assert b"nothing to plot" in files["index.html"]
    assert broken_links(files) == []
    assert files_of(make_site(data.model_copy(update={"cells": ()})))


def test_other_makers_pages_are_linked_shown_and_told(make_data: Maker) -> None:
    table = Table(title="Shift", columns=("Actor", "SW-OR"), rows=((text("1"), text("0.1")),))
    entry = Entry(
        title="blur regressed",
        summary="by 0.1",
        href="compare/a-b.html",
        updated_at="2026-02-01T00:00:00Z",
        content="compare a b 1",
    )
    extra = ExtraPage(
        path="compare/a-b.html",
        section="Comparisons",
        title="a against b",
        lead="b hides less well.",
        blocks=("In words <now>.", table),
        entries=(entry,),
    )
    files = files_of(make_site(make_data(actors=2)), [extra])
    index = files["index.html"].decode()
    assert "Comparisons" in index
    assert 'href="compare/a-b.html"' in index
    shown = files["compare/a-b.html"].decode()
    assert "In words &lt;now&gt;." in shown
    assert "<caption>Shift</caption>" in shown
    assert b"blur regressed" in files["feed.xml"]
    assert broken_links(files) == []


LEAKS = LeakProfile(
    threshold=0.6,
    every_frame=False,
    asked=60,
    used=50,
    leaking=7,
    longest_run_frames=5,
    longest_run_s=0.21,
    first_leak_s=1.25,
    p01_l2=0.512,
    stretches=(
        LeakingStretch(
            first_frame=30, last_frame=36, frames=5, start_s=1.25, duration_s=0.29, minimum_l2=0.5
        ),
    ),
    stretches_found=3,
)
SAME = Kept(
    faces_original=90,
    faces_kept=81,
    detection_rate=0.9,
    blinks=Events(original=4, swapped=5, matched=3, tolerance_s=0.2, f1=0.667),
    mouth_openings=Events(
        original=0, swapped=0, matched=0, tolerance_s=0.2, reason="The mouth stays shut."
    ),
    head_pose=Difference(unit="degrees", frames=81, mean=2.345),
    gaze=Difference(unit="rig weights (0-1)", frames=0, reason="No frame has a gaze."),
)


BACKGROUND = Background(frames=90, ssim=0.987, psnr_db=41.25)
ELSEWHERE = RecogniserScore(
    name="another-net",
    version="7",
    licence="MIT",
    distance="l2",
    threshold=None,
    or_or=Similarity(asked=100, used=100, mean=0.1),
    sw_or=Similarity(asked=100, used=80, mean=0.444),
)


def test_a_cell_says_when_it_leaks_and_what_else_is_kept(make_data: Maker) -> None:
    data = make_data(actors=1)
    utility = Utility(source="mediapipe", kept=SAME, floor=None, floor_note="No re-encoding here.")
    cells = tuple(
        c.model_copy(
            update={
                "score": c.score.model_copy(
                    update={
                        "leaks": LEAKS,
                        "utility": utility,
                        "quality": Quality(background=BACKGROUND),
                        "recognisers": (ELSEWHERE,),
                    }
                )
            }
        )
        for c in data.cells
        if c.score
    )
    pages = pages_of(files_of(make_site(data.model_copy(update={"cells": cells}))))
    html = pages[f"cells/{cells[0].spec.slug}.html"]
    wanted = ["after 1.25 s", "7 frames, threshold 0.6", "30 to 36", "2 shorter ones", "0.512"]
    wanted += ["Blinks, F1", "0.667", "3 of 4 found again", "2.345", "degrees", "90.0 %"]
    wanted += ["The mouth stays shut.", "No frame has a gaze.", "No re-encoding here."]
    wanted += ["0.987", "another-net 7", "0.444"]
    assert [one for one in wanted if one not in html] == []
    tool = pages[f"tools/{cells[0].spec.tool}.html"]
    parts = ["0.667", "2.35", "0.987", "another-net 7", "What else of the face is kept"]
    assert [one for one in parts if one not in tool] == []


@pytest.mark.parametrize(
    ("asked", "with_pcc", "said"),
    [
        (2, 2, "No intervals are drawn: they need 3 actors."),
        (6, 0, "they need 3 actors with both a distance and a PCC, and no actor has them."),
        (6, 2, "with both a distance and a PCC, and at most 2 actors of a tool have them."),
        (6, 3, "Bars: 95 % intervals of both means over actors."),
    ],
)
def test_without_intervals_the_chart_says_what_the_actors_lack(
    asked: int, with_pcc: int, said: str, make_data: Maker
) -> None:
    """Of six actors without a PCC the page said that there are too few actors."""
    data = make_data(actors=asked)
    cells = tuple(
        cell if cell.spec.actor.number <= with_pcc else _without_pcc(cell) for cell in data.cells
    )
    found = chart(data.model_copy(update={"cells": cells}), "mediapipe-blendshapes")
    assert found is not None
    assert found.caption.endswith(said)


def _without_pcc(cell: ReportCell) -> ReportCell:
    if cell.score is None:
        return cell
    bare = [one.model_copy(update={"mean_pcc": None}) for one in cell.score.attributes]
    return cell.model_copy(
        update={"score": cell.score.model_copy(update={"attributes": tuple(bare)})}
    )
