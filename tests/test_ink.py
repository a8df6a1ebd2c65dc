"""How pictures become images for the model: by the command and by the page alike."""

import json
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from src.demo import ink, page

NODE = shutil.which("node")

DRIVER = """
import { readFileSync } from "node:fs";
const { fit, inkOfPicture } = await import("data:text/javascript;base64," + readFileSync(process.argv[1], "base64"));
const pictures = JSON.parse(readFileSync(0, "utf-8")).map(({ pixels, width, height, side, bright }) => {
  const data = new Uint8ClampedArray(Buffer.from(pixels, "base64"));
  return [...fit(inkOfPicture({ data, width, height }, side, bright), side)];
});
console.log(JSON.stringify(pictures));
"""


def by_the_page(pictures: list[NDArray[np.uint8]], sides: list[int], bright: list[bool]) -> list[NDArray[np.float64]]:
    """Return the images that `ink.js` makes of RGB pictures."""
    sent: list[dict[str, Any]] = [
        {
            "pixels": b64encode(np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]).tobytes()).decode(),
            "height": picture.shape[0],
            "width": picture.shape[1],
            "side": side,
            "bright": bool(of_training),
        }
        for picture, side, of_training in zip(pictures, sides, bright, strict=True)
    ]
    done = subprocess.run(
        [str(NODE), "--input-type=module", "--eval", DRIVER, str(page.FOLDER / "ink.js")],
        input=json.dumps(sent), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [np.reshape(image, (side, side)) for image, side in zip(json.loads(done.stdout), sides, strict=True)]


def drawing(seed: int) -> NDArray[np.uint8]:
    """Return a drawing, shape (height, width, 3): lines of one colour on paper of another, now and then with noise."""
    generator = np.random.default_rng(seed)
    width, height = generator.integers(40, 500, 2).tolist()
    paper, pen = generator.integers(0, 90, 3), generator.integers(140, 256, 3)
    if seed % 2:
        paper, pen = pen, paper
    picture = Image.new("RGB", (width, height), tuple(paper.tolist()))
    for _ in range(generator.integers(1, 4)):
        points = [tuple(point) for point in (generator.random((4, 2)) * (width, height)).tolist()]
        ImageDraw.Draw(picture).line(points, tuple(pen.tolist()), int(generator.integers(2, 25)), joint="curve")
    noise = generator.normal(0, 6 * (seed % 3), (height, width, 3))
    return np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)


def plain(*box: int, size: tuple[int, int] = (100, 100)) -> NDArray[np.uint8]:
    """Return a black rectangle, from column and row to column and row, on white: its place is a tie of rounding."""
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).rectangle(box, "black")
    return np.asarray(picture)


@pytest.mark.skipif(NODE is None, reason="needs node on the PATH")
def test_the_command_and_the_page_make_the_same_image_of_twenty_drawings() -> None:
    pictures = [drawing(seed) for seed in range(14)]
    pictures += [
        plain(40, 30, 50, 69),
        plain(30, 30, 69, 69),
        plain(0, 0, 99, 20),
        plain(200, 5, 200, 5, size=(300, 9)),
    ]
    pictures += [drawing(14)[:28, :28], np.full((50, 60, 3), 255, dtype=np.uint8)]
    sides, bright = [28, 28, 8, 64, 27] * 4, [seed % 4 == 0 for seed in range(20)]
    sides[18] = 28  # a picture of the model's own side
    ours = [
        ink.fit(ink.ink_of_picture(picture, side, of_training), side)
        for picture, side, of_training in zip(pictures, sides, bright, strict=True)
    ]
    theirs = by_the_page(pictures, sides, bright)
    assert [image.any() for image in ours] == [True] * 19 + [False]
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        np.testing.assert_allclose(one, other, rtol=0, atol=2 / 255, err_msg=f"drawing {number}")


@pytest.mark.parametrize("seed", range(14))
def test_ink_fills_a_box_of_20_pixels_around_its_centre_of_mass(seed: int) -> None:
    image = ink.fit(ink.ink_of_picture(drawing(seed), 28, False), 28)
    inked = [np.flatnonzero(image.max(axis=axis) > 1e-6) for axis in (1, 0)]
    extents = [places[-1] + 1 - places[0] for places in inked]
    assert max(extents) in (20, 21)
    for axis, places in enumerate(inked):
        centre = image.sum(axis=1 - axis) @ np.arange(28) / image.sum()
        moved_as_far_as_it_fits = places[0] == 0 or places[-1] == 27
        assert moved_as_far_as_it_fits or centre == pytest.approx(14, abs=0.51)


def test_ink_far_from_its_centre_of_mass_stays_whole() -> None:
    picture = plain(10, 10, 89, 40)
    picture = np.minimum(picture, plain(10, 10, 12, 89))  # a heavy bar with a thin, long tail
    image = ink.fit(ink.ink_of_picture(picture, 28, False), 28)
    assert image[:, 0:8].max(axis=1).nonzero()[0].tolist() == [*range(8, 28)]


def test_pictures_in_the_training_s_own_form_stay_as_they_are() -> None:
    """Whatever their border: a part of the images of any set has one unlike the others'."""
    for bright in (False, True):
        for picture in (plain(5, 5, 20, 20, size=(28, 28)), 255 - plain(0, 0, 20, 27, size=(28, 28))):
            found = ink.fit(ink.ink_of_picture(picture, 28, bright), 28)
            np.testing.assert_allclose(1 - found if bright else found, picture[..., 0] / 255, atol=1e-6)


def test_the_rules_in_both_languages_have_the_same_names() -> None:
    names = {
        name for name in vars(ink) if getattr(vars(ink)[name], "__module__", "") in ("src.demo.ink", "src.data.images")
    }
    source = (Path(ink.__file__).parent / "ink.js").read_text(encoding="utf-8")
    for name in names:
        first, *others = name.split("_")
        assert f"function {first}{''.join(map(str.capitalize, others))}(" in source
