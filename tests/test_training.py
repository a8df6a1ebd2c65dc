from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from src.core.errors import UserError
from src.data.images import ImageSet
from src.models.recipes import Recipe
from torch import Tensor
from torch.nn.functional import one_hot

from src import losses, models
from src.training import Tally, batches, learning_rate, make_optimizer, threads_for, train

CPU = torch.device("cpu")


def recipe(**changes: Any) -> Recipe:
    plain = {"model": "linear", "loss": "cross_entropy", "optimizer": "sgd", "lr": 0.5, "batch_size": 32, "epochs": 5}
    return Recipe.model_validate(plain | {"shuffle": True} | changes)


@pytest.fixture(scope="module")
def digits() -> tuple[ImageSet, ImageSet]:
    """Return 450 and 150 real digits, 8x8, labels 0 to 9."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    both = ImageSet((images[:600] / 16).astype(np.float32).reshape(-1, 8, 8), labels[:600])
    return both[:450], both[450:]


def plain_rmse(logits: Tensor, targets: Tensor) -> Tensor:
    return ((logits.softmax(dim=1) - targets) ** 2).mean().sqrt()


@pytest.mark.parametrize(
    ("loss_of", "plain"), [(losses.rmse, plain_rmse), (losses.cross_entropy, torch.nn.functional.cross_entropy)]
)
def test_the_closed_gradients_are_autograd_s(loss_of: losses.Loss, plain: Callable[[Tensor, Tensor], Tensor]) -> None:
    logits = 3 * torch.randn(7, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    logits.requires_grad_()
    targets = one_hot(torch.tensor([0, 1, 2, 3, 0, 1, 2])).double() * 0.9 + 0.025
    loss, gradient = loss_of(logits, targets)
    expected = plain(logits, targets)
    torch.testing.assert_close(loss, expected.detach(), rtol=1e-12, atol=0)
    torch.testing.assert_close(gradient, *torch.autograd.grad(expected, logits), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_closed_gradient_of_the_linear_model_is_autograd_s(precision: str) -> None:
    linear = models.build(recipe(precision=precision), 6, 4, seed=0)
    assert isinstance(linear, models.Linear)
    images = torch.rand(7, 6, 6, dtype=linear.weight.dtype)
    upstream = torch.randn(7, 4, dtype=linear.weight.dtype)
    linear.backward(images, upstream)
    weight, bias = linear.weight.detach().clone().requires_grad_(), linear.bias.detach().clone().requires_grad_()
    logits = images.flatten(1) @ weight.T + bias
    torch.testing.assert_close(linear(images), logits.detach())
    expected = torch.autograd.grad(logits, [weight, bias], upstream)
    torch.testing.assert_close([linear.weight.grad, linear.bias.grad], list(expected))


@pytest.mark.parametrize("loss_of", losses.BY_NAME.values(), ids=losses.BY_NAME)
def test_a_batch_without_any_loss_has_no_gradient(loss_of: losses.Loss) -> None:
    loss, gradient = loss_of(torch.tensor([[200.0, -200.0]]), torch.tensor([[1.0, 0.0]]))
    assert loss == 0 and not gradient.any()


@pytest.mark.parametrize("loss_of", losses.BY_NAME.values(), ids=losses.BY_NAME)
def test_targets_of_another_shape_are_an_error_in_the_loss(loss_of: losses.Loss) -> None:
    """The notebook's bug: labels (N, 1) against predictions (N,) became (N, N), in silence."""
    with pytest.raises(ValueError, match=r"\(7, 1\), not \(7, 4\)"):
        loss_of(torch.zeros(7, 4), torch.zeros(7, 1))


def test_the_targets_are_smoothed_as_the_recipe_says(digits: tuple[ImageSet, ImageSet]) -> None:
    """With all of the share spread, the best that training can reach is one prediction for everything."""
    (_, plain), (_, smooth) = (train(recipe(label_smoothing=share, epochs=20), 0, *digits, CPU) for share in (0.0, 0.5))
    spread = 0.5 / 10
    entropy = -(0.55 * np.log(0.55) + 9 * spread * np.log(spread))
    assert plain[-1].train_loss < 0.2 < entropy <= smooth[-1].train_loss


