"""The forward pass: of a training batch, and of a whole set of images without gradients."""

from collections.abc import Iterator
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from src.core.arrays import Array
from src.models import preprocessing
from src.models.recipes import Preprocessing

BATCH_SIZE = 250


def compute(network: nn.Module, batch: Tensor, precision: str) -> Tensor:
    """Return the logits (B, C), in the data type of `batch`, of a training batch (B, side, side).

    The layers run in automatic mixed precision if `precision`, as `device.layer_precision` returns it, is bfloat16.
    """
    with torch.autocast(batch.device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext():
        logits: Tensor = network(batch)
    return logits.to(batch.dtype)


@torch.no_grad()
def logits(
    network: nn.Module, images: Array, shift: int = 0, settings: Preprocessing | None = None
) -> Iterator[Tensor]:
    """Yield logits of shape (V, B, C) for batches of `images`, shape (N, side, side), by a network in evaluation mode.

    The images are preprocessed as `settings` say, if any. The layers compute in the data type of the weights, never in
    bfloat16: apart from rounding errors, predictions are then the same on every processor and in every runtime. V is 1
    where `shift` is 0, and otherwise 9: the image itself and its eight copies shifted by that many pixels.
    """
    weight = next(network.parameters())
    network.eval()
    for images_ in preprocessing.batches(images, settings, BATCH_SIZE):
        batch = torch.from_numpy(images_).to(weight.device, weight.dtype)
        yield torch.stack([network(view) for view in shifted(batch, shift)])


def shifted(images: Tensor, shift: int) -> list[Tensor]:
    """Return `images` (B, side, side) and its eight copies shifted by `shift` pixels; only `images` if that is 0."""
    if shift == 0:
        return [images]
    side = images.shape[1]
    padded = pad(images, (shift, shift, shift, shift))
    starts = (0, shift, 2 * shift)
    return [padded[:, down : down + side, right : right + side] for down in starts for right in starts]
