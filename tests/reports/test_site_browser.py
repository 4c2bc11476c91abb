"""A site in a real browser: from a folder, and from below a path of a web server."""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from reports.model import ReportData
from reports.site.model import Faces
from reports.site.publish import publish

from .sites import make_site
from .test_report_browser import OUTSIDE, prefer

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PLACES = ("file", "server")
SUB_PATH = "labs/face studies"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing."""


@pytest.fixture(scope="module")
def root(make_data: Callable[..., ReportData], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A web server's folder with the site below a path."""
    folder = tmp_path_factory.mktemp("www ü")
    publish(make_site(make_data(actors=6), Faces.NONE), folder / SUB_PATH)
    return folder


@pytest.fixture(scope="module")
def addresses(root: Path) -> Iterator[dict[str, str]]:
    """Addresses of the site's folder, by place; both end with a slash."""
    handler = functools.partial(Quiet, directory=str(root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        host = f"http://127.0.0.1:{server.server_address[1]}"
        yield {
            "file": (root / SUB_PATH).as_uri() + "/",
            "server": f"{host}/{SUB_PATH.replace(' ', '%20')}/",
        }
        server.shutdown()
        thread.join()


def visit(driver: Any, address: str, width_px: int = 1280) -> None:
    metrics = {"width": width_px, "height": 900, "deviceScaleFactor": 1, "mobile": width_px < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get(address)
    assert driver.execute_script("return document.documentElement.dataset.ready") == "1"


def wait_for(driver: Any, script: str, limit_s: float = 60) -> Any:
    """The script's value as soon as it is true."""
    end = time.monotonic() + limit_s
    while not (found := driver.execute_script(f"return {script}")):
        assert time.monotonic() < end, f"never true: {script}"
        time.sleep(0.05)
    return found


def complaints(driver: Any) -> list[str]:
    return [e["message"] for e in driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]


FIRST_COLUMN = """
return [...document.querySelector('[data-filtered=tools] tbody').rows]
  .filter(r => !r.hidden).map(r => r.cells[0].textContent);
"""


@pytest.mark.parametrize("place", PLACES)
def test_a_reader_gets_from_the_chart_to_a_cell_and_back(
    driver: Any, addresses: dict[str, str], place: str
) -> None:
    from selenium.webdriver.common.by import By

    driver.get_log("browser")
    visit(driver, addresses[place] + "index.html")
    mark = driver.find_element(By.CSS_SELECTOR, ".chart.w860 a[href='tools/landmark-swap.html']")
    driver.execute_script("arguments[0].focus()", mark)
    mark.send_keys("\n")
    wait_for(driver, "location.pathname.endsWith('/tools/landmark-swap.html')")
    first = driver.find_element(By.CSS_SELECTOR, "#version-1 tbody th a")
    driver.execute_script(
        "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", first
    )
    first.click()
    wait_for(driver, "location.pathname.includes('/cells/landmark-swap')")
    assert driver.find_element(By.TAG_NAME, "h1").text == "landmark-swap, actor 1"
    driver.find_element(By.LINK_TEXT, "actor 1").click()
    wait_for(driver, "location.pathname.includes('/actors/')")
    driver.find_element(By.LINK_TEXT, "Overview").click()
    wait_for(driver, "location.pathname.endsWith('/index.html')")
    assert complaints(driver) == []


@pytest.mark.parametrize("place", PLACES)
def test_plotly_is_fetched_when_a_plot_comes_near_and_nothing_from_elsewhere(
    driver: Any, addresses: dict[str, str], place: str
) -> None:
    """Neither from another machine nor from above the site."""
    driver.get_log("performance")
    driver.get_log("browser")
    visit(driver, addresses[place] + "index.html")
    assert not driver.execute_script("return !!window.Plotly")
    visit(driver, addresses[place] + "tools/blur.html")
    driver.execute_script("document.querySelector('.plot').scrollIntoView()")
    wait_for(driver, "document.querySelector('#box-actors-0 .main-svg')")
    assert driver.execute_script("return document.querySelectorAll('.plot .box').length") > 10
    assert complaints(driver) == []
    events = [json.loads(e["message"])["message"] for e in driver.get_log("performance")]
    asked = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
    urls = [
        one["request"]["url"] for one in asked if one["documentURL"].startswith(addresses[place])
    ]
    assert len(urls) > 6
    assert [u for u in urls if not u.startswith((addresses[place], "data:", "blob:"))] == []


def test_the_first_view_is_drawn_with_little_work_and_weight(
    driver: Any, addresses: dict[str, str]
) -> None:
    """Processor time, not the clock's: other tests may keep this machine busy."""
    driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    visit(driver, addresses["server"] + "index.html")
    wait_for(driver, "performance.getEntriesByName('first-contentful-paint').length")
    metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    busy_s = next(one["value"] for one in metrics if one["name"] == "TaskDuration")
    driver.execute_cdp_cmd("Performance.disable", {})
    assert 0 < busy_s < 1
    sizes = driver.execute_script(
        "return performance.getEntriesByType('resource').concat("
        "performance.getEntriesByType('navigation')).map(e => e.transferSize)"
    )
    assert sum(sizes) < 1_000_000
    assert len(sizes) == 5
    width = driver.execute_script(
        "return document.querySelector('.chart.w860').getBoundingClientRect().width"
    )
    assert width > 700


@pytest.mark.parametrize("place", PLACES)
def test_the_leaderboard_is_filtered_and_sorted_with_the_keyboard(
    driver: Any, addresses: dict[str, str], place: str
) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    visit(driver, addresses[place] + "index.html")
    assert driver.execute_script(FIRST_COLUMN) == ["blur", "landmark-swap"]
    table = driver.find_element(By.CSS_SELECTOR, "[data-filtered=tools] table")
    header = table.find_elements(By.CSS_SELECTOR, "thead th")[4]
    assert header.text.startswith("SW-OR distance")
    button = header.find_element(By.TAG_NAME, "button")
    button.send_keys(Keys.ENTER)
    button.send_keys(Keys.ENTER)
    assert header.get_attribute("aria-sort") == "descending"
    assert driver.execute_script(FIRST_COLUMN) == ["landmark-swap", "blur"]
    field = driver.find_element(By.CSS_SELECTOR, "input[type=search]")
    field.send_keys("SWAP default")
    assert driver.execute_script(FIRST_COLUMN) == ["landmark-swap"]
    status = driver.find_element(By.CSS_SELECTOR, ".filters .count")
    assert (status.text, status.get_attribute("role")) == ("1 of 2 shown", "status")
    field.send_keys("x", Keys.ENTER)
    assert driver.execute_script(FIRST_COLUMN) == []
    field.clear()
    field.send_keys(" ")
    assert len(driver.execute_script(FIRST_COLUMN)) == 2


def test_a_choice_of_configs_narrows_the_leaderboard(
    driver: Any, make_data: Callable[..., ReportData], tmp_path: Path
) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    data = make_data(actors=2)
    cells = tuple(
        c.model_copy(update={"spec": c.spec.model_copy(update={"config": "weak"})})
        if c.variant == "blur"
        else c
        for c in data.cells
    )
    publish(make_site(data.model_copy(update={"cells": cells})), tmp_path / "site")
    visit(driver, (tmp_path / "site" / "index.html").as_uri())
    [choice] = driver.find_elements(By.CSS_SELECTOR, ".filters select")
    Select(choice).select_by_visible_text("weak")
    assert driver.execute_script(FIRST_COLUMN) == ["blur"]
    Select(choice).select_by_visible_text("all")
    assert len(driver.execute_script(FIRST_COLUMN)) == 2


def test_hovering_a_mark_tells_its_numbers(driver: Any, addresses: dict[str, str]) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    visit(driver, addresses["file"] + "index.html")
    dot = driver.find_element(By.CSS_SELECTOR, ".chart.w860 a[href*='cells/blur'] .dot")
    ActionChains(driver).move_to_element(dot).perform()
    assert wait_for(driver, "!!document.querySelector('.chart.w860 a:hover')")
    said = driver.execute_script(
        "return document.querySelector('.chart.w860 a:hover > title').textContent"
    )
    assert said.startswith("blur, actor ")
    assert "distance 0." in said
    assert "sampled frames" in said


@pytest.mark.parametrize("width_px", [390, 1280])
@pytest.mark.parametrize("kind", ["index", "tools", "cells", "actors", "data", "methods"])
def test_every_kind_of_page_fits_a_phone_and_a_desk(
    driver: Any, addresses: dict[str, str], root: Path, kind: str, width_px: int
) -> None:
    site = root / SUB_PATH
    single = site / f"{kind}.html"
    page = single if single.exists() else sorted((site / kind).glob("*.html"))[0]
    visit(driver, addresses["file"] + page.relative_to(site).as_posix(), width_px)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width_px
    assert driver.execute_script(OUTSIDE, width_px) == []
    if kind == "index":
        shown = driver.execute_script(
            "return [...document.querySelectorAll('.chart')].filter(c => c.clientWidth)"
            ".map(c => c.getAttribute('class'))"
        )
        assert shown == ["chart w360" if width_px == 390 else "chart w860"]


def test_the_chosen_theme_holds_on_the_next_page(driver: Any, addresses: dict[str, str]) -> None:
    from selenium.webdriver.common.by import By

    prefer(driver, "light")
    visit(driver, addresses["server"] + "index.html")
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = driver.execute_script(ground)
    driver.find_element(By.ID, "theme").click()
    dark = driver.execute_script(ground)
    assert dark != light
    visit(driver, addresses["server"] + "methods.html")
    assert driver.execute_script(ground) == dark
    driver.find_element(By.ID, "theme").click()
    visit(driver, addresses["server"] + "index.html")
    assert driver.execute_script(ground) == light


@pytest.mark.parametrize("page", ["index.html", "tools/blur.html"])
def test_paper_gets_the_whole_page(driver: Any, addresses: dict[str, str], page: str) -> None:
    import base64

    visit(driver, addresses["file"] + page, 390)
    printed = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    paper = base64.b64decode(printed["data"])
    assert paper.startswith(b"%PDF")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        if page == "index.html":
            shown = driver.execute_script(
                "return [...document.querySelectorAll('.chart, .filters, nav')]"
                ".filter(c => c.getClientRects().length).map(c => c.getAttribute('class'))"
            )
            assert shown == ["chart w860"], "the large chart, and nothing that paper cannot do"
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_the_keyboard_reaches_tools_in_the_chart_but_not_every_dot(
    driver: Any, addresses: dict[str, str]
) -> None:
    visit(driver, addresses["file"] + "index.html")
    reached = driver.execute_script(
        "return [...document.querySelectorAll('.chart.w860 a')].filter(a => a.tabIndex >= 0)"
        ".map(a => a.getAttribute('href'))"
    )
    assert sorted(set(reached)) == [
        f"tools/{t}.html" for t in ("blackbox", "blur", "landmark-swap", "noop")
    ]
    assert len(reached) == 4
