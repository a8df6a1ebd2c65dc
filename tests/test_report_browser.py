"""The report in a real browser: Debian's Chromium, headless."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.conftest import Project

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the PATH")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def url(finished: Project) -> str:
    """Return the URL of the report of a run on the sample."""
    return Path(finished.root / "report.html").as_uri()


def show(browser: webdriver.Chrome, url: str, width: int = 1100, scheme: str = "light") -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(url)


def test_it_opens_without_an_error_or_a_request(browser: webdriver.Chrome, url: str) -> None:
    browser.get_log("browser"), browser.get_log("performance")
    show(browser, url)
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    # Chromium's own start page may still be loading
    asked = [request["request"]["url"] for request in sent if request["documentURL"] == url]
    assert [address for address in asked if not address.startswith("data:")] == [url]


def test_every_picture_is_drawn_and_described(browser: webdriver.Chrome, url: str) -> None:
    show(browser, url)
    pictures = browser.find_elements(By.TAG_NAME, "img")
    assert len(pictures) == 11
    for picture in pictures:
        assert int(picture.get_property("naturalWidth")) > 0
        # the figures of this run
        assert re.search(r"\d", picture.get_attribute("alt"))


def luminance(colour: str) -> float:
    """Return the relative luminance, as WCAG defines it, of a colour such as `rgb(1, 2, 3)`."""
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_text_keeps_its_contrast_in_light_and_dark(
    browser: webdriver.Chrome, url: str, scheme: str, dark: bool
) -> None:
    show(browser, url, scheme=scheme)
    page = luminance(browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color"))
    assert (page < 0.5) == dark
    for selector in ("body", ".lead", "figcaption", "summary", "nav a", "thead th"):
        text = luminance(browser.find_element(By.CSS_SELECTOR, selector).value_of_css_property("color"))
        lighter, darker = max(text, page), min(text, page)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, selector


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
