"""Training sets that do not fit into memory: their images are read from their file while earlier batches are processed.

The batches are the same as those of a set in memory, in the same random order, and so is the trained network.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import psutil
import torch
from torch import Tensor

from src.core import arrays
from src.core.arrays import Array
from src.models import preprocessing
from src.models.recipes import Recipe
from src.training.augmentation import TrainingImages
from src.training.batches import batches
from src.training.processes import Processes

SHARE = 0.25
"""The share of the memory that the labelled images may take."""

GROUP = 64
"""Batches that are read together, in the order of the file, while as many are processed."""


def fits_into_memory(images: Array, dtype: torch.dtype, device: torch.device) -> bool:
    """Whether all `images`, as `dtype`, take at most `SHARE` of the memory of this machine and of a GPU that trains."""
    memory: int = psutil.virtual_memory().total
    if device.type == "cuda":
        memory = min(memory, torch.cuda.get_device_properties(device).total_memory)
    return math.prod(images.shape) * dtype.itemsize <= SHARE * memory


def training_images(
    images: Array,
    recipe: Recipe,
    generator: torch.Generator,
    device: torch.device,
    dtype: torch.dtype,
    in_memory: bool,
    processes: Processes,
) -> TrainingImages:
    """Return the images of a training set, shape (N, side, side) in [0, 1], for training as `dtype` on `device`."""
    if not in_memory:
        return MappedImages(images, recipe, generator, device, dtype, processes.share)
    # a GPU prepares many batches in the time of one; on a CPU a single batch stays in its caches
    at_once = preprocessing.CHUNK // recipe.batch_size if device.type == "cuda" and processes.count == 1 else 1
    doing = "loading the training images" if processes.first else ""
    moved = torch.from_numpy(arrays.load(images, doing)).to(device, dtype)
    return TrainingImages(moved, recipe, generator, processes.share, max(1, at_once))


class MappedImages(TrainingImages):
    """What `TrainingImages` is, of images that stay in their file.

    `images` are float32, mapped from a file; `device` and `dtype` are those of the batches.
    """

    def __init__(
        self,
        images: Array,
        recipe: Recipe,
        generator: torch.Generator,
        device: torch.device,
        dtype: torch.dtype,
        share: Callable[[Tensor], Tensor],
    ) -> None:
        self._file, self._augmentation, self._generator = images, recipe.augmentation, generator
        self._share = share
        self._matrices = None
        self._device, self._dtype = device, dtype
        if recipe.preprocessing is not None:
            parts = (self._moved(torch.from_numpy(part)) for part in arrays.parts(images, preprocessing.CHUNK))
            self._matrices = torch.cat([preprocessing.matrices(part, recipe.preprocessing) for part in parts])

    def epoch(self, labels: Tensor, size: int, order: torch.Generator | None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield what `TrainingImages` yields, with images that a thread has read some batches ahead."""
        remaining = batches(len(labels), size, order)
        with ThreadPoolExecutor(max_workers=1) as reader:
            reading = reader.submit(self._read, [*islice(remaining, GROUP)])
            while group := reading.result():
                reading = reader.submit(self._read, [*islice(remaining, GROUP)])
                for one, images in group:
                    yield from self._batches(self._moved(images), one, labels[one], size)

    def _read(self, group: list[Tensor | slice]) -> list[tuple[Tensor | slice, Tensor]]:
        if not group:
            return []
        count = len(self._file)
        places = [np.arange(*one.indices(count)) if isinstance(one, slice) else one.numpy() for one in group]
        order = np.concatenate(places)
        ascending = np.argsort(order)  # the order of the file is the fastest to read in
        images = np.empty((len(order), *self._file.shape[1:]), dtype=np.float32)
        done = 0
        for part in arrays.parts(self._file, order=order[ascending]):
            images[ascending[done : done + len(part)]] = part
            done += len(part)
        return [*zip(group, torch.split(torch.from_numpy(images), [len(one) for one in places]), strict=True)]

    def _moved(self, images: Tensor) -> Tensor:
        return images.to(self._device, self._dtype)
