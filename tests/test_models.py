from typing import Any, get_args

import numpy as np
import pytest
import torch

from src.core.errors import UserError
from src.models import forward, networks
from src.models.device import layer_precision
from src.models.forward import shifted
from src.models.recipes import Augmentation, Recipe
from src.training.augmentation import TrainingImages

CPU = torch.device("cpu")
SMALLEST = {"quick": 20, "cnn": 12}
MODELS = ["linear", "mlp", *SMALLEST]


def recipe(model: str) -> Recipe:
    plain: dict[str, Any] = {"loss": "cross_entropy", "optimizer": "adamw", "lr": 0.01, "batch_size": 8, "epochs": 1}
    return Recipe.model_validate(plain | {"model": model, "shuffle": True})


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("side", "classes"), [(28, 10), (8, 26), (21, 2), (27, 3)])
def test_every_network_maps_images_to_one_logit_per_class(model: str, side: int, classes: int) -> None:
    side = max(side, SMALLEST.get(model, 1))
    network = networks.build(recipe(model), side, classes, seed=0)
    assert network(torch.rand(5, side, side, dtype=torch.float32)).shape == (5, classes)


def test_the_networks_are_those_that_a_recipe_can_name() -> None:
    assert [*networks.BY_NAME] == MODELS == [*get_args(Recipe.model_fields["model"].annotation)]


@pytest.mark.parametrize("model", MODELS)
def test_the_seed_decides_the_weights(model: str) -> None:
    first, again, other = (networks.build(recipe(model), 20, 3, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize(("model", "smallest"), SMALLEST.items())
def test_images_too_small_for_a_network_are_refused(model: str, smallest: int) -> None:
    with pytest.raises(UserError, match=f"model: {model} takes images of {smallest}x{smallest} pixels or more"):
        networks.build(recipe(model), smallest - 1, 10, seed=0)


def test_channels_are_those_of_the_recipe_one_number_for_each_convolution() -> None:
    narrow = networks.build(recipe("cnn").model_copy(update={"channels": [2, 3, 4, 5, 6]}), 28, 10, seed=0)
    shapes = [tuple(weight.shape[:2]) for weight in narrow.parameters() if weight.ndim == 4]
    assert shapes == [(2, 1), (3, 2), (4, 3), (5, 4), (6, 5)]
    with pytest.raises(UserError, match="channels: cnn has 5 convolutions, and the list 2 numbers"):
        networks.build(recipe("cnn").model_copy(update={"channels": [2, 3]}), 28, 10, seed=0)


def test_bfloat16_is_used_where_the_processor_has_it_and_leaves_the_weights_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mixed = recipe("cnn").model_copy(update={"precision": "bfloat16"})
    network, images = networks.build(mixed, 28, 10, seed=0), torch.rand(4, 28, 28)
    expected = network(images)
    for capability in ("avx512_bf16", "amx_bf16", "avx2"):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=capability: {found: True})
        has_it = capability != "avx2"
        assert layer_precision("bfloat16", CPU) == ("bfloat16" if has_it else "float32")
        logits = forward.compute(network, images, layer_precision("bfloat16", CPU))
        assert logits.dtype == torch.float32
        assert torch.equal(logits, expected) != has_it
        torch.testing.assert_close(logits, expected, atol=0.1, rtol=0.1)
        assert torch.equal(forward.compute(network, images, "float32"), expected)
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32, torch.int64}
    assert (layer_precision("float64", CPU), layer_precision("float32", CPU)) == ("float64", "float32")


