"""The forward pass over a whole set of images, batch by batch and without gradients."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import pad

BATCH_SIZE = 250


@torch.no_grad()
def logits(network: nn.Module, images: NDArray[np.float32], shift: int = 0) -> Iterator[Tensor]:
    """Yield logits of shape (V, B, C) for batches of `images`, shape (N, side, side), by a network in evaluation mode.

    V is 1 where `shift` is 0. Otherwise it is 9: for the image itself and its eight copies shifted by that many pixels.
    """
    weight = next(network.parameters())
    network.eval()
    for start in range(0, len(images), BATCH_SIZE):
        batch = torch.from_numpy(np.array(images[start : start + BATCH_SIZE])).to(weight.device, weight.dtype)
        yield torch.stack([network(view) for view in shifted(batch, shift)])


def shifted(images: Tensor, shift: int) -> list[Tensor]:
    """Return `images` (B, side, side) and its eight copies shifted by `shift` pixels; only `images` if that is 0."""
    if shift == 0:
        return [images]
    side = images.shape[1]
    padded = pad(images, (shift, shift, shift, shift))
    starts = (0, shift, 2 * shift)
    return [padded[:, down : down + side, right : right + side] for down in starts for right in starts]
