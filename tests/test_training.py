import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from src.core.errors import UserError
from src.data.images import ImageSet
from src.models import networks
from src.models.checkpoints import Checkpoint
from src.models.determinism import repeatable
from src.models.forward import probabilities
from src.models.recipes import Recipe
from src.training import losses
from src.training.augmentation import TrainingImages
from src.training.batches import BatchMeans, batch_size, batches
from src.training.loop import train
from src.training.schedule import learning_rate

CPU = torch.device("cpu")


def recipe(**changes: Any) -> Recipe:
    plain = {"model": "linear", "loss": "cross_entropy", "optimizer": "sgd", "lr": 0.5, "batch_size": 32, "epochs": 5}
    return Recipe.model_validate(plain | {"shuffle": True} | changes)


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    """Return 600 real digits, 8x8, labels 0 to 9, in four folds of consecutive rows."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    folds = np.repeat(np.arange(4, dtype=np.uint8), 150)
    return ImageSet((images[:600] / 16).astype(np.float32).reshape(-1, 8, 8), labels[:600], folds)


def with_others(labelled: ImageSet, fold: int) -> ImageSet:
    """Return the set with other images and labels in one fold."""
    images, labels, own = np.array(labelled.images), labelled.known_labels.copy(), labelled.known_folds == fold
    images[own], labels[own] = 1 - images[own], labels[own][::-1]
    return replace(labelled, images=images, labels=labels)


def equal(one: Checkpoint, other: Checkpoint) -> bool:
    return all(np.array_equal(values, other.weights[name]) for name, values in one.weights.items())


def plain_rmse(logits: Tensor, labels: Tensor) -> Tensor:
    return ((logits.softmax(dim=1) - one_hot(labels, logits.shape[1])) ** 2).mean().sqrt()


def test_rmse_is_the_root_of_the_mean_squared_difference() -> None:
    logits = 3 * torch.randn(7, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 3, 0, 1, 2])
    torch.testing.assert_close(losses.rmse(logits, labels), plain_rmse(logits, labels), rtol=1e-12, atol=0)
    smoothed = (logits.softmax(dim=1) - (one_hot(labels, 4).double() * 0.6 + 0.1)).square().mean().sqrt()
    torch.testing.assert_close(losses.rmse(logits, labels, label_smoothing=0.4), smoothed, rtol=1e-12, atol=0)


@pytest.mark.parametrize("loss_function", losses.BY_NAME.values(), ids=losses.BY_NAME)
def test_a_batch_without_any_loss_has_a_gradient_of_zero(loss_function: Callable[..., Tensor]) -> None:
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    loss = loss_function(logits, torch.tensor([0]), label_smoothing=0.0)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert loss == 0 and not gradient.any()


@pytest.mark.parametrize("loss_function", losses.BY_NAME.values(), ids=losses.BY_NAME)
def test_labels_as_a_column_are_an_error_in_the_loss(loss_function: Callable[..., Tensor]) -> None:
    """The notebook's bug: labels (N, 1) against predictions (N,) became (N, N) without an error."""
    with pytest.raises((ValueError, RuntimeError)):
        loss_function(torch.zeros(7, 4), torch.zeros(7, 1, dtype=torch.int64), label_smoothing=0.0)


def test_only_the_training_loss_is_smoothed(digits: ImageSet) -> None:
    """The cross-entropy of smoothed targets is at least their entropy, however well the network is trained."""
    (_, plain), (_, smooth) = (
        train(recipe(label_smoothing=share, epochs=20), 3, 0, digits, CPU) for share in (0.0, 0.5)
    )
    spread = 0.5 / 10
    entropy = -(0.55 * np.log(0.55) + 9 * spread * np.log(spread))
    assert plain[-1].train_loss < 0.2 < entropy <= smooth[-1].train_loss
    assert smooth[-1].validation_loss < entropy


@pytest.mark.parametrize("loss", ["cross_entropy", "rmse"])
def test_the_validation_loss_is_that_of_the_trained_network_on_its_whole_fold(loss: str, digits: ImageSet) -> None:
    trained, curve = train(recipe(loss=loss), 1, 0, digits, CPU)
    assert (trained.fold, trained.seed, trained.side) == (1, 0, 8)
    logits = digits.images[150:300].reshape(150, -1) @ trained.weights["weight"].T + trained.weights["bias"]
    expected = losses.BY_NAME[loss](torch.from_numpy(logits), torch.from_numpy(digits.known_labels[150:300]))
    assert curve[-1].validation_loss == pytest.approx(float(expected), rel=1e-5)


