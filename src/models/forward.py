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
"""The batch size of prediction on a CPU; on a GPU it is `preprocessing.CHUNK`."""

UNSURE = 0.8
"""The confidence below which the probabilities are averaged over shifted views."""


def compute(network: nn.Module, batch: Tensor, precision: str) -> Tensor:
    """Return the logits (B, C), in the data type of `batch`, of a training batch (B, side, side).

    The layers run in automatic mixed precision if `precision`, as `device.layer_precision` returns it, has 16 bits.
    """
    mixed = {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(precision)
    # a layer reads its weights once: a cache of them is of no use, and a CUDA graph must not have one
    autocast = nullcontext() if mixed is None else torch.autocast(batch.device.type, mixed, cache_enabled=False)
    with autocast:
        logits: Tensor = network(batch)
    return logits.to(batch.dtype)


@torch.no_grad()
def probabilities(network: nn.Module, images: Array, shift: int, settings: Preprocessing | None) -> Iterator[Tensor]:
    """Yield the probabilities (B, C) of the `batches` of images.

    Where the confidence is below `UNSURE` and `shift` is not 0, they are the mean over the views with this shift. It
    would change hardly any other label.
    """
    for batch in batches(network, images, settings):
        found = network(batch).softmax(dim=1)
        unsure = found.amax(dim=1) < UNSURE
        if shift and unsure.any():
            found[unsure] = of_views(network, batch[unsure], shift).mean(dim=0)
        yield found


def of_views(network: nn.Module, images: Tensor, shift: int) -> Tensor:
    """Return the probabilities (9, B, C) of `images` (B, side, side), in the middle, and of their shifted copies."""
    views = shifted(images, shift)
    # all views are one batch, so that the graph of the ONNX model does not grow with them
    found: Tensor = network(torch.cat(views)).softmax(dim=1)
    return found.reshape(len(views), -1, found.shape[1])


def shifted(images: Tensor, shift: int) -> list[Tensor]:
    """Return `images` (B, side, side), in the middle of the list, and its eight copies shifted by `shift` pixels."""
    side = images.shape[1]
    padded = pad(images[:, None], (shift, shift, shift, shift), mode="replicate")[:, 0]
    starts = (0, shift, 2 * shift)
    return [padded[:, down : down + side, right : right + side] for down in starts for right in starts]


def batches(network: nn.Module, images: Array, settings: Preprocessing | None) -> Iterator[Tensor]:
    """Yield `images`, shape (N, side, side), preprocessed as `settings` say, for a network in evaluation mode.

    The layers compute in the data type of the weights, never in bfloat16: apart from rounding errors, predictions are
    then the same on every processor and in every runtime.
    """
    weight = next(network.parameters())
    network.eval()
    size = preprocessing.CHUNK if weight.is_cuda else BATCH_SIZE
    for batch in preprocessing.batches(images, settings, size):
        yield torch.from_numpy(batch).to(weight.device, weight.dtype)
