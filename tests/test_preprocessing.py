import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from torch.nn.functional import affine_grid, grid_sample

from src.data.images import open_set
from src.models import preprocessing
from src.models.preprocessing import MAX_SCALE, MAX_SHEAR, MIN_INK, apply, compose, matrices, warp
from src.models.recipes import SIDE, Augmentation, Preprocessing, Recipe
from src.training.augmentation import TrainingImages
from tests.conftest import Project

DESLANT = Preprocessing(deslant=True)


def bar(slant: float = 0.0, width: float = 4.0, side: int = 28) -> torch.Tensor:
    """Return an image with a bar of 16 pixels' height that leans `slant` pixels across for each pixel down."""
    rows, columns = torch.meshgrid(
        torch.arange(side) - (side - 1) / 2, torch.arange(side) - (side - 1) / 2, indexing="ij"
    )
    inside = (width / 2 + 0.5 - (columns - slant * rows).abs()).clamp(0, 1)
    return (inside * (rows.abs() < 8))[None]


def preprocess(image: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    return torch.from_numpy(np.asarray(apply(image.numpy(), preprocessing)))


def moments(image: torch.Tensor) -> tuple[float, float, float]:
    """Return the centre of mass, x and y, and the slant of an image's ink."""
    places = torch.arange(image.shape[-1], dtype=image.dtype)
    x = float((image.sum(0) * places).sum() / image.sum())
    y = float((image.sum(1) * places).sum() / image.sum())
    across, down = places[None, :] - x, places[:, None] - y
    return x, y, float((image * across * down).sum() / (image * down**2).sum())


@pytest.mark.parametrize("slant", [-0.6, -0.2, 0.0, 0.4])
def test_a_leaning_bar_stands_upright_where_it_was(slant: float) -> None:
    before, after = moments(bar(slant)[0]), moments(preprocess(bar(slant), DESLANT)[0])
    assert before[2] == pytest.approx(slant, abs=0.02)
    assert after == pytest.approx((before[0], before[1], 0), abs=0.02)


def test_what_leans_beyond_45_degrees_is_sheared_by_45() -> None:
    assert matrices(bar(1.4, side=60), DESLANT)[0, 0, 1] == pytest.approx(1.0)


def test_an_image_is_sheared_about_its_centre_of_mass() -> None:
    moved = torch.roll(bar(0.3), (5, -3), dims=(1, 2))
    assert moments(preprocess(moved, DESLANT)[0]) == pytest.approx((10.5, 18.5, 0), abs=0.02)


@pytest.mark.parametrize(
    ("width", "wanted", "found"), [(10, 16, 16), (10, 6, 6), (20, 16, 16), (4, 16, 8), (20, 6, 10)]
)
def test_a_digit_gets_the_width_but_at_most_twice_or_half_its_own(width: float, wanted: int, found: float) -> None:
    for slant in (0.0, 0.4):
        image = preprocess(bar(slant, width), Preprocessing(deslant=True, width=wanted))[0]
        assert float(image[8:20].sum(dim=1).mean()) == pytest.approx(found, rel=0.12)
        assert moments(image) == pytest.approx((13.5, 13.5, 0), abs=0.05)


def test_the_width_is_found_in_images_of_more_pixels_than_a_byte_counts() -> None:
    assert matrices(bar(width=112, side=308), Preprocessing(width=8))[0, 0, 0] == pytest.approx(112 / 88, abs=0.02)


def shear_and_scale(ink: NDArray[np.float32], preprocessing: Preprocessing) -> tuple[float, float]:
    """Return shear and scale of an image (side, side) by loops over its pixels: what `matrices` does with products."""
    side = len(ink)
    pixels = [(row, column, float(ink[row, column])) for row in range(side) for column in range(side)]
    mass = sum(value for _, _, value in pixels)
    shear, scale = 0.0, 1.0
    if mass and preprocessing.deslant:
        center_row = sum(row * value for row, _, value in pixels) / mass
        center_column = sum(column * value for _, column, value in pixels) / mass
        variance = sum((row - center_row) ** 2 * value for row, _, value in pixels) / mass
        covariance = sum((row - center_row) * (column - center_column) * value for row, column, value in pixels) / mass
        if variance > 1 / 16:
            shear = min(max(covariance / variance, -MAX_SHEAR), MAX_SHEAR)
    inked = [column - shear * row for row, column, value in pixels if value >= MIN_INK]
    if inked and preprocessing.width is not None:
        # from the left edge of the first pixel to the right edge of the last
        width = max(inked) + 0.5 - (min(inked) - 0.5)
        scale = min(max(width / (preprocessing.width * side / SIDE), 1 / MAX_SCALE), MAX_SCALE)
    return shear, scale


@pytest.mark.parametrize("side", [1, 5, 28])
@pytest.mark.parametrize("deslant", [False, True])
@pytest.mark.parametrize("bright", [False, True])
def test_the_box_of_the_ink_is_right_to_the_pixel(side: int, deslant: bool, bright: bool) -> None:
    generator = np.random.default_rng(0)
    images = np.zeros((200, side, side), dtype=np.float32)
    for image in images[1:]:  # blots of any size and place, with pixels above and below the threshold
        (top, bottom), (left, right) = (sorted(generator.integers(0, side, 2)) for _ in range(2))
        blot = image[top : bottom + 1, left : right + 1]
        blot[:] = generator.random(blot.shape) * (generator.random(blot.shape) < generator.uniform(0.2, 1))
    outermost = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    images = images[(outermost > 0.5).mean(axis=1) < 0.5]  # those whose background is dark
    wanted = Preprocessing(deslant=deslant, width=16)
    found = matrices(torch.from_numpy(1 - images if bright else images), wanted).numpy()
    expected = np.array([shear_and_scale(image, wanted) for image in (1 - (1 - images) if bright else images)])
    np.testing.assert_allclose(found[:, 0, 1], expected[:, 0], rtol=0, atol=1e-3)
    np.testing.assert_allclose(found[:, 0, 0], expected[:, 1], rtol=0, atol=1e-3)
    assert len(np.unique(expected[:, 1].round(3))) > side // 2


def test_the_width_of_one_axis_alone_changes() -> None:
    after = preprocess(bar(), Preprocessing(width=8))[0]
    assert torch.equal(after.sum(dim=1) > 0, bar()[0].sum(dim=1) > 0)


@pytest.mark.parametrize("side", [1, 2, 9, 28])
def test_an_image_without_ink_stays_as_it_is(side: int) -> None:
    assert torch.equal(
        matrices(torch.zeros(2, side, side), Preprocessing(deslant=True, width=16)), torch.eye(2, 3).repeat(2, 1, 1)
    )


def test_ink_in_one_row_has_no_slant() -> None:
    image = torch.zeros(1, 9, 9)
    image[0, 3, 1:7] = torch.rand(6)
    torch.testing.assert_close(preprocess(image, DESLANT), image, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("side", "dtype"), [(1, torch.float32), (9, torch.float64), (28, torch.float32)])
def test_images_are_resampled_as_torch_s_affine_grid_says(side: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(5, side, side, generator=generator, dtype=dtype)
    random = torch.eye(2, 3, dtype=dtype) + torch.randn(5, 2, 3, generator=generator, dtype=dtype) / 5
    grid = affine_grid(random, [5, 1, side, side], align_corners=False)
    expected = grid_sample(images[:, None], grid, padding_mode="border", align_corners=False)[:, 0]
    torch.testing.assert_close(warp(images, random), expected, atol=1e-5, rtol=0)


def test_the_background_may_be_bright(finished: Project) -> None:
    pixels = torch.tensor(open_set(finished.root / "data/split/test").images[:500])
    digits = pixels / 256  # 1 minus them is exact
    wanted = Preprocessing(deslant=True, width=16)
    of_digits, of_inverted = matrices(digits, wanted), matrices(1 - digits, wanted)
    torch.testing.assert_close(of_inverted, of_digits, atol=1e-4, rtol=0)
    assert (of_digits - torch.eye(2, 3)).abs().amax(dim=(1, 2)).min() > 1e-3
    torch.testing.assert_close(1 - warp(1 - digits, of_digits), warp(digits, of_digits), atol=1e-5, rtol=0)


@settings(max_examples=50, deadline=None)
@given(
    arrays.arrays(np.float32, st.integers(1, 12).map(lambda side: (3, side, side)), elements=st.floats(0, 1, width=32)),
    st.integers(1, 12),
)
def test_any_image_gets_a_bounded_matrix_whatever_stands_beside_it(images: np.ndarray, width: int) -> None:
    wanted = Preprocessing(deslant=True, width=width)
    found = matrices(torch.from_numpy(images), wanted)
    assert found.isfinite().all()
    assert found[:, 0, 1].abs().max() <= 1
    assert found[:, 0, 0].min() >= 0.5 and found[:, 0, 0].max() <= 2
    alone = matrices(torch.from_numpy(images[1:2]), wanted)
    torch.testing.assert_close(found[1:2], alone, atol=1e-4, rtol=1e-4)


def test_a_set_larger_than_a_chunk_is_preprocessed_image_by_image(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.cat([bar(slant) for slant in np.linspace(-0.5, 0.5, 7)])
    whole = preprocess(images, DESLANT)
    monkeypatch.setattr(preprocessing, "CHUNK", 3)
    torch.testing.assert_close(preprocess(images, DESLANT), whole)
    torch.testing.assert_close(torch.cat([preprocess(image[None], DESLANT) for image in images]), whole)
    assert apply(images.numpy(), None) is not None and np.array_equal(apply(images.numpy(), None), images.numpy())


def test_training_images_are_those_of_inference_where_nothing_is_random(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.cat([bar(slant) for slant in (-0.4, 0.1, 0.3)])
    settings: dict[str, object] = {
        "model": "mlp",
        "loss": "cross_entropy",
        "optimizer": "adamw",
        "lr": 0.1,
        "batch_size": 2,
    }
    plain = Recipe.model_validate(settings | {"epochs": 1, "shuffle": False, "preprocessing": {"deslant": True}})
    still = plain.model_copy(update={"augmentation": Augmentation()})
    seen = preprocess(images, DESLANT)
    monkeypatch.setattr(preprocessing, "CHUNK", 2)
    for recipe, order in itertools.product((plain, still), (None, torch.Generator().manual_seed(0))):
        batches = [*TrainingImages(images.clone(), recipe, torch.Generator()).epoch(torch.arange(3), 2, order)]
        assert [len(labels) for _, labels in batches] == [2, 1]
        for batch, labels in batches:
            torch.testing.assert_close(batch, seen[labels], atol=1e-5, rtol=0)


def test_a_composed_matrix_does_both_in_one_step() -> None:
    generator = torch.Generator().manual_seed(0)
    outer, inner = torch.randn(2, 5, 2, 3, generator=generator)
    points = torch.cat([torch.randn(5, 2, 7, generator=generator), torch.ones(5, 1, 7)], dim=1)
    through = torch.cat([inner @ points, torch.ones(5, 1, 7)], dim=1)
    torch.testing.assert_close(compose(outer, inner) @ points, outer @ through)