def test_the_notebook_recipe_is_the_notebook_s_algorithm(digits: ImageSet) -> None:
    """Plain SGD by autograd, batches in file order, images first: the same weights after three epochs."""
    notebook = recipe(loss="rmse", lr=0.01, batch_size=14, epochs=3, shuffle=False)
    trained, _ = train(notebook, 3, 0, digits, CPU)

    start = networks.build(notebook, 8, 10, seed=0)
    assert isinstance(start, networks.Linear)
    weight, bias = start.weight.detach().clone().requires_grad_(), start.bias.detach().clone().requires_grad_()
    assert weight.abs().max() <= 0.5
    pixels, labels = torch.from_numpy(digits.images[:450]).flatten(1), torch.from_numpy(digits.known_labels[:450])
    for _ in range(3):
        for begin in range(0, len(labels), 14):
            loss = plain_rmse(pixels[begin : begin + 14] @ weight.T + bias, labels[begin : begin + 14])
            gradients = torch.autograd.grad(loss, [weight, bias])
            with torch.no_grad():
                weight -= 0.01 * gradients[0]
                bias -= 0.01 * gradients[1]
    np.testing.assert_allclose(trained.weights["weight"], weight.detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(trained.weights["bias"], bias.detach().numpy(), atol=1e-6)


def test_training_learns_and_equal_seeds_give_equal_networks(digits: ImageSet) -> None:
    (first, curve), (again, _), (other, _) = (train(recipe(epochs=20), 3, seed, digits, CPU) for seed in (0, 0, 1))
    assert equal(first, again) and not equal(first, other)
    assert curve[-1].validation_accuracy > 0.8
    assert curve[-1].train_loss < curve[0].train_loss
    assert [point.epoch for point in curve] == list(range(2, 21, 2))


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("fold", range(4))
def test_a_fold_is_never_learned_from_by_the_network_that_it_validates(
    fold: int, shuffled: bool, digits: ImageSet
) -> None:
    """The notebook's bug: its validation set was cut from the training frame."""
    order = np.random.default_rng(0).permutation(600) if shuffled else slice(None)
    labelled = replace(digits, folds=digits.known_folds[order])
    trained, _ = train(recipe(), fold, 0, labelled, CPU)
    assert equal(train(recipe(), fold, 0, with_others(labelled, fold), CPU)[0], trained)
    assert not equal(train(recipe(), fold, 0, with_others(labelled, (fold + 1) % 4), CPU)[0], trained)


@pytest.mark.parametrize(("model", "fold"), [("mlp", 0), ("quick", 1), ("cnn", 3)])
def test_a_network_learns_the_same_twice_and_nothing_from_its_own_fold(model: str, fold: int, digits: ImageSet) -> None:
    large = replace(digits, images=digits.images[:].repeat(3, 1).repeat(3, 2))
    trained_well = recipe(
        model=model, label_smoothing=0.1, optimizer="adamw", lr=0.01, weight_decay=0.05, warm_up=0.2, schedule="linear",
        epochs=8, augmentation={"rotation": 8.0, "zoom": 0.08, "shear": 0.1, "shift": 1.0}, precision="bfloat16",
        preprocessing={"deslant": True},
    )  # fmt: skip
    one, curve = train(trained_well, fold, 0, large, CPU)
    assert equal(train(trained_well, fold, 0, with_others(large, fold), CPU)[0], one)
    assert curve[-1].validation_accuracy > 0.85


def test_a_fold_that_does_not_exist_is_refused(digits: ImageSet) -> None:
    with pytest.raises(UserError, match=r"^params\.yaml: folds: there is no fold 4; they are numbered from [^\n]*$"):
        train(recipe(), 4, 0, digits, CPU)


@pytest.mark.parametrize(("model", "side"), [("quick", 20), ("cnn", 12)])
def test_the_last_batch_and_the_fold_may_be_a_single_image_of_the_smallest_size(model: str, side: int) -> None:
    images = np.random.default_rng(0).random((34, side, side), dtype=np.float32)
    labelled = ImageSet(images, np.arange(34) % 2, (np.arange(34) == 7).astype(np.uint8))
    _, curve = train(recipe(model=model, epochs=1), 1, 0, labelled, CPU)
    assert curve[-1].validation_accuracy in (0, 1)


def test_after_few_batches_quick_predicts_as_well_as_it_trained() -> None:
    """By then torch's own running mean and variance of batch normalization still hold their initial values."""
    network = networks.build(recipe(model="quick"), 28, 10, 0)
    batch = torch.rand(64, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        trained = [network.train()(batch) for _ in range(15)][-1]
        assert (network.eval()(batch) - trained).abs().mean() < 0.1 * trained.std()


def test_a_learning_curve_ends_with_the_loss_and_the_accuracy_of_the_network_s_predictions(digits: ImageSet) -> None:
    """So validation images are preprocessed as those of any other prediction are."""
    deslanted = recipe(model="mlp", preprocessing={"deslant": True, "width": 16}, epochs=2)
    checkpoint, curve = train(deslanted, 3, 0, digits, CPU)
    network = networks.restore(checkpoint)
    _, validation_set = digits.split(3)
    predicted = torch.cat([*probabilities(network, validation_set.images, 0, deslanted.preprocessing)])
    of_labels = predicted[torch.arange(150), torch.from_numpy(validation_set.known_labels)]
    accuracy = (predicted.argmax(dim=1).numpy() == validation_set.known_labels).mean()
    assert curve[-1].validation_accuracy == pytest.approx(accuracy, abs=1e-12)
    assert curve[-1].validation_loss == pytest.approx(-of_labels.log().mean().item(), rel=1e-5)


def test_a_batch_is_at_most_a_thirtieth_of_the_training_images_and_says_so(
    digits: ImageSet, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the limit, a small set would get one step an epoch."""
    limited, _ = train(recipe(batch_size=15), 3, 0, digits, CPU)
    assert "batches of" not in capsys.readouterr().out
    larger, _ = train(recipe(batch_size=256), 3, 0, digits, CPU)
    assert equal(larger, limited)
    assert capsys.readouterr().out.startswith("batches of 15 in place of the recipe's 256: an epoch has at least 30\n")
    assert [batch_size(recipe(batch_size=256), count, 1) for count in (33_600, 7_680, 7_679, 31, 30, 2)] == [
        256, 256, 256, 2, 1, 1
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("batch_size", "epochs", "rate", "said"),
    [(15, 1, 1e-3, True), (9, 3, 1e-4, True), (15, 6, 1.0, False), (9, 4, 1e-4, False)],
    ids=["one epoch", "150 steps", "180 steps after which it overfits", "200 steps"],
)
def test_a_training_of_few_steps_that_learned_little_says_so(
    batch_size: int, epochs: int, rate: float, said: bool, digits: ImageSet, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = recipe(batch_size=batch_size, epochs=epochs, lr=rate, schedule="constant")
    _, curve = train(ours, 3, 0, digits, CPU)
    steps = epochs * math.ceil(450 / batch_size)
    assert curve[-1].validation_accuracy < 0.9 and (curve[-1].train_accuracy < 0.9) == (rate < 1)
    line = (
        f"the training accuracy is {curve[-1].train_accuracy:.3f} after only {steps} steps; more may raise it: raise "
        f"the recipe's epochs, {epochs}, or lower its batch_size, {batch_size}"
    )
    assert (line in capsys.readouterr().out.splitlines()) == said


@pytest.mark.parametrize("bright", [False, True])
def test_the_background_of_the_training_images_is_recorded(bright: bool, digits: ImageSet) -> None:
    shown = replace(digits, images=1 - np.array(digits.images) if bright else digits.images)
    assert train(recipe(epochs=1), 3, 0, shown, CPU)[0].bright_background == bright


@pytest.mark.parametrize(
    ("scale", "changes", "epoch"),
    [(1e38, {}, 1), (1e30, {"batch_size": 450}, 2), (1e30, {"batch_size": 450, "epochs": 1}, 1)],
    ids=["in an epoch", "after the one step of an epoch", "after the last step"],
)
def test_an_infinite_loss_is_refused(
    scale: float, changes: dict[str, int], epoch: int, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.training.batches.LEAST_BATCHES", 1)
    huge = replace(digits, images=digits.images * np.float32(scale))
    with pytest.raises(UserError, match=rf"^the loss became (nan|inf) in epoch {epoch}; lower the recipe's lr"):
        train(recipe(**changes), 3, 0, huge, CPU)


def test_a_device_without_the_recipe_s_precision_is_refused(digits: ImageSet) -> None:
    with pytest.raises(UserError, match="device: mps has no float64"):
        train(recipe(precision="float64"), 3, 0, digits, torch.device("mps"))


@pytest.mark.parametrize("model", ["linear", "mlp", "quick", "cnn"])
def test_batches_and_gradients_stay_on_the_device(model: str) -> None:
    """Torch's device `meta` computes nothing, but it refuses tensors of another device as a GPU does."""
    device, generator = torch.device("meta"), torch.Generator().manual_seed(0)
    distorted = recipe(model=model, preprocessing={"deslant": True, "width": 16}, augmentation={"rotation": 8.0})
    images = TrainingImages(torch.rand(70, 28, 28).to(device), distorted, generator)
    labels = torch.zeros(70, dtype=torch.long, device=device)
    network = networks.build(distorted, 28, 10, seed=0).to(device, torch.float32)
    means = BatchMeans(device, torch.float32)
    for batch, targets in images.epoch(labels, 32, generator):
        logits = network(batch)
        loss = losses.BY_NAME[distorted.loss](logits, targets)
        loss.backward()
        means.add(logits, targets, loss)
        assert loss.device == device
    assert all(weight.grad is not None and weight.grad.device == device for weight in network.parameters())


def test_settings_of_torch_are_applied_and_restored() -> None:
    def switches() -> tuple[bool, bool, bool, bool, int]:
        memory: Any = torch.utils.deterministic
        deterministic = torch.are_deterministic_algorithms_enabled()
        only_warns = torch.is_deterministic_algorithms_warn_only_enabled()
        filled, tf32 = memory.fill_uninitialized_memory, torch.backends.cudnn.allow_tf32
        return deterministic, only_warns, filled, tf32, torch.get_num_threads()

    before = switches()
    with repeatable(threads=before[4] + 1):
        assert switches() == (True, True, False, False, before[4] + 1)
    assert switches() == before
    with pytest.raises(RuntimeError), repeatable():
        assert switches() == (True, True, False, False, before[4])
        raise RuntimeError
    assert switches() == before


def test_training_leaves_torch_s_own_generator_alone(digits: ImageSet) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train(recipe(model="mlp", epochs=1), 3, 0, digits, CPU)
    assert torch.rand(1) == expected


@pytest.mark.parametrize("order", [None, torch.Generator().manual_seed(0)])
def test_batches_hold_every_image_once_and_the_last_is_smaller(order: torch.Generator | None) -> None:
    numbers = torch.arange(10)
    found = [numbers[chosen] for chosen in batches(10, 4, order)]
    assert [len(batch) for batch in found] == [4, 4, 2]
    assert sorted(torch.cat(found).tolist()) == list(range(10))
    assert (torch.cat(found).tolist() == list(range(10))) == (order is None)


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("settings", [{}, {"deslant": True}], ids=["raw", "deslanted"])
@pytest.mark.parametrize("limits", [None, {"rotation": 8.0, "zoom": 0.08, "shear": 0.1, "shift": 1.0}])
def test_batches_prepared_together_are_those_prepared_one_by_one(
    shuffled: bool, settings: dict[str, bool], limits: dict[str, float] | None, digits: ImageSet
) -> None:
    """A GPU prepares many at once; the random numbers come from the CPU's generator in the same order."""
    distorted = recipe(model="mlp", preprocessing=settings or None, augmentation=limits)

    def two_epochs(at_once: int) -> list[tuple[Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(0)
        pixels = torch.from_numpy(np.array(digits.images[:450]))
        images = TrainingImages(pixels, distorted, generator, at_once=at_once)
        order = generator if shuffled else None
        return [pair for _ in range(2) for pair in images.epoch(torch.arange(450), 32, order)]

    expected = two_epochs(at_once=1)
    assert [len(labels) for _, labels in expected] == 2 * (14 * [32] + [2])
    for at_once in (4, 100):
        for (batch, labels), (alone, its_labels) in zip(two_epochs(at_once), expected, strict=True):
            assert torch.equal(labels, its_labels) and torch.equal(batch, alone)


def test_means_are_over_images_not_over_batches() -> None:
    """The notebook's bug: it averaged the accuracies of batches although the last one is smaller."""
    means = BatchMeans(CPU, torch.float32)
    logits = torch.tensor([[1.0, 0.0]])
    means.add(logits.repeat(3, 1), torch.tensor([0, 0, 0]), torch.tensor(1.0))
    means.add(logits, torch.tensor([1]), torch.tensor(5.0))
    assert (means.loss, means.accuracy) == (2.0, 0.75)
    means.reset()
    means.add(logits, torch.tensor([0]), torch.tensor(7.0))
    assert (means.loss, means.accuracy) == (7.0, 1.0)


def test_the_rate_falls_from_its_highest_to_zero() -> None:
    cosine = recipe(schedule="cosine")
    assert [learning_rate(cosine, done) for done in (0, 0.5, 1)] == pytest.approx([0.5, 0.25, 0])
    assert learning_rate(recipe(), 0.7) == 0.5
    linear = recipe(schedule="linear", warm_up=0.2)
    assert [learning_rate(linear, done) for done in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0, 0.25, 0.5, 0.25, 0])
