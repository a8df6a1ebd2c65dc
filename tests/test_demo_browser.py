"""The page to draw on in a real browser."""

import io
import math
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from src.data.images import ImageSet, open_set
from src.demo import export
from src.demo.page import render as page_html
from src.models import recipes
from src.training.loop import train
from tests.browser import assert_contrast, needs_browser, requested, resize, start
from tests.conftest import Project
from tests.demos import page_url, with_demo

pytestmark = [pytest.mark.slow, needs_browser]

Stroke = Sequence[tuple[float, float]]
"""Points, as shares of the width and height of the canvas."""

STROKES: dict[str, list[Stroke]] = {
    "0": [[(0.5 + 0.2 * math.sin(turn), 0.5 - 0.3 * math.cos(turn)) for turn in np.linspace(0, 2 * math.pi, 13)]],
    "1": [[(0.5, 0.2), (0.5, 0.5), (0.5, 0.8)]],
    "3": [
        [(0.36, 0.27), (0.45, 0.2), (0.58, 0.22), (0.62, 0.33), (0.55, 0.43), (0.45, 0.47)],
        [(0.45, 0.47), (0.57, 0.5), (0.65, 0.6), (0.63, 0.72), (0.52, 0.8), (0.36, 0.75)],
    ],
    "7": [[(0.3, 0.25), (0.5, 0.25), (0.7, 0.25), (0.6, 0.45), (0.5, 0.65), (0.45, 0.82)]],
}
SMALL_7 = [(0.05 + x / 4, 0.05 + y / 4) for x, y in STROKES["7"][0]]
"""In the upper left corner."""


@dataclass
class Page:
    """The page in a browser."""

    browser: webdriver.Chrome

    def open(self, url: str, width: int = 1100, scheme: str = "light") -> None:
        """Open the page and wait until its model is ready."""
        resize(self.browser, width, 900, scheme)
        self.browser.get(url)
        WebDriverWait(self.browser, 60, 0.05).until(lambda _: self.find("html").get_attribute("data-ready") is not None)

    def find(self, selector: str) -> WebElement:
        """Return the first element that a CSS selector selects."""
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def draw(self, *strokes: Stroke, kind: str = "mouse") -> None:
        """Draw with a mouse, a finger (`touch`) or a `pen`, and wait for the bars."""
        canvas, before = self.find("#canvas"), len(self.milliseconds())
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
        width, height = canvas.size["width"], canvas.size["height"]
        for stroke in strokes:
            action = ActionBuilder(self.browser, mouse=PointerInput(kind, kind), duration=5)
            for place, (x, y) in enumerate(stroke):
                action.pointer_action.move_to(canvas, round((x - 0.5) * width), round((y - 0.5) * height))
                if place == 0:
                    action.pointer_action.pointer_down()
            action.pointer_action.pointer_up()
            action.perform()
        WebDriverWait(self.browser, 10, 0.02).until(lambda _: len(self.milliseconds()) == before + len(strokes))

    def open_file(self, path: Path) -> None:
        """Choose a file by the page's button, and wait until the page says what it found."""
        self.browser.execute_script("document.querySelector('#result').textContent = ''")
        self.find("#file").send_keys(str(path))
        WebDriverWait(self.browser, 10, 0.02).until(lambda _: self.sentence())

    def milliseconds(self) -> list[float]:
        """Return the time from the end of each stroke to its bars."""
        script = "return performance.getEntriesByName('from a stroke to the bars').map(entry => entry.duration)"
        found: list[float] = self.browser.execute_script(script)
        return found

    def answer(self) -> str:
        """Return the label in large type."""
        return self.find("#answer").text

    def sentence(self) -> str:
        """Return what a screen reader reads out."""
        return self.find("#result").text.replace("\u00a0", " ")

    def probabilities(self) -> list[float]:
        """Return the exact values of the bars."""
        script = "return [...document.querySelectorAll('#bars data')].map(data => Number(data.value))"
        found: list[float] = self.browser.execute_script(script)
        return found

    def image(self, selector: str = "#image") -> NDArray[np.uint8]:
        """Return the ink of an image on the page."""
        script = """
            const canvas = document.querySelector(arguments[0]);
            const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return [canvas.width, [...data].filter((_, index) => index % 4 === 3)]"""
        width, ink = self.browser.execute_script(script, selector)
        return np.array(ink, dtype=np.uint8).reshape(-1, width)

    def nearest(self) -> list[str]:
        """Return the labels of the nearest labelled images, which are shown."""
        return [span.text for span in self.browser.find_elements(By.CSS_SELECTOR, "#nearest span")]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    driver = start(tmp_path_factory.mktemp("chromium"))
    driver.set_network_conditions(offline=True, latency=0, throughput=0)
    yield Page(driver)
    driver.quit()