def test_the_notebook_recipe_is_the_notebook_s_algorithm(digits: tuple[ImageSet, ImageSet]) -> None:
    """Plain SGD by autograd, batches in file order, images first: the same weights after three epochs."""
    train_set, validation_set = digits
    notebook = recipe(loss="rmse", lr=0.01, batch_size=256, epochs=3, shuffle=False)
    trained, _ = train(notebook, 0, train_set, validation_set, CPU)

    start = models.build(notebook, 8, 10, seed=0)
    assert isinstance(start, models.Linear)
    weight, bias = start.weight.detach().clone().requires_grad_(), start.bias.detach().clone().requires_grad_()
    assert weight.abs().max() <= 0.5
    pixels, labels = torch.from_numpy(np.array(train_set.images)).flatten(1), torch.from_numpy(train_set.known_labels)
    targets = one_hot(labels)
    for _ in range(3):
        for begin in range(0, len(labels), 256):
            loss = plain_rmse(pixels[begin : begin + 256] @ weight.T + bias, targets[begin : begin + 256])
            gradients = torch.autograd.grad(loss, [weight, bias])
            with torch.no_grad():
                weight -= 0.01 * gradients[0]
                bias -= 0.01 * gradients[1]
    np.testing.assert_allclose(trained.weights["weight"], weight.detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(trained.weights["bias"], bias.detach().numpy(), atol=1e-6)


def test_training_learns_and_equal_seeds_give_equal_networks(digits: tuple[ImageSet, ImageSet]) -> None:
    (first, curve), (again, _), (other, _) = (train(recipe(epochs=20), seed, *digits, CPU) for seed in (0, 0, 1))
    assert np.array_equal(first.weights["weight"], again.weights["weight"])
    assert not np.array_equal(first.weights["weight"], other.weights["weight"])
    assert curve[-1].validation_accuracy is not None and curve[-1].validation_accuracy > 0.8
    assert curve[-1].train_loss < curve[0].train_loss
    assert [point.epoch for point in curve] == list(range(1, 21))


def test_the_validation_set_is_not_learned_from(digits: tuple[ImageSet, ImageSet]) -> None:
    """The notebook's bug: its validation set was cut from the training frame."""
    train_set, validation_set = digits
    inverted = ImageSet(1 - validation_set.images, validation_set.known_labels[::-1])
    one, other = (train(recipe(), 0, train_set, held_out, CPU)[0] for held_out in (validation_set, inverted))
    assert np.array_equal(one.weights["weight"], other.weights["weight"])


@pytest.mark.parametrize("model", ["mlp", "quick", "cnn"])
def test_a_network_learns_the_same_twice_and_nothing_from_the_validation_set(
    model: str, digits: tuple[ImageSet, ImageSet]
) -> None:
    train_set, validation_set = (ImageSet(one.images.repeat(3, 1).repeat(3, 2), one.labels) for one in digits)
    inverted = ImageSet(1 - validation_set.images, validation_set.known_labels[::-1])
    trained_well = recipe(
        model=model,
        label_smoothing=0.1,
        optimizer="adamw",
        lr=0.01,
        weight_decay=0.05,
        warm_up=0.2,
        schedule="linear",
        epochs=8,
        augmentation={"rotation": 8.0, "zoom": 0.08, "shear": 0.1, "shift": 1.0},
    )
    one, curve = train(trained_well, 0, train_set, validation_set, CPU)
    other, _ = train(trained_well, 0, train_set, inverted, CPU)
    assert all(np.array_equal(one.weights[name], other.weights[name]) for name in one.weights)
    assert curve[-1].validation_accuracy is not None and curve[-1].validation_accuracy > 0.85


@pytest.mark.parametrize(("model", "side"), [("quick", 20), ("cnn", 12)])
def test_the_last_batch_may_be_a_single_image_of_the_smallest_size(model: str, side: int) -> None:
    images = np.random.default_rng(0).random((33, side, side), dtype=np.float32)
    both = ImageSet(images, np.arange(33) % 2)
    _, curve = train(recipe(model=model, epochs=1), 0, both, both[:1], CPU)
    assert curve[-1].validation_accuracy in (0, 1)


def test_weights_decay_and_biases_and_normalizations_do_not() -> None:
    network = models.build(recipe(model="quick"), 28, 10, seed=0)
    decaying, others = make_optimizer(recipe(optimizer="adamw", weight_decay=0.3), network).param_groups
    assert decaying["weight_decay"] == 0.3 and others["weight_decay"] == 0
    assert {weight.ndim for weight in decaying["params"]} == {2, 4}
    assert {weight.ndim for weight in others["params"]} == {1}
    assert len(decaying["params"]) + len(others["params"]) == len([*network.parameters()])


def test_without_a_validation_set_the_curve_has_the_training_set_alone(digits: tuple[ImageSet, ImageSet]) -> None:
    _, curve = train(recipe(epochs=1), 0, digits[0], digits[1][:0], CPU)
    assert curve[0].validation_accuracy is None
    assert 0 <= curve[0].train_accuracy <= 1


def test_a_batch_larger_than_the_training_set_is_refused(digits: tuple[ImageSet, ImageSet]) -> None:
    with pytest.raises(UserError, match="batch_size, 451, is more than the 450 training images"):
        train(recipe(batch_size=451), 0, *digits, CPU)


def test_a_loss_that_is_not_finite_stops_with_epoch_and_rate(digits: tuple[ImageSet, ImageSet]) -> None:
    broken = ImageSet(digits[0].images * np.float32(1e38), digits[0].labels)
    with pytest.raises(UserError, match=r"the loss became nan in epoch 1 at a learning rate of 0\.5"):
        train(recipe(), 0, broken, digits[1], CPU)


def test_a_diverging_loss_stops_in_the_step_that_shows_it(digits: tuple[ImageSet, ImageSet]) -> None:
    """The first step makes weights that overflow in the second, of 75 in which the rate falls from 0.5 to 0."""
    huge = ImageSet(digits[0].images * np.float32(1e30), digits[0].labels)
    with pytest.raises(UserError, match=r"the loss became (nan|inf) in epoch 1 at a learning rate of 0\.49;"):
        train(recipe(schedule="linear"), 0, huge, digits[1], CPU)


def test_a_last_step_that_diverges_is_an_error(digits: tuple[ImageSet, ImageSet]) -> None:
    huge = ImageSet(digits[0].images * np.float32(1e30), digits[0].labels)
    with pytest.raises(UserError, match=r"the loss became (nan|inf) in epoch 1"):
        train(recipe(batch_size=450, epochs=1), 0, huge, digits[1][:0], CPU)


def test_a_device_without_the_recipe_s_precision_is_refused(digits: tuple[ImageSet, ImageSet]) -> None:
    with pytest.raises(UserError, match="device: mps has no float64"):
        train(recipe(precision="float64"), 0, *digits, torch.device("mps"))


def test_the_linear_model_takes_one_thread_and_gives_the_others_back() -> None:
    before = torch.get_num_threads()
    used = []
    torch.set_num_threads(2)
    try:
        for model in ("linear", "mlp"):
            with threads_for(models.build(recipe(model=model), 8, 10, seed=0)):
                used.append(torch.get_num_threads())
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert used == [1, 2]


@pytest.mark.parametrize("order", [None, torch.Generator().manual_seed(0)])
def test_batches_hold_every_image_once_and_the_last_is_smaller(order: torch.Generator | None) -> None:
    numbers = torch.arange(10)
    found = list(batches(numbers, numbers + 100, 4, order))
    assert [len(targets) for _, targets in found] == [4, 4, 2]
    assert sorted(torch.cat([images for images, _ in found]).tolist()) == list(range(10))
    assert all(torch.equal(images + 100, targets) for images, targets in found)


def test_means_are_over_images_not_over_batches() -> None:
    """The notebook's bug: it averaged the accuracies of batches although the last one is smaller."""
    tally = Tally()
    right, wrong = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    tally.add(right.repeat(3, 1), right.repeat(3, 1), torch.tensor(1.0))
    tally.add(wrong, right, torch.tensor(5.0))
    assert tally.means() == (2.0, 0.75)


def test_the_rate_falls_from_its_highest_to_zero() -> None:
    cosine = recipe(schedule="cosine")
    assert [learning_rate(cosine, done) for done in (0, 0.5, 1)] == pytest.approx([0.5, 0.25, 0])
    assert learning_rate(recipe(), 0.7) == 0.5
    linear = recipe(schedule="linear", warm_up=0.2)
    assert [learning_rate(linear, done) for done in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0, 0.25, 0.5, 0.25, 0])
