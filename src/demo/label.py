"""Label pictures of single digits with the trained ensemble: `python -m src.demo.label digit.png`."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from src.core import cli
from src.core.errors import UserError
from src.inference import ensemble

MODELS = Path("models")


def main(pictures: list[Path]) -> None:
    """Print the label of each picture and the probability that the ensemble gives it."""
    members = ensemble.read(MODELS)
    images = np.stack([read_picture(picture, members[0].side) for picture in pictures])
    blocks = ensemble.Ensemble(members, torch.device("cpu")).predict(images)
    probabilities = np.concatenate([of_members.mean(axis=1) for of_members in blocks])
    for picture, of_classes in zip(pictures, probabilities, strict=True):
        print(f"{picture}  {members[0].classes[of_classes.argmax()]}  {of_classes.max():.3f}")


def read_picture(path: Path, side: int) -> NDArray[np.float32]:
    """Return a picture as an image for the model, shape (side, side), in [0, 1], bright ink on a dark ground.

    A picture of that size is taken as it is, any other as `fitted` makes it. Dark ink on a bright ground is inverted.

    Raises:
        UserError: the file is missing, is no picture, or shows nothing.
    """
    try:
        with Image.open(path) as picture:
            rgba = picture.convert("RGBA")
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file") from None
    except (OSError, Image.DecompressionBombError):
        raise UserError(f"{path}: not a picture; give a PNG or JPEG file") from None
    on_white = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    ink = np.asarray(on_white.convert("L"), dtype=np.float32) / np.float32(255)
    border = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
    if np.median(border) > 0.5:
        ink = 1 - ink
    if ink.max() - np.median(ink) < 0.1:
        raise UserError(f"{path}: shows no ink; write one digit, dark on white or white on dark")
    return ink if ink.shape == (side, side) else fitted(ink, side)


def fitted(ink: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return the image of some ink, made as MNIST's were (LeCun et al., 1998).

    The ink is scaled, its aspect kept, to fit a box of 20x20 pixels, anti-aliased, and moved by whole pixels until its
    centre of mass is in the centre of an image of 28x28 pixels. Images of another side are made in proportion.

    Args:
        ink: shape (height, width), from about 0, the ground, to 1.
        side: height and width of the result.
    """
    ground, brightest = np.median(ink), ink.max()
    # a clean ground, and full contrast
    ink = np.clip(((ink - ground) / (brightest - ground) - 0.15) / 0.7, 0, 1)
    rows, columns = (np.flatnonzero(ink.max(axis=axis) > 0) for axis in (1, 0))
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = round(20 / 28 * side) / max(box.shape)
    height, width = (max(1, round(scale * length)) for length in box.shape)
    small = np.asarray(Image.fromarray(box).resize((width, height), Image.Resampling.BOX))
    centre = [np.average(np.arange(small.shape[axis]), weights=small.sum(axis=1 - axis)) for axis in (0, 1)]
    top, left = (
        min(max(round(side / 2 - float(middle)), 0), side - length)
        for middle, length in zip(centre, small.shape, strict=True)
    )
    image = np.zeros((side, side), dtype=np.float32)
    image[top : top + height, left : left + width] = small
    return image


if __name__ == "__main__":
    cli.run(main)