def write_png(path: Path, image: NDArray[np.float32]) -> Path:
    """Write an image in [0, 1] as a gray PNG, white on black."""
    Image.fromarray(np.round(255 * image).astype(np.uint8)).save(path)
    return path


@pytest.mark.parametrize("name", ["linear", "ensemble"])
def test_drawn_digits_are_recognized(name: str, page: Page, finished: Project) -> None:
    page.open(page_url(finished, name))
    for digit, strokes in STROKES.items():
        page.draw(*strokes)
        assert page.answer() == digit
        shown = page.probabilities()
        assert len(shown) == 10
        assert sum(shown) == pytest.approx(1, abs=1e-5)
        assert page.find("#bars .best span").text == digit == str(np.argmax(shown))
        same = page.nearest().count(digit)
        second = sorted(shown)[-2]
        following = f"; next is {shown.index(second)}, with {100 * second:.1f} %" if second >= 0.0005 else ""
        assert page.sentence() == (
            f"The model reads {digit}, with a probability of {100 * max(shown):.1f} %{following}. "
            f"Of the 8 nearest labelled images, {same} {'is' if same == 1 else 'are'} labelled {digit}."
        )
        page.find("#clear").click()
    assert np.median(page.milliseconds()) < 100


@pytest.mark.parametrize("kind", ["touch", "pen"])
def test_a_finger_and_a_pen_draw_as_a_mouse_does(kind: str, page: Page, finished: Project) -> None:
    page.open(page_url(finished))
    page.draw(*STROKES["7"])
    by_mouse = page.image()
    page.open(page_url(finished))
    page.draw(*STROKES["7"], kind=kind)
    assert page.answer() == "7"
    assert np.array_equal(page.image(), by_mouse)


def test_the_image_is_made_as_those_of_mnist(page: Page, finished: Project) -> None:
    page.open(page_url(finished))
    for strokes in ([SMALL_7], *STROKES.values()):
        page.draw(*strokes)
        image = page.image() / 255
        assert image.shape == (28, 28)
        rows, columns = np.nonzero(image)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
        for axis in (0, 1):
            centre = image.sum(axis=1 - axis) @ np.arange(28) / image.sum()
            assert centre == pytest.approx(14, abs=0.51)  # as in the labelled images
        assert len(np.unique(image)) > 10  # gray edges
        page.find("#clear").click()

    images = np.load(with_demo(finished, "linear").root / "data/normalized/labelled/images.npy")
    assert images.sum(axis=(0, 1)) @ np.arange(28) / images.sum() == pytest.approx(14, abs=0.05)
    assert images.sum(axis=(0, 2)) @ np.arange(28) / images.sum() == pytest.approx(14, abs=0.05)


def test_without_fitting_the_model_gets_the_canvas_as_it_is(page: Page, finished: Project) -> None:
    page.open(page_url(finished))
    page.draw(SMALL_7)
    assert page.answer() == "7"
    page.find("#fit").click()
    WebDriverWait(page.browser, 5).until(lambda _: not page.image()[12:].any())
    rows, columns = np.nonzero(page.image())
    assert rows.min() >= 1 and rows.max() <= 9 and columns.min() >= 1 and columns.max() <= 9
    page.find("#fit").click()
    WebDriverWait(page.browser, 5).until(lambda _: page.image()[20:].any() and page.answer() == "7")


@pytest.mark.parametrize("recipe", ["linear", "ensemble"])
def test_test_images_have_the_probabilities_of_the_pipeline(
    recipe: str, page: Page, finished: Project, tmp_path: Path
) -> None:
    root = with_demo(finished, recipe).root
    images = np.load(root / "data/normalized/test/images.npy")[:20]
    expected = np.load(root / "data/predictions/test.npy")[:20].mean(axis=1)
    page.open(page_url(finished, recipe))
    page.find("#fit").click()
    for number, (image, probabilities) in enumerate(zip(images, expected, strict=True)):
        page.open_file(write_png(tmp_path / f"{number}.png", image))
        assert np.array_equal(page.image(), np.round(255 * image))
        np.testing.assert_allclose(page.probabilities(), probabilities, rtol=0, atol=1e-5)


