"""The model card's words about recipes; `test_readme` makes the whole card."""

from src.core import params
from src.models import recipes
from src.reporting import model_card


def test_a_recipe_is_described_with_all_that_it_does_to_an_image() -> None:
    said = {
        name: model_card.describe(recipes.get(name)) for name in params.get("recipes", dict[str, dict[str, object]])
    }
    assert said["linear"].endswith("learning rate 0.1, 40 epochs of batches of 256")
    assert said["quick"].endswith("images deslanted, what they show scaled to a width of 16 pixels in 28")
    assert said["cnn"].endswith(
        "at random, low-confidence probabilities averaged over the image and its eight copies shifted by 1 pixel in 28"
    )
    for name, words in said.items():
        assert ("deslanted" in words) == (recipes.get(name).preprocessing is not None)
        assert ("distorted" in words) == (recipes.get(name).augmentation is not None)
