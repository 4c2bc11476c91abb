"""The page in a real browser, opened as a file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.build import build_report
from reports.model import ReportData

pytestmark = pytest.mark.browser
WIDTHS_PX = (390, 1280)


@pytest.fixture(scope="module")
def page_path(
    make_data: Callable[..., ReportData], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("a report, \u00fc")
    return build_report(make_data(actors=6), folder / "report.html")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not chromedriver:
        pytest.skip("Chromium and chromedriver are not installed, so no browser opens the page")
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(chromedriver))
    yield browser
    browser.quit()


def open_page(driver: Any, path: Path, width_px: int) -> None:
    """The page at a width, as a phone would lay it out, with all scripts run."""
    metrics = {"width": width_px, "height": 900, "deviceScaleFactor": 1, "mobile": width_px < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get(path.resolve().as_uri())
    assert driver.execute_script("return document.documentElement.dataset.ready") == "1"


@pytest.mark.parametrize("width_px", WIDTHS_PX)
def test_the_page_fits_its_width_and_draws_its_plots(
    driver: Any, page_path: Path, width_px: int
) -> None:
    open_page(driver, page_path, width_px)
    widths = driver.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert widths[0] <= width_px
    assert widths[1] == width_px
    missing = driver.execute_script(
        "return [...document.querySelectorAll('.plot')]"
        ".filter(p => p.clientWidth && !p.querySelector('svg.main-svg')).map(p => p.id)"
    )
    assert missing == []
    assert driver.execute_script("return document.querySelectorAll('.plot .box').length") > 20


def test_there_are_no_console_messages_and_no_requests(driver: Any, page_path: Path) -> None:
    import json

    driver.get_log("browser")
    driver.get_log("performance")
    open_page(driver, page_path, 1280)
    assert [e for e in driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")] == []
    events = [json.loads(e["message"])["message"] for e in driver.get_log("performance")]
    urls = [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]
    assert urls
    assert all(url.startswith(("file:", "data:", "blob:")) for url in urls)


def test_a_table_is_sorted_with_the_keyboard(driver: Any, page_path: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    open_page(driver, page_path, 1280)
    table = driver.find_elements(By.CSS_SELECTOR, "#actors table.sortable")[1]
    header = table.find_elements(By.CSS_SELECTOR, "thead th")[5]

    def column() -> list[float | None]:
        script = "return [...arguments[0].tBodies[0].rows].map(r => Number(r.cells[5].textContent))"
        found: list[float | None] = driver.execute_script(script, table)
        return found

    known = sorted(value for value in column() if value is not None)
    assert len(known) == 5, "one actor has no score"
    header.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert header.get_attribute("aria-sort") == "ascending"
    assert column() == [*known, None], "a missing value sorts last"
    header.find_element(By.TAG_NAME, "button").send_keys(Keys.SPACE)
    assert header.get_attribute("aria-sort") == "descending"
    assert column() == [*reversed(known), None]


def test_the_theme_can_be_changed(driver: Any, page_path: Path) -> None:
    from selenium.webdriver.common.by import By

    open_page(driver, page_path, 1280)
    button = driver.find_element(By.ID, "theme")
    script = "return getComputedStyle(document.body).backgroundColor"
    before = driver.execute_script(script)
    button.click()
    assert driver.execute_script(script) != before
    assert button.get_attribute("aria-pressed") in ("true", "false")
