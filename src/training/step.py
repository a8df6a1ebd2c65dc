"""A step of training: forward pass, loss, backward pass, optimizer, and the means over the epoch.

On a GPU, Python takes longer to launch the hundred kernels of a step than they take to run. There the step is captured
as one CUDA graph, which is launched as a whole. **It was never run on a GPU**: `tests/test_step.py` compares it with
the eager step on a graph of its own, which records operations on the CPU and replays them, and where there is a GPU on
CUDA's.
"""

import torch
from torch import Tensor, nn

from src.models import forward
from src.models.device import layer_precision, torch_dtype
from src.models.recipes import Recipe
from src.training import losses, optimizers
from src.training.batches import BatchMeans
from src.training.processes import ALONE, Processes

WARM_UP = 3
"""Steps before a capture, in which libraries choose their algorithms."""


class Step:
    """An eager step, on every device.

    Attributes:
        means: loss and accuracy over the batches since they were last reset.
        precision: of the layers, as `device.layer_precision` returns it.
    """

    def __init__(self, recipe: Recipe, network: nn.Module, device: torch.device, processes: Processes) -> None:
        self.means = BatchMeans(device, torch_dtype(recipe.precision, device))
        self.precision = layer_precision(recipe.precision, device)
        self._recipe, self._network, self._processes = recipe, network, processes
        self._parallel = processes.parallel(network)
        self._optimizer = optimizers.BY_NAME[recipe.optimizer](recipe, network)
        # small gradients would be 0 in float16
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.precision == "float16")

    def __call__(self, images: Tensor, labels: Tensor, rate: float) -> None:
        """Learn from the labels (B,) of a batch and this process's share of its images (B, side, side)."""
        self._learn(images, labels, rate)

    def _learn(self, images: Tensor, labels: Tensor, rate: float | Tensor) -> None:
        logits = self._processes.gather(forward.compute(self._parallel, images, self.precision), len(labels))
        loss = losses.BY_NAME[self._recipe.loss](logits, labels, label_smoothing=self._recipe.label_smoothing)
        self._network.zero_grad()
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch's types lack it
        self._scaler.step(self._optimizer, rate)  # type: ignore[arg-type]  # it has all that is used of torch's
        self._scaler.update()
        self.means.add(logits, labels, loss)


class CapturedStep(Step):
    """The same step as one CUDA graph, in a single process.

    A graph uses fixed memory addresses and cannot read Python numbers. So each batch is copied to where its graph reads
    it, the learning rate is a tensor, and each batch size has a graph of its own.
    """

    def __init__(self, recipe: Recipe, network: nn.Module, device: torch.device) -> None:
        super().__init__(recipe, network, device, ALONE)
        self._rate = torch.zeros((), device=device)
        self._graphs: dict[int, tuple[torch.cuda.CUDAGraph, Tensor, Tensor]] = {}

    def __call__(self, images: Tensor, labels: Tensor, rate: float) -> None:
        """Do what `Step` does."""
        self._rate.fill_(rate)
        if len(labels) not in self._graphs:
            self._graphs[len(labels)] = self._captured(images.clone(), labels.clone())
        graph, images_place, labels_place = self._graphs[len(labels)]
        images_place.copy_(images)
        labels_place.copy_(labels)
        graph.replay()

    def _captured(self, images: Tensor, labels: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor, Tensor]:
        """Return a graph of a step that learns from these tensors, and them; nothing is learned yet."""
        before = [tensor.clone() for tensor in self._state()]
        side, current = torch.cuda.Stream(), torch.cuda.current_stream()  # type: ignore[no-untyped-call]  # torch lacks it
        side.wait_stream(current)
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                self._learn(images, labels, self._rate)
        current.wait_stream(side)
        for tensor, value in zip(self._state(), before, strict=True):
            tensor.copy_(value)
        self._network.zero_grad()  # the gradients belong to the graph
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._learn(images, labels, self._rate)
        return graph, images, labels

    def _state(self) -> list[Tensor]:
        """Return all tensors that a step changes."""
        return [*self._network.state_dict().values(), *self.means.sums, *self._optimizer.state]


def make_step(recipe: Recipe, network: nn.Module, device: torch.device, processes: Processes) -> Step:
    """Return a `CapturedStep` on a GPU, but a `Step` in float16 and in processes that torchrun started, even in one.

    In float16 torch also rescales the gradients in each step; whether that can be captured was not tried.
    """
    if device.type == "cuda" and processes is ALONE and layer_precision(recipe.precision, device) != "float16":
        return CapturedStep(recipe, network, device)
    return Step(recipe, network, device, processes)
