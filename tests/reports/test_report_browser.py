"""The page in a real browser, opened as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.build import build_report
from reports.model import ReportData
from tests.reports.cohorts import cohort, profile, with_cohorts

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
NASTY = "a </script><b>bold</b> & \"q\" 'x' \u00fc \u6f22\nnew line"


@pytest.fixture(scope="module")
def page_path(full_data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 24 actors with all that it can hold and an oddly named tool, in a file with an odd
    name. A page is compiled when it is first opened, which takes longest: so there is one.
    """
    folder = tmp_path_factory.mktemp("a report, \u00fc")
    cells = tuple(
        c.model_copy(
            update={
                "variant": NASTY if c.variant == "blur" else c.variant,
                "score": c.score and c.score.model_copy(update={"leaks": profile()}),
            }
        )
        for c in full_data.cells
    )
    data = full_data.model_copy(update={"cells": cells})
    data = with_cohorts(data, cohort(data, NASTY, naive=0.4, parrot=0.8, informed=None))
    return build_report(data, folder / "odd 'n\u00e4me'.html")


def open_page(driver: Any, path: Path, width_px: int) -> None:
    """The page at a width, as a phone would lay it out, with all scripts run."""
    metrics = {"width": width_px, "height": 900, "deviceScaleFactor": 1, "mobile": width_px < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get(path.resolve().as_uri())
    assert driver.execute_script("return document.documentElement.dataset.ready") == "1"


@pytest.fixture
def desk(driver: Any, page_path: Path) -> Any:
    """Chromium with the page at a desk's width. It stays open for the next test as long as tests
    only look at it: then they say so.
    """
    if not driver.execute_script("return Boolean(window.onlyLookedAt)"):
        driver.get_log("browser")
        driver.get_log("performance")
        prefer(driver, "light")
        open_page(driver, page_path, 1280)
    driver.execute_script("window.onlyLookedAt = false")
    return driver


def only_looked(driver: Any) -> None:
    driver.execute_script("window.onlyLookedAt = true")


OUTSIDE = """
return [...document.querySelectorAll('main *, header *')].filter(e =>
  e.getBoundingClientRect().right > arguments[0] + 1 && !e.closest('.scroll, .frame, svg, .skip')
).map(e => e.tagName + '.' + e.className);
"""


def test_the_page_fits_a_phone_and_draws_its_plots(driver: Any, page_path: Path) -> None:
    open_page(driver, page_path, 390)
    assert_fits_with_its_plots(driver, 390)
    drawn = driver.execute_script(
        "return [...document.querySelectorAll('.plot')].filter(p => p.dataset.drawn).length"
    )
    assert drawn == 8


def test_the_page_fits_a_desk_and_draws_its_plots(desk: Any) -> None:
    assert_fits_with_its_plots(desk, 1280)
    only_looked(desk)


def assert_fits_with_its_plots(driver: Any, width_px: int) -> None:
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
    outside = driver.execute_script(OUTSIDE, width_px)
    assert outside == [], "only a scrolling frame may hold something wider than the page"


def test_there_are_no_console_messages_and_no_requests(desk: Any) -> None:
    """Neither while the page was opened nor while the tests before this one looked at it."""
    assert [e for e in desk.get_log("browser") if e["level"] in ("SEVERE", "WARNING")] == []
    events = [json.loads(e["message"])["message"] for e in desk.get_log("performance")]
    asked = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
    # A browser that has just started has pages of its own.
    urls = [one["request"]["url"] for one in asked if one["documentURL"].startswith("file:")]
    assert urls
    assert [url for url in urls if not url.startswith(("file:", "data:", "blob:"))] == []
    only_looked(desk)


STRUCTURE = """
const all = q => [...document.querySelectorAll(q)];
return {
  captions: all('table').filter(t => !t.caption || !t.caption.textContent.trim()).length,
  scopes: all('th').filter(t => !t.scope).length,
  regions: all('[role=region]').filter(r => !r.getAttribute('aria-label')).length,
  plots: all('.plot').filter(p => (p.getAttribute('aria-label') || '').length < 20).length,
  images: all('img').filter(i => !i.alt || !i.complete || !i.naturalWidth).length,
  tables: all('table').length,
};
"""


def test_what_the_eye_sees_has_words_and_tables(desk: Any) -> None:
    found = desk.execute_script(STRUCTURE)
    assert found.pop("tables") > 10
    assert set(found.values()) == {0}, found
    only_looked(desk)


def test_odd_tool_names_are_shown_as_they_are_in_plots_and_tables(desk: Any) -> None:
    labels = desk.execute_script(
        "return [...document.querySelectorAll('#privacy-utility .annotation-text')]"
        ".map(t => t.textContent)"
    )
    plain = NASTY.replace("\n", " ")
    assert any(" ".join(label.split()) == plain for label in labels), labels
    first = desk.execute_script(
        "return document.querySelector('#glance tbody th').textContent.replace(/\\s+/g, ' ')"
    )
    assert first == plain
    only_looked(desk)


def test_a_table_is_sorted_with_the_keyboard(desk: Any) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    table = desk.find_elements(By.CSS_SELECTOR, "#actors table.sortable")[1]
    header = table.find_elements(By.CSS_SELECTOR, "thead th")[4]
    assert header.text.startswith("SW-OR")

    def column() -> list[float | None]:
        script = "return [...arguments[0].tBodies[0].rows].map(r => Number(r.cells[4].textContent))"
        found: list[float | None] = desk.execute_script(script, table)
        return found

    known = sorted(value for value in column() if value is not None)
    assert len(known) == 22, "two of 24 actors have no score"
    header.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert header.get_attribute("aria-sort") == "ascending"
    assert column() == [*known, None, None], "a missing value sorts last"
    header.find_element(By.TAG_NAME, "button").send_keys(Keys.SPACE)
    assert header.get_attribute("aria-sort") == "descending"
    assert column() == [*reversed(known), None, None]


COLOURS = """
const ink = document.querySelector('#privacy-utility .xtick text');
return [getComputedStyle(document.body).backgroundColor, ink.style.fill];
"""


def test_the_theme_follows_the_system_and_can_be_changed(desk: Any, page_path: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    light = desk.execute_script(COLOURS)
    button = desk.find_element(By.ID, "theme")
    assert (button.text, button.get_attribute("aria-pressed")) == ("Dark", "false")
    button.send_keys(Keys.ENTER)
    chosen = desk.execute_script(COLOURS)
    assert (button.text, button.get_attribute("aria-pressed")) == ("Light", "true")
    prefer(desk, "dark")
    open_page(desk, page_path, 1280)
    dark = desk.execute_script(COLOURS)
    assert dark != light
    assert chosen == dark, "plots are drawn again as well"


def prefer(driver: Any, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def test_the_keyboard_finds_the_skip_link_first_and_focus_is_seen(desk: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    desk.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    skip = desk.switch_to.active_element
    assert skip.text == "Skip to the content"
    assert skip.rect["x"] >= 0
    assert skip.value_of_css_property("outline-style") != "none"
    skip.send_keys(Keys.ENTER)
    assert desk.switch_to.active_element.get_attribute("id") == "main"
    desk.execute_script(
        "window.reached = [];"
        "addEventListener('focusin', event =>"
        " window.reached.push(event.target.className || event.target.tagName))"
    )
    ActionChains(desk).send_keys(Keys.TAB * 13).perform()
    reached = desk.execute_script("return window.reached")
    assert len(reached) == 13
    assert reached[0] == "SUMMARY", "the faces are unfolded by keyboard"
    assert reached[1] == "scroll", "a table that may be wider than the page scrolls by keyboard"
    assert reached.count("sort") >= 10


def test_paper_gets_black_plots_that_fit_it(driver: Any, page_path: Path) -> None:
    """The plots are drawn again when the browser prints, whatever the theme."""
    prefer(driver, "dark")
    open_page(driver, page_path, 1280)
    before = driver.execute_script(COLOURS)
    driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    ink = driver.execute_script(COLOURS)[1]
    assert ink in ("rgb(0, 0, 0)", "black")
    widths = driver.execute_script(
        "return [...document.querySelectorAll('.plot svg.main-svg')].map(s => s.clientWidth)"
    )
    assert widths
    assert max(widths) <= 700
    closed = driver.execute_script("return document.querySelectorAll('details.tool:not([open])')")
    assert closed == []
    driver.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert driver.execute_script(COLOURS) == before
    prefer(driver, "light")
