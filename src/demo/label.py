"""Label pictures of what the model was trained on, such as digits: `python -m src.demo.label digit.png`."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from src.core import cli
from src.core.errors import UserError
from src.demo import ink
from src.inference import ensemble

MODELS = Path("models")


def main(pictures: list[Path]) -> None:
    """Print the label of each picture and the probability that the ensemble gives it."""
    members = ensemble.read(MODELS)
    images = np.stack([read_picture(picture, members[0].side, members[0].bright_background) for picture in pictures])
    blocks = ensemble.Ensemble(members, torch.device("cpu")).predict(images)
    probabilities = np.concatenate([of_members.mean(axis=1) for of_members in blocks])
    for picture, of_classes in zip(pictures, probabilities, strict=True):
        print(f"{picture}  {members[0].classes[of_classes.argmax()]}  {of_classes.max():.3f}")


def read_picture(path: Path, side: int, bright_background: bool = False) -> NDArray[np.float32]:
    """Return a picture as an image for the model, shape (side, side), in [0, 1].

    A picture of that size is taken as it is. From any other, `ink.fit` makes an image with the background of the
    training images: dark, or bright.

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
    image = ink.fit(ink.ink_of_picture(np.asarray(on_white)[..., :3], side, bright_background), side)
    if image.min() == image.max():
        raise UserError(f"{path}: shows no ink; it must be darker or brighter than the background")
    return 1 - image if bright_background else image


if __name__ == "__main__":
    cli.run(main)
