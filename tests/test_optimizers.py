"""Torch's kernels called directly change the weights as `torch.optim` does, bit by bit."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from src.check import Params
from src.core import params
from src.models import networks
from src.models.recipes import Recipe
from src.training import optimizers
from src.training.schedule import learning_rate
from tests.conftest import ROOT, Project

STEPS = 40
RECIPES = params.validate(params.read(), Params, []).recipes
CHANGES: dict[str, dict[str, Any]] = {
    name: {"model": model, "optimizer": optimizer} | settings
    for name, model, optimizer, settings in [
        ("plain sgd", "linear", "sgd", {}),
        ("sgd with momentum", "mlp", "sgd", {"momentum": 0.9}),
        ("sgd with decay", "quick", "sgd", {"weight_decay": 0.1, "schedule": "cosine"}),
        ("sgd with both in float64", "linear", "sgd", {"momentum": 0.5, "weight_decay": 0.1, "precision": "float64"}),
        ("adamw without decay", "linear", "adamw", {"betas": [0.5, 0.9]}),
        ("adamw with decay", "quick", "adamw", {"weight_decay": 0.3, "warm_up": 0.3, "schedule": "linear"}),
        ("adamw in float64", "mlp", "adamw", {"weight_decay": 0.1, "precision": "float64"}),
    ]
}
PLAIN = {"loss": "cross_entropy", "lr": 0.02, "batch_size": 8, "epochs": 1, "shuffle": True}
ALL = RECIPES | {name: Recipe.model_validate(PLAIN | changes) for name, changes in CHANGES.items()}


def by_torch(recipe: Recipe, network: nn.Module, rate: Tensor | None = None) -> torch.optim.Optimizer:
    """Return torch's own optimizer, which decays all weights but biases and batch normalizations."""
    groups = [
        {"params": [weight for weight in network.parameters() if weight.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [weight for weight in network.parameters() if weight.ndim == 1], "weight_decay": 0.0},
    ]
    lr = recipe.lr if rate is None else rate
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=recipe.momentum, fused=True)
    betas = (recipe.betas[0], recipe.betas[1])
    return torch.optim.AdamW(groups, lr=lr, betas=betas, fused=True, capturable=rate is not None)


def trained(recipe: Recipe, learn: Callable[[nn.Module], Callable[[Tensor, float], None]]) -> list[Tensor]:
    """Return the weights after each step of a training on random images, all in one tensor."""
    generator = torch.Generator().manual_seed(0)
    network = networks.build(recipe, 28, 10, seed=0)
    step, dtype = learn(network), next(network.parameters()).dtype
    found = []
    for number in range(STEPS):
        images, labels = torch.rand(8, 28, 28, generator=generator), torch.randint(10, (8,), generator=generator)
        network.zero_grad()
        # from step to step the gradients have other sizes, so that rounding differs too
        loss = nn.functional.cross_entropy(network(images.to(dtype)), labels) * 10 ** (number % 5 - 2)
        step(loss, learning_rate(recipe, number / STEPS))
        found.append(torch.cat([weight.detach().flatten() for weight in network.parameters()]))
    return found


def assert_equal(found: list[Tensor], expected: list[Tensor]) -> None:
    assert len(found) == STEPS and all(map(torch.equal, found, expected))
    assert not torch.equal(found[0], found[-1])


@pytest.mark.parametrize("name", ALL)
def test_every_step_changes_the_weights_as_torch_s_optimizer_does(name: str) -> None:
    recipe = ALL[name]

    def ours(network: nn.Module) -> Callable[[Tensor, float], None]:
        optimizer = optimizers.BY_NAME[recipe.optimizer](recipe, network)

        def step(loss: Tensor, rate: float) -> None:
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step(rate)

        return step

    def torch_s(network: nn.Module) -> Callable[[Tensor, float], None]:
        optimizer = by_torch(recipe, network)

        def step(loss: Tensor, rate: float) -> None:
            loss.backward()  # type: ignore[no-untyped-call]
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()

        return step

    assert_equal(trained(recipe, ours), trained(recipe, torch_s))


@pytest.mark.parametrize("name", ["linear", "sgd with momentum", "adamw with decay"])
def test_a_learning_rate_in_a_tensor_as_a_captured_step_has_it(name: str) -> None:
    recipe = ALL[name]

    def learn(network: nn.Module, mine: bool) -> Callable[[Tensor, float], None]:
        place = torch.zeros(())
        own, other = optimizers.BY_NAME[recipe.optimizer](recipe, network), by_torch(recipe, network, place)

        def step(loss: Tensor, rate: float) -> None:
            place.fill_(rate)
            loss.backward()  # type: ignore[no-untyped-call]
            own.step(place) if mine else other.step()

        return step

    assert_equal(*(trained(recipe, lambda network, mine=mine: learn(network, mine)) for mine in (True, False)))


@pytest.mark.parametrize("name", ["plain sgd", "sgd with momentum", "adamw without decay", "adamw with decay"])
def test_float16_s_scaler_scales_and_skips_a_step_whose_gradients_are_not_finite(name: str) -> None:
    recipe, infinite = ALL[name], {3, 4, 20}

    def learn(network: nn.Module, mine: bool) -> Callable[[Tensor, float], None]:
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=5)
        own, other = optimizers.BY_NAME[recipe.optimizer](recipe, network), by_torch(recipe, network)
        number = 0

        def step(loss: Tensor, rate: float) -> None:
            nonlocal number
            scaler.scale(loss * (torch.inf if number in infinite else 1)).backward()  # type: ignore[no-untyped-call]
            number += 1
            for group in other.param_groups:
                group["lr"] = rate
            # torch's types expect an optimizer of its own
            scaler.step(own, rate) if mine else scaler.step(other)  # type: ignore[arg-type]
            scaler.update()

        return step

    found, expected = (trained(recipe, lambda network, mine=mine: learn(network, mine)) for mine in (True, False))
    assert_equal(found, expected)
    assert [number for number in range(1, STEPS) if torch.equal(found[number], found[number - 1])] == [*infinite]


def test_weights_decay_and_biases_and_normalizations_do_not() -> None:
    recipe, network = ALL["adamw with decay"], networks.build(ALL["quick"], 28, 10, seed=0)
    decaying, others = optimizers.AdamW(recipe, network).param_groups
    assert decaying["weight_decay"] == 0.3 and others["weight_decay"] == 0
    assert {weight.ndim for weight in decaying["params"]} == {2, 4}
    assert {weight.ndim for weight in others["params"]} == {1}
    assert len(decaying["params"]) + len(others["params"]) == len([*network.parameters()])


@pytest.mark.parametrize("name", ["linear", "quick"])
def test_training_on_a_cpu_imports_no_compiler(name: str, finished: Project) -> None:
    """It would take as long as importing torch."""
    code = (
        "import sys, torch; from pathlib import Path; from src.core import params; from src.data import images; "
        "from src.models import recipes; from src.training.loop import train; "
        "labelled = images.open_set(Path(sys.argv[1])); "
        f"recipe = recipes.get({name!r}).model_copy(update={{'epochs': 1}}); "
        "train(recipe, 4, 0, labelled, torch.device('cpu')); print('torch._dynamo' in sys.modules)"
    )
    printed = Project(ROOT).run("python", "-c", code, str(finished.root / "data/normalized/labelled"))
    assert printed.splitlines()[-1] == "False"
