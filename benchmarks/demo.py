"""The page of `make demo` in Chromium: seconds until its model is ready, milliseconds from a stroke to its bars.

`make bench` makes pages of three recipes for this; `python -m benchmarks.demo` measures the demo.html that is there.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

from benchmarks.full_data import FOLD, FullData
from benchmarks.timing import Row
from benchmarks.training import train_as_the_stage
from src.data.images import ImageSet
from src.demo import build, export, page
from src.models.recipes import Recipe

RECIPES = ("linear", "quick", "cnn")
IMAGES = 1000  # to train on: how well the model is trained makes no difference here
SCORES = {"images": 1, "accuracy": 1.0, "ci_low": 0.0, "ci_high": 1.0}  # the page shows some
ROUNDS, STROKES = 3, 10
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
READY = "return performance.getEntriesByName('until the model is ready').map(entry => entry.duration)[0]"
DRAW = """
    const [strokes, done] = arguments;
    const canvas = document.querySelector("#canvas");
    const {left, top, width} = canvas.getBoundingClientRect();
    canvas.setPointerCapture = () => {};  // there is no real pointer to capture
    const measured = () => performance.getEntriesByName("from a stroke to the bars");
    const frame = () => new Promise(requestAnimationFrame);
    const send = (type, share) => canvas.dispatchEvent(new PointerEvent(type, {
        isPrimary: true, clientX: left + width * (0.4 + 0.2 * share), clientY: top + width * (0.2 + 0.6 * share)}));
    (async () => {
        for (let stroke = 0; stroke < strokes; stroke++) {
            send("pointerdown", 0);
            for (let point = 1; point < 30; point++) { send("pointermove", point / 30); await frame(); }
            send("pointerup", 1);
            while (measured().length === stroke) await frame();
        }
        done(measured().map(entry => entry.duration));
    })();
"""


def measure(data: FullData, recipes: dict[str, Recipe]) -> list[Row]:
    """Time the pages of `RECIPES`."""
    if not has_browser():
        return [Row("the page: not measured, for chromium or chromedriver is missing", "", "", "")]
    with TemporaryDirectory() as folder:
        pages = [_write(Path(folder), name, recipes[name], data.first(IMAGES)) for name in RECIPES]
        return [_row(name, *time_page(file)) for name, file in zip(RECIPES, pages, strict=True)]


def main() -> None:
    """Time the page in the current folder."""
    if not has_browser():
        raise SystemExit("error: chromium or chromedriver is missing")
    if not build.PAGE.exists():
        raise SystemExit(f"error: {build.PAGE}: there is no page yet; run `make demo` first")
    print(_row(str(build.PAGE), *time_page(build.PAGE)))


def has_browser() -> bool:
    """Say whether Chromium and its driver are on the PATH."""
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


def time_page(file: Path) -> tuple[list[float], list[float]]:
    """Return the seconds until the model is ready, one for each round, and the milliseconds of each stroke."""
    seconds: list[float] = []
    milliseconds: list[float] = []
    for _ in range(ROUNDS):
        with TemporaryDirectory(ignore_cleanup_errors=True) as profile:  # nothing is in the browser's caches
            options = webdriver.ChromeOptions()
            for flag in (*FLAGS, f"--user-data-dir={profile}"):
                options.add_argument(flag)
            options.binary_location = str(shutil.which("chromium"))
            with webdriver.Chrome(options, Service(str(shutil.which("chromedriver")))) as browser:
                browser.set_script_timeout(600)
                browser.get(file.absolute().as_uri())
                seconds.append(WebDriverWait(browser, 60, 0.05).until(lambda _: browser.execute_script(READY)) / 1000)
                milliseconds += browser.execute_async_script(DRAW, STROKES)
    return seconds, milliseconds


def _write(folder: Path, name: str, recipe: Recipe, labelled: ImageSet) -> Path:
    checkpoint, _ = train_as_the_stage(recipe.model_copy(update={"epochs": 1}), labelled)
    export.write(folder / name / "model.onnx", [checkpoint], {})
    description = export.Description(checkpoint.classes.tolist(), checkpoint.side, False, name, [FOLD], [0], SCORES, "")
    file = folder / f"{name}.html"
    file.write_text(page.render(description, (folder / name / "model.onnx").read_bytes(), labelled), encoding="utf-8")
    return file


def _row(name: str, seconds: Sequence[float], milliseconds: Sequence[float]) -> Row:
    found = f"{median(seconds):.1f}, {median(milliseconds):.0f} (the slowest {max(milliseconds):.0f})"
    return Row(f"the page, {name}: seconds to load, ms from a stroke to the bars", "", found, "")


if __name__ == "__main__":
    main()
