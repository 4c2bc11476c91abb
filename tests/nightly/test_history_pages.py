"""The history in a published site."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.model.nightly import Alarm, NightMetric, NightRecord
from harness.store.nights import NightStore
from tests.compare.made_up import Home, Numbers, make_spec


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


@pytest.fixture
def site(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home.add(make_spec("blur", 1), Numbers())
    store = NightStore(home.home)
    for day in range(1, 5):
        store.append(record(f"2026-01-0{day}", "1", 0.70 + 0.0001 * day))
    for day in range(5, 9):
        store.append(record(f"2026-01-0{day}", "2", 0.60 + 0.0001 * day, Alarm.CONFIRMED))
    monkeypatch.setenv("BENCH_HOME", str(home.home))
    done = CliRunner().invoke(app, ["publish", str(tmp_path / "site")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return tmp_path / "site"


def test_a_page_tells_every_night_and_the_step_and_the_index_lists_it(site: Path) -> None:
    [page] = (site / "history").iterdir()
    html = page.read_text()
    assert "from 0.700 to 0.601 on 2026-01-05 with version 2 (worse)" in html
    assert len(re.findall(r"<th scope=\"row\"[^>]*>2026-01-0\d</th>", html)) == 8
    assert f'href="history/{page.name}"' in (site / "index.html").read_text()


def test_an_alarm_that_stands_for_four_nights_is_in_the_feed_once(site: Path) -> None:
    space = {"a": "http://www.w3.org/2005/Atom"}
    feed = ElementTree.fromstring((site / "feed.xml").read_bytes())
    told = [
        one.findtext("a:updated", "", space)
        for one in feed.findall("a:entry", space)
        if one.findtext("a:title", "", space) == "blur@2:default regressed against 1"
    ]
    assert told == ["2026-01-05T00:00:00Z"]
