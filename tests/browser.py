"""Pages in a real browser: Debian's Chromium, headless."""

import json
import re
import shutil
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

needs_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the PATH")


def start(folder: Path) -> webdriver.Chrome:
    """Start a browser that keeps what it writes in a folder."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options, Service(str(DRIVER)))


def resize(browser: webdriver.Chrome, width: int, height: int, scheme: str) -> None:
    """Set the size of the window, that of a phone below 600 pixels, and the colour scheme, `light` or `dark`."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def requested(browser: webdriver.Chrome, url: str) -> list[str]:
    """Return the URLs that the page has requested since the last call, but for those that hold their own data."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    # Chromium's own start page may still be loading
    asked = [request["request"]["url"] for request in sent if request["documentURL"] == url]
    return [address for address in asked if not address.startswith("data:")]


def luminance(colour: str) -> float:
    """Return the relative luminance, as WCAG defines it, of a colour such as `rgb(1, 2, 3)`."""
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def assert_contrast(browser: webdriver.Chrome, dark: bool, *selectors: str) -> None:
    """Check that the page is dark, or bright, and that the text in these elements has WCAG's contrast to it."""
    page = luminance(browser.find_element("css selector", "body").value_of_css_property("background-color"))
    assert (page < 0.5) == dark
    for selector in selectors:
        text = luminance(browser.find_element("css selector", selector).value_of_css_property("color"))
        lighter, darker = max(text, page), min(text, page)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, selector