def test_a_labelled_image_is_nearest_to_itself(page: Page, finished: Project, tmp_path: Path) -> None:
    folder = with_demo(finished, "linear").root / "data/normalized/labelled"
    image, label = np.load(folder / "images.npy")[5], np.load(folder / "labels.npy")[5]
    page.open(page_url(finished))
    page.find("#fit").click()
    page.open_file(write_png(tmp_path / "image.png", image))
    assert page.nearest()[0] == str(label)
    assert np.array_equal(page.image("#nearest canvas"), np.round(255 * image))


def test_a_picture_of_another_kind_is_read(page: Page, finished: Project, tmp_path: Path) -> None:
    paper = Image.new("RGB", (900, 600), (236, 228, 210))
    ImageDraw.Draw(paper).line([(620, 100), (700, 98), (665, 200), (650, 290)], (30, 40, 120), 16, joint="curve")
    paper.save(tmp_path / "7.jpg")
    see_through = Image.new("LA", (300, 300))
    ImageDraw.Draw(see_through).line([(150, 60), (148, 240)], (0, 255), 20)
    see_through.save(tmp_path / "1.png")
    page.open(page_url(finished, "ensemble"))
    for name in ("7.jpg", "1.png"):
        page.open_file(tmp_path / name)
        assert page.answer() == name[0]
    Image.new("L", (50, 50), 255).save(tmp_path / "blank.png")
    page.open_file(tmp_path / "blank.png")
    assert page.sentence() == "There is no ink in this picture."
    assert page.answer() == "?"


