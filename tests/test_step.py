"""A captured step learns what a step learns that starts its operations one by one."""

import re
import sys
import tomllib
from collections.abc import Callable
from contextlib import nullcontext
from importlib.metadata import packages_distributions
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks import gpu
from src.data.images import ImageSet
from src.models import networks
from src.models.determinism import repeatable
from src.models.recipes import Recipe
from src.training import loop, step
from src.training.processes import ALONE, Processes
from src.training.step import CapturedStep, Step, make_step
from tests.conftest import ROOT, Project

RECIPES: dict[str, dict[str, Any]] = {
    "linear": {
        "model": "linear",
        "optimizer": "sgd",
        "lr": 0.5,
        "momentum": 0.9,
        "weight_decay": 0.1,
        "precision": "float64",
    },
    "notebook": {"model": "linear", "optimizer": "sgd", "lr": 0.5, "loss": "rmse"},
    "mlp": {"model": "mlp", "optimizer": "adamw", "lr": 0.0625, "weight_decay": 0.25, "precision": "bfloat16"},
    "quick": {"model": "quick", "optimizer": "adamw", "lr": 0.0625, "label_smoothing": 0.1, "precision": "bfloat16"},
    "cnn": {"model": "cnn", "optimizer": "adamw", "lr": 0.0625, "weight_decay": 0.25},
}
RATES = (0.0625, 0.5, 0.03125, 0.25, 0.125)
SIZES = (20, 20, 7, 20, 7)


class Graph(TorchDispatchMode):
    """What a CUDA graph is, on the CPU: the operations of a capture with their tensors at fixed places.

    A capture changes nothing but the state of Python, and refuses operations whose results Python has to wait for. A
    replay computes everything anew from the tensors that the capture read, into those that it wrote, and leaves the
    state of Python as it is.
    """

    capturing = False

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Callable[[], None]] = []
        self.before: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert not {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape} & {*func.tags}, f"{func} waits"
        kwargs = kwargs or {}
        for tensor in tensors((args, kwargs)):
            storage = tensor.untyped_storage()
            self.before.setdefault(storage.data_ptr(), (storage, storage.clone()))
        found = func(*args, **kwargs)

        def again() -> None:
            for place, value in zip(tensors(found), tensors(func(*args, **kwargs)), strict=True):
                if place.data_ptr() != value.data_ptr():  # neither a view nor changed in place
                    place.copy_(value)

        self.operations.append(again)
        return found

    def __enter__(self) -> Self:
        Graph.capturing = True
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        Graph.capturing = False
        super().__exit__(*error)
        for storage, value in self.before.values():
            storage.copy_(value)

    @torch.no_grad()
    def replay(self) -> None:
        """Compute again."""
        for operation in self.operations:
            operation()


def tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


GPU = torch.device("cuda")
NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="it needs a GPU")


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=NEEDS_GPU)])
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> torch.device:
    """Return a GPU, if there is one, and the CPU with the graph above in place of CUDA's."""
    if request.param == "cpu":
        stream = SimpleNamespace(wait_stream=lambda other: None, is_capturing=lambda: Graph.capturing)
        for name, value in {
            "cuda.CUDAGraph": Graph, "cuda.graph": lambda graph: graph, "cuda.Stream": lambda: stream,
            "cuda.current_stream": lambda: stream, "cuda.stream": lambda stream: nullcontext(),
            "accelerator.current_stream": lambda: stream,
            "accelerator.current_accelerator": lambda check_available=False: GPU if check_available else None,
        }.items():  # fmt: skip
            monkeypatch.setattr(f"torch.{name}", value)
    return torch.device(request.param)


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    """Return 600 real digits, 8x8, in four folds of consecutive rows."""
    images, labels = load_digits(return_X_y=True)
    folds = np.repeat(np.arange(4, dtype=np.uint8), 150)
    return ImageSet((images[:600] / 16).astype(np.float32).reshape(-1, 8, 8), labels[:600], folds)


def recipe(**changes: Any) -> Recipe:
    plain = {"loss": "cross_entropy", "batch_size": 20, "epochs": 1, "shuffle": True}
    return Recipe.model_validate(plain | changes)


def eager(*arguments: Any) -> Step:
    return Step(*arguments, ALONE)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", RECIPES)
