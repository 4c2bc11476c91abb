"""The history in a published site."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.model.nightly import Alarm, NightMetric, NightRecord
from harness.store.nights import NightStore
from tests.results.compare.made_up import Home, Numbers, make_spec


def record(night: str, version: str, mean: float, alarm: Alarm = Alarm.NONE) -> NightRecord:
    metric = NightMetric(
        key="sw_or",
        title="SW-OR distance",
        higher_is_better=True,
        margin=0.01,
        n=10,
        mean=mean,
        low=mean - 0.01,
        high=mean + 0.01,
        run_sd=0.002,
    )
    return NightRecord(
        night=night,
        suite="nightly",
        dataset="sample",
        protocol="thesis",
        tool="blur",
        config="default",
        version=version,
        cells=(version,),
        scored=1,
        good_version="1",
        good_cells=("1",),
        alarm=alarm,
        alarmed=("sw_or",) if alarm is Alarm.CONFIRMED else (),
        reason="SW-OR distance fell & stayed.",
        metrics=(metric,),
    )


def publish(home: Home, target: Path, *args: str) -> Path:
    env = {"BENCH_HOME": str(home.home)}
    command = ["publish", str(target), *args]
    done = CliRunner().invoke(app, command, env=env, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return target


def append(home: Home, *records: tuple[NightRecord, dict[str, Any]]) -> None:
    """Each record with what is other in it."""
    for one, other in records:
        NightStore(home.home).append(one.model_copy(update=other))


def alarms(site: Path) -> list[tuple[str, str, str]]:
    """Id, time and page of each alarm in the feed."""
    space = {"a": "http://www.w3.org/2005/Atom"}
    found = []
    for one in ElementTree.fromstring((site / "feed.xml").read_bytes()).findall("a:entry", space):
        link = one.find("a:link", space)
        assert link is not None
        if "regressed" in one.findtext("a:title", "", space):
            identifier, updated = (one.findtext(f"a:{n}", "", space) for n in ("id", "updated"))
            found.append((identifier, updated, link.get("href", "")))
    return found


@pytest.fixture
def site(home: Home, tmp_path: Path) -> Path:
    home.add(make_spec("blur", 1), Numbers())
    store = NightStore(home.home)
    for day in range(1, 5):
        store.append(record(f"2026-01-0{day}", "1", 0.70 + 0.0001 * day))
    for day in range(5, 9):
        store.append(record(f"2026-01-0{day}", "2", 0.60 + 0.0001 * day, Alarm.CONFIRMED))
    return publish(home, tmp_path / "site")


def test_a_page_tells_every_night_and_the_step_and_the_index_lists_it(site: Path) -> None:
    [page] = (site / "history").iterdir()
    html = page.read_text()
    assert "from 0.700 to 0.601 on 2026-01-05 with version 2 (worse)" in html
    assert len(re.findall(r"<th scope=\"row\"[^>]*>2026-01-0\d</th>", html)) == 8
    assert f'href="history/{page.name}"' in (site / "index.html").read_text()


def test_an_alarm_that_stands_for_four_nights_is_in_the_feed_once(site: Path) -> None:
    assert "blur@2:default regressed against 1" in (site / "feed.xml").read_text()
    assert [updated for _, updated, _ in alarms(site)] == ["2026-01-05T00:00:00Z"]


def test_an_alarm_in_which_another_metric_comes_first_later_is_in_the_feed_once(
    home: Home, tmp_path: Path
) -> None:
    home.add(make_spec("blur", 1), Numbers())
    distance = record("2026-01-01", "2", 0.6, Alarm.CONFIRMED)
    [metric] = distance.metrics
    both = (metric, metric.model_copy(update={"key": "blinks", "title": "Blinks"}))
    append(
        home,
        (distance, {"metrics": both}),
        (distance, {"night": "2026-01-02", "metrics": both, "alarmed": ("blinks", "sw_or")}),
    )
    [(_, updated, page)] = alarms(publish(home, tmp_path / "site"))
    assert updated == "2026-01-01T00:00:00Z"
    assert "SW-OR-distance" in page


def test_an_alarm_whose_metric_no_night_follows_is_in_the_feed_all_the_same(
    home: Home, tmp_path: Path
) -> None:
    home.add(make_spec("blur", 1), Numbers())
    one = record("2026-01-01", "2", 0.6, Alarm.CONFIRMED)
    append(home, (one, {"alarmed": ("identified",)}))
    [(_, updated, _)] = alarms(publish(home, tmp_path / "site"))
    assert updated == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("field", "values"),
    [("config", ("default,shift=3", "default,shift=-3")), ("dataset", ("лица", "顔"))],
)
def test_lines_whose_names_differ_in_dropped_characters_have_pages_of_their_own(
    home: Home, tmp_path: Path, field: str, values: tuple[str, str]
) -> None:
    for value in values:
        one = record("2026-01-01", "1", 0.7)
        append(home, (one, {field: value}))
        dataset = value if field == "dataset" else "sample"
        home.add(make_spec("blur", 1, dataset=dataset), Numbers())
    site = publish(home, tmp_path / "site")
    pages = [page.read_text() for page in (site / "history").iterdir()]
    assert len(pages) == 2
    for value in values:
        assert sum(f"<h1>blur:{value}" in page or f" on {value}, " in page for page in pages) == 1


def test_the_history_of_a_dataset_that_is_not_in_the_site_is_not_published(
    home: Home, tmp_path: Path
) -> None:
    home.add(make_spec("blur", 1), Numbers())
    home.add(make_spec("blur", 1, dataset="patients"), Numbers())
    night = record("2026-01-01", "2", 0.6, Alarm.CONFIRMED)
    append(home, (night, {}), (night, {"dataset": "patients"}))
    site = publish(home, tmp_path / "site", "--dataset", "sample")
    assert len(list((site / "history").iterdir())) == len(alarms(site)) == 1
    told = [p for p in site.rglob("*") if p.is_file() and b"patients" in p.read_bytes()]
    assert told == []