def test_a_file_that_is_no_picture_gets_a_sentence(page: Page, finished: Project, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Draw a 3.")
    page.open(page_url(finished))
    page.draw(*STROKES["7"])
    page.open_file(tmp_path / "notes.txt")
    assert page.sentence() == ("notes.txt is not a picture that this browser can read; choose a PNG or JPEG file.")
    assert page.answer() == "7"


def test_a_touch_draws_a_point(page: Page, finished: Project) -> None:
    page.open(page_url(finished))
    page.draw([(0.5, 0.5)])
    assert page.image()[14, 14] == 255
    assert page.answer() != "?"


def test_undo_and_clear(page: Page, finished: Project) -> None:
    page.open(page_url(finished))
    undo, clear = page.find("#undo"), page.find("#clear")
    assert not undo.is_enabled() and not clear.is_enabled()
    assert page.find("#hint").is_displayed()
    page.draw(STROKES["3"][0])
    first = page.image()
    page.draw(STROKES["3"][1])
    assert page.answer() == "3"
    undo.click()
    WebDriverWait(page.browser, 5).until(lambda _: np.array_equal(page.image(), first))
    clear.click()
    WebDriverWait(page.browser, 5).until(lambda _: page.answer() == "?")
    assert page.sentence() == "Draw a digit, or open a picture of one."
    assert not page.image().any() and not clear.is_enabled()
    page.find("body").send_keys(Keys.CONTROL, "z")
    WebDriverWait(page.browser, 5).until(lambda _: np.array_equal(page.image(), first))
    undo.click()
    assert not undo.is_enabled()


def test_it_needs_no_network_and_logs_no_error(page: Page, finished: Project) -> None:
    page.browser.get_log("browser"), page.browser.get_log("performance")
    page.open(page_url(finished))
    page.draw(*STROKES["0"])
    assert page.browser.get_log("browser") == []
    assert requested(page.browser, page_url(finished)) == [page_url(finished)]


def test_the_page_has_the_licences_of_what_it_holds(page: Page, finished: Project) -> None:
    page.open(page_url(finished))
    page.find("#notices summary").click()
    text = WebDriverWait(page.browser, 5).until(lambda _: page.find("#notices pre").text)
    assert text.startswith("MIT License\n\nCopyright (c) Microsoft Corporation")
    assert "THIRD PARTY SOFTWARE NOTICES" in text


def test_it_says_what_model_it_has(page: Page, finished: Project) -> None:
    for name, members in (
        ("linear", {"Recipe": "linear", "Fold": "4", "Seed": "0"}),
        ("ensemble", {"Recipe": "quick", "Folds": "3, 4", "Seeds": "0, 1"}),
    ):
        project = with_demo(finished, name)
        page.open(page_url(finished, name))
        scores = project.metrics("evaluate")
        assert dict(re.findall(r"(.+)\n(.+)", page.find("dl").text.replace("\u00a0", " "))) == members | {
            f"Accuracy on {scores['images']:,} validation images": f"{100 * scores['accuracy']:.2f} %",
            "95 % interval": f"{100 * scores['ci_low']:.1f} to {100 * scores['ci_high']:.1f} %",
            "Commit": project.run("git", "rev-parse", "HEAD")[:8],
        }
    headings = [heading.text for heading in page.browser.find_elements(By.CSS_SELECTOR, "h2")]
    assert headings == ["Nearest labelled images", "This model"]


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_contrast_in_light_and_dark(page: Page, finished: Project, scheme: str, dark: bool) -> None:
    page.open(page_url(finished), scheme=scheme)
    page.draw(*STROKES["1"])
    texts = ("#answer", "#result", "#bars .best", "#nearest span", "dt", "footer")
    assert_contrast(page.browser, dark, "body", ".lead", "figcaption", *texts)

    with Image.open(io.BytesIO(page.find("#canvas").screenshot_as_png)) as picture:
        pixels = np.asarray(picture.convert("L"))
    paper, ink = pixels[20, 20], pixels[pixels.shape[0] // 2, pixels.shape[1] // 2]
    assert (paper < 50 and ink > 200) if dark else (paper > 240 and ink < 50)


def test_a_phone_scrolls_only_down(page: Page, finished: Project) -> None:
    page.open(page_url(finished), width=400)
    page.draw(*STROKES["3"], kind="touch")
    assert page.answer() == "3"
    assert page.browser.execute_script("return document.documentElement.scrollWidth") == 400
    canvas = page.find("#canvas")
    assert canvas.size["width"] == canvas.size["height"] > 300
    for control in page.browser.find_elements(By.CSS_SELECTOR, "button, .button"):
        assert control.size["height"] >= 44


def test_the_keyboard_reaches_everything_visibly(page: Page, finished: Project, tmp_path: Path) -> None:
    page.open(page_url(finished))
    page.open_file(write_png(tmp_path / "1.png", np.eye(28, dtype=np.float32)))
    reached = []
    for _ in range(4):
        ActionChains(page.browser).send_keys(Keys.TAB).perform()
        focused = page.browser.switch_to.active_element
        reached.append(focused.get_attribute("id"))
        outlined = page.find(".button") if reached[-1] == "file" else focused
        assert outlined.value_of_css_property("outline-style") == "solid"
    assert reached == ["undo", "clear", "file", "fit"]
    names = [page.find(f"#{control}").accessible_name for control in reached]
    assert names[:3] == ["Undo", "Clear", "Open a picture"] and names[3].startswith("Scale and centre the ink")
    assert page.find("#result").aria_role == "status"  # what changes in it is read out
    page.find("#fit").send_keys(Keys.SPACE)
    assert not page.find("#fit").is_selected()
    page.find("#clear").send_keys(Keys.ENTER)
    WebDriverWait(page.browser, 5).until(lambda _: page.answer() == "?")
    assert page.browser.switch_to.active_element == page.find("#canvas")  # the disabled button cannot keep the focus


def letters(count: int) -> tuple[NDArray[np.uint8], list[str]]:
    """Return images of 8x8 pixels of the letters A to Z, printed in the fonts that come with matplotlib."""
    fonts = sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("DejaVu*.ttf"))
    fonts = [font for font in fonts if "Display" not in font.name]
    generator = np.random.default_rng(0)
    images, labels = [], []
    for number in range(count):
        letter = string.ascii_uppercase[number % 26]
        font = ImageFont.truetype(str(fonts[number // 26 % len(fonts)]), 200)
        printed = Image.new("L", (400, 400))
        ImageDraw.Draw(printed).text((200, 200), letter, 255, font, anchor="mm")
        printed = printed.rotate(generator.uniform(-8, 8), Image.Resampling.BILINEAR)
        ink = printed.crop(printed.getbbox())
        scale = 6 / max(ink.size)
        ink = ink.resize([max(1, round(scale * length)) for length in ink.size], Image.Resampling.BOX)
        rows, columns = np.asarray(ink, dtype=float).sum(axis=1), np.asarray(ink, dtype=float).sum(axis=0)
        centres = [along @ np.arange(len(along)) / along.sum() for along in (columns, rows)]
        image = Image.new("L", (8, 8))
        image.paste(ink, tuple(round(4 - centre) for centre in centres))
        images.append(np.asarray(image))
        labels.append(letter)
    return np.array(images), labels


def write_page(path: Path, labelled: ImageSet, epochs: int, lr: float = 0.5) -> None:
    """Write the page of a linear model that is trained on a set."""
    recipe = recipes.get("linear").model_copy(update={"epochs": epochs, "lr": lr})
    checkpoint, _ = train(recipe, fold=0, seed=0, labelled=labelled, device=torch.device("cpu"))
    export.write(path.with_suffix(".onnx"), [checkpoint], {})
    scores = {"accuracy": 0.9, "ci_low": 0.8, "ci_high": 1.0, "images": 312}
    description = export.Description(
        checkpoint.classes.tolist(), checkpoint.side, checkpoint.bright_background, "linear", [0], [0], scores, ""
    )
    html = page_html(description, path.with_suffix(".onnx").read_bytes(), labelled)
    path.write_text(html, encoding="utf-8")


@pytest.mark.parametrize(
    "names",
    [
        [f"class {number:02}, of a long name" for number in range(47)],
        ["Donaudampfschifffahrtsgesellschaft", "Norwegian Forest Cat", "AMMONIUM CHLORIDE"],
        [f"{number}" for number in range(20)],
    ],
    ids=["47 long names", "three very long ones", "20 numbers"],
)
def test_many_and_long_labels_keep_their_place(names: list[str], page: Page, tmp_path: Path) -> None:
    images, codes = np.random.default_rng(0).random((200, 8, 8), dtype=np.float32), np.arange(200)
    labelled = ImageSet(images, np.array(names)[codes % len(names)], (codes // len(names) % 5).astype(np.uint8))
    write_page(tmp_path / "demo.html", labelled, epochs=20)
    script = """
        const inside = (selector) =>
            [...document.querySelectorAll(selector)].every((found) => found.scrollWidth <= found.clientWidth);
        return ["html", "#answer", "#bars span:first-child", "#nearest span"].filter((one) => !inside(one))"""
    for width in (1100, 400):
        page.open((tmp_path / "demo.html").as_uri(), width=width)
        for number in range(3):
            page.open_file(write_png(tmp_path / f"{number}.png", images[number]))
            assert page.answer() in names
            answer, image = page.find("#answer").rect, page.find(".input").rect
            assert answer["x"] + answer["width"] <= image["x"] and answer["height"] < 160
            assert page.browser.execute_script(script) == []
        bars = page.browser.find_elements(By.CSS_SELECTOR, "#bars li")
        assert all(bar.find_element(By.CLASS_NAME, "bar").size["width"] >= 30 for bar in bars)
        assert len({bar.text.partition("\n")[0] for bar in bars}) == len(names)


def test_what_is_drawn_and_opened_gets_the_background_of_the_training_images(
    page: Page, tmp_path: Path, finished: Project
) -> None:
    digits = open_set(finished.root / "data/normalized/labelled")
    bright = replace(digits, images=1 - np.array(digits.images))
    write_page(tmp_path / "demo.html", bright, epochs=20, lr=0.01)
    page.open((tmp_path / "demo.html").as_uri())
    for digit in ("0", "1"):
        page.draw(*STROKES[digit])
        assert page.answer() == digit
        page.find("#clear").click()
    for number in range(3):
        page.open_file(write_png(tmp_path / f"{number}.png", np.array(bright.images[number])))
        assert page.nearest()[0] == str(digits.known_labels[number])
        assert np.array_equal(page.image(), np.round(255 * digits.images[number]))


def test_letters_of_another_size(page: Page, tmp_path: Path) -> None:
    images, labels = letters(26 * 60)
    order = np.random.default_rng(0).permutation(len(images))
    folds = (np.arange(len(images)) % 5).astype(np.uint8)
    labelled = ImageSet((images[order] / 255).astype(np.float32), np.array(labels)[order], folds)
    write_page(tmp_path / "demo.html", labelled, epochs=300)

    page.open((tmp_path / "demo.html").as_uri())
    assert page.find("h1").text == "Draw an image"
    assert "8 \N{MULTIPLICATION SIGN} 8 pixels" in page.find("figcaption").text
    assert "Commit" not in page.find("dl").text
    page.draw([(0.35, 0.2), (0.35, 0.8), (0.65, 0.8)])
    assert page.answer() == "L"
    assert page.image().shape == (8, 8)
    page.find("#clear").click()
    page.draw([(0.5, 0.2), (0.5, 0.8)], [(0.3, 0.2), (0.7, 0.2)])
    assert page.answer() == "T"
    shown = [bar.text for bar in page.browser.find_elements(By.CSS_SELECTOR, "#bars li > span:first-child")]
    assert shown == [*string.ascii_uppercase]
    page.open((tmp_path / "demo.html").as_uri(), width=400)
    assert page.browser.execute_script("return document.documentElement.scrollWidth") == 400
