"""The order in which a training takes its images."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.nn.functional import cross_entropy

from src.data.images import ImageSet
from src.models import networks
from src.models.recipes import Recipe
from src.training.loop import train

SHUFFLED = Recipe.model_validate(
    {"model": "linear", "loss": "cross_entropy", "optimizer": "sgd", "lr": 0.1, "batch_size": 14, "epochs": 3}
    | {"shuffle": True}
)


def test_each_epoch_has_an_order_of_its_own_which_the_seed_decides() -> None:
    """Plain SGD by autograd, in the order of torch's permutations: the same weights."""
    images, labels = load_digits(return_X_y=True)
    pixels = (images[:600] / 16).astype(np.float32)
    labelled = ImageSet(pixels.reshape(-1, 8, 8), labels[:600], np.repeat(np.arange(4, dtype=np.uint8), 150))
    trained, _ = train(SHUFFLED, 3, 7, labelled, torch.device("cpu"))

    start, generator = networks.build(SHUFFLED, 8, 10, seed=7), torch.Generator().manual_seed(7)
    weight, bias = (start.get_parameter(name).detach().clone().requires_grad_() for name in ("weight", "bias"))
    for _ in range(3):
        for chosen in torch.randperm(450, generator=generator).split(14):
            logits = torch.from_numpy(pixels)[chosen] @ weight.T + bias
            gradients = torch.autograd.grad(cross_entropy(logits, torch.from_numpy(labels)[chosen]), [weight, bias])
            with torch.no_grad():
                weight -= 0.1 * gradients[0]
                bias -= 0.1 * gradients[1]
    np.testing.assert_allclose(trained.weights["weight"], weight.detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(trained.weights["bias"], bias.detach().numpy(), atol=1e-5)