@pytest.mark.parametrize(
    ("capability", "mixed"), [((6, 1), "float32"), ((7, 0), "float16"), ((7, 5), "float16"), ((8, 0), "bfloat16")]
)
def test_a_gpu_that_has_only_float16_takes_that_for_bfloat16(
    capability: tuple[int, int], mixed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    found = [layer_precision(name, torch.device("cuda")) for name in ("bfloat16", "float32", "float64")]
    assert found == [mixed, "float32", "float64"]
    assert layer_precision("bfloat16", torch.device("mps")) == "float32"


def distort(images: torch.Tensor, augmentation: Augmentation, generator: torch.Generator) -> torch.Tensor:
    distorted = recipe("cnn").model_copy(update={"augmentation": augmentation})
    return next(TrainingImages(images, distorted, generator).epoch(torch.zeros(len(images)), len(images), None))[0]


def spot(side: int = 28) -> torch.Tensor:
    """Return an image with one bright square above and left of its centre."""
    image = torch.zeros(1, side, side)
    image[0, 8:12, 10:14] = 1
    return image


def centre(image: torch.Tensor) -> tuple[float, float]:
    """Return row and column of the centre of brightness."""
    places = torch.arange(image.shape[0], dtype=image.dtype)
    return tuple(float((image.sum(dim) * places).sum() / image.sum()) for dim in (1, 0))  # type: ignore[return-value]  # two of them


def test_no_distortion_is_the_image_itself() -> None:
    torch.testing.assert_close(distort(spot(), Augmentation(), torch.Generator()), spot(), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "augmentation",
    [
        Augmentation(rotation=15),
        Augmentation(zoom=0.2),
        Augmentation(shear=0.2),
        Augmentation(shift=2),
    ],
    ids=lambda augmentation: " ".join(augmentation.model_fields_set),
)
def test_each_distortion_changes_images_each_in_its_own_way(augmentation: Augmentation) -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = distort(spot().repeat(2, 1, 1), augmentation, generator)
    assert not torch.allclose(one, other)
    assert not torch.allclose(one, spot()[0])
    assert one.min() >= 0 and one.max() <= 1.001
    again, _ = distort(spot().repeat(2, 1, 1), augmentation, torch.Generator().manual_seed(0))
    assert torch.equal(one, again)


@pytest.mark.parametrize("side", [28, 56])
def test_shifts_stay_within_their_size_in_proportion_to_the_image_and_reach_all_sides(side: int) -> None:
    moved = distort(spot(side).repeat(500, 1, 1), Augmentation(shift=2), torch.Generator().manual_seed(0))
    offsets = (np.array([centre(image) for image in moved]) - centre(spot(side)[0])) * 28 / side
    assert np.abs(offsets).max() <= 2.01
    assert (offsets.min(axis=0) < -1.8).all() and (offsets.max(axis=0) > 1.8).all()


def test_rotation_keeps_the_distance_from_the_centre_and_the_angle_in_bounds() -> None:
    turned = distort(spot().repeat(200, 1, 1), Augmentation(rotation=30), torch.Generator().manual_seed(0))
    middle = 13.5
    start = np.array(centre(spot()[0])) - middle
    ends = np.array([centre(image) for image in turned]) - middle
    np.testing.assert_allclose(np.linalg.norm(ends, axis=1), np.linalg.norm(start), rtol=0.03)
    angles = np.degrees(np.arctan2(ends[:, 0], ends[:, 1]) - np.arctan2(start[0], start[1]))
    assert np.abs(angles).max() <= 30.5
    assert angles.min() < -27 and angles.max() > 27


def test_views_are_shifted_by_whole_pixels_in_proportion_to_the_image() -> None:
    of_two = recipe("cnn").model_copy(update={"test_time_shift": 2})
    assert [of_two.view_shift(side) for side in (28, 56, 64, 14, 8, 6)] == [2, 4, 5, 1, 1, 0]
    assert recipe("cnn").view_shift(28) == 0


def test_shifted_copies_are_the_image_and_its_eight_neighbours() -> None:
    views = shifted(spot(), 1)
    row, column = centre(spot()[0])
    found = {tuple(round(place, 4) for place in centre(view[0])) for view in views}
    assert found == {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)}
    assert torch.equal(views[4], spot())