def test_it_learns_the_same(name: str, device: torch.device) -> None:
    """The rate and the batch change from step to step, and every other batch is smaller."""
    generator, ours = torch.Generator().manual_seed(0), recipe(**RECIPES[name])
    dtype = torch.float64 if ours.precision == "float64" else torch.float32
    batches = [torch.rand(size, 28, 28, generator=generator).to(device, dtype) for size in SIZES]
    labels = [torch.randint(10, (size,), generator=generator).to(device) for size in SIZES]
    each = []
    for kind in (eager, CapturedStep):
        network = networks.build(ours, 28, 10, seed=0).to(device)
        take_step: Step = kind(ours, network, device)
        learned = []
        with repeatable():
            for batch, targets, rate in zip(batches, labels, RATES, strict=True):
                take_step(batch, targets, rate)
                learned.append({key: value.clone() for key, value in network.state_dict().items()})
        each.append((learned, take_step.means.loss, take_step.means.accuracy))
    (expected, *means), (found, *same_means) = each
    assert same_means == means
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
    assert not any(torch.equal(*pair) for pair in zip(found[0].values(), found[-1].values(), strict=True))


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_a_training_of_captured_steps_is_that_of_others(
    name: str, device: torch.device, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The learning rate is rounded to float32, so that the last digits differ."""
    ours = recipe(**RECIPES[name] | {"epochs": 3, "schedule": "linear", "precision": "float32"})
    curves = []
    for make in (eager, CapturedStep):
        monkeypatch.setattr(loop, "make_step", lambda *arguments, make=make: make(*arguments[:3]))
        curves.append(loop.train(ours, 3, 0, digits, device)[1])
    expected, found = curves
    assert [vars(point) for point in found] == [pytest.approx(vars(point), rel=1e-3) for point in expected]
    assert found[-1].train_loss < 0.9 * found[0].train_loss


@pytest.mark.parametrize(
    ("device", "processes", "capability", "captured"),
    [
        ("cuda", ALONE, 8, True),
        ("cuda", ALONE, 7, False),
        ("cuda", ALONE, 6, True),
        ("cuda", Processes(0, 1), 8, False),
        ("cuda", Processes(0, 2), 8, False),
        ("cpu", ALONE, 8, False),
    ],
)
def test_a_step_is_captured_on_a_gpu_but_not_in_float16_or_by_torchrun(
    device: str, processes: Processes, capability: int, captured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (capability, 0))
    for kind in (Step, CapturedStep):
        monkeypatch.setattr(step, kind.__name__, lambda *arguments, kind=kind: kind)
    found = make_step(recipe(**RECIPES["quick"]), torch.nn.Linear(1, 1), torch.device(device), processes)
    assert found == (CapturedStep if captured else Step)


def test_float16_learns_what_float32_learns(
    digits: ImageSet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A processor computes in it as a GPU without bfloat16 would."""
    accuracies = []
    for precision in ("float32", "float16"):
        monkeypatch.setattr(step, "layer_precision", lambda *arguments, precision=precision: precision)
        ours = recipe(**RECIPES["mlp"] | {"lr": 0.01, "epochs": 4, "schedule": "linear"})
        _, curve = loop.train(ours, 3, 0, digits, torch.device("cpu"))
        accuracies.append(curve[-1].validation_accuracy)
        assert f"training fold 3, seed 0, in {precision}" in capsys.readouterr().out
    assert accuracies == pytest.approx([max(accuracies)] * 2, abs=0.03) and max(accuracies) > 0.85


def test_the_benchmark_of_a_gpu_tells_seconds_accuracy_and_digest(
    finished: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the CPU, where both steps are eager."""
    monkeypatch.setattr(gpu, "GPU", torch.device("cpu"))
    found = []
    for kind in ("captured", "eager"):
        gpu.main("quick", str(finished.root / "data/normalized/labelled"), kind)
        seconds, *result = capsys.readouterr().out.splitlines()[-1].split()
        assert float(seconds) > 0
        found.append(result)
    (accuracy, digest), again = found
    assert float(accuracy) > 0.9 and re.fullmatch("[0-9a-f]{8}", digest) and again == [accuracy, digest]


@pytest.mark.skipif(torch.cuda.is_available(), reason="it would run for minutes")
def test_the_benchmark_of_a_gpu_needs_few_packages_and_says_that_there_is_none() -> None:
    needed = {"numpy", "pandas", "psutil", "pydantic", "pyyaml", "safetensors", "torch", "tqdm"}
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    others = {re.split(r"[=>]", line)[0] for line in content["project"]["dependencies"]} - needed
    assert len(others) > 8
    modules = [module for module, names in packages_distributions().items() if others & {*names}]
    code = f"import sys; sys.modules |= dict.fromkeys({modules}); import benchmarks.gpu, benchmarks.__main__ as all_; "
    said = Project(ROOT).run(sys.executable, "-c", code + "all_.main(['gpu'])", fails=True)
    assert said == "there is no GPU: torch finds no cuda on this machine\n"
