"""The ensemble as one ONNX model, from images to probabilities."""

import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from src.core.errors import UserError
from src.core.metrics import Metrics
from src.core.outputs import replacing
from src.models import forward, networks
from src.models.checkpoints import Checkpoint
from src.models.preprocessing import matrices, warp

SCORES = ("accuracy", "ci_low", "ci_high")
"""What the metadata hold of the scores."""


@dataclass(frozen=True)
class Description:
    """What is known of an ensemble; it goes into the metadata of the ONNX model and onto the page.

    Attributes:
        classes: the label of each probability.
        side: height and width of an image, in pixels.
        bright_background: whether the training images have a bright background.
        recipe: the name of the recipe.
        folds: the ensemble has a member for each of them and each seed.
        seeds: the seeds.
        evaluation: the out-of-fold scores, as in metrics/evaluate.json.
        commit: the commit that it was exported at, `-dirty` where tracked files differ from it; empty outside of git.
    """

    classes: list[int] | list[str]
    side: int
    bright_background: bool
    recipe: str
    folds: list[int]
    seeds: list[int]
    evaluation: Metrics
    commit: str

    def metadata(self) -> dict[str, str]:
        """Return all of it by name; what is not text is JSON."""
        scores = {name: self.evaluation[name] for name in SCORES if name in self.evaluation}
        facts = {name: value for name, value in vars(self).items() if name != "evaluation"} | scores
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in facts.items()}


class Ensemble(nn.Module):
    """Images (N, side, side) in [0, 1] to probabilities (N, C), the mean over the members."""

    def __init__(self, members: Sequence[Checkpoint]) -> None:
        super().__init__()
        self.members = nn.ModuleList(Member(checkpoint) for checkpoint in members)

    def forward(self, images: Tensor) -> Tensor:
        """Return the probabilities."""
        return torch.stack([member(images) for member in self.members]).mean(dim=0)


class Member(nn.Module):
    """A trained network with its preprocessing, softmax and shifted views."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        # the weights are float32 in the file, and not every runtime has kernels for float64
        self.network = networks.restore(checkpoint).float().eval()
        self.preprocessing = checkpoint.recipe.preprocessing
        self.shift = checkpoint.recipe.view_shift(checkpoint.side)

    def forward(self, images: Tensor) -> Tensor:
        """Return the probabilities (N, C) of images (N, side, side) by the rule of `forward.probabilities`."""
        if self.preprocessing is not None:
            images = warp(images, matrices(images, self.preprocessing))
        if self.shift == 0:
            alone: Tensor = self.network(images).softmax(dim=1)
            return alone
        # every image has its views computed, since a graph cannot leave them out
        views = forward.of_views(self.network, images, self.shift)
        alone = views[len(views) // 2]
        return torch.where(alone.amax(dim=1, keepdim=True) < forward.UNSURE, views.mean(dim=0), alone)


def write(path: Path, members: Sequence[Checkpoint], metadata: dict[str, str]) -> None:
    """Write the ensemble as an ONNX model with the input `images` and the output `probabilities`.

    Equal checkpoints and metadata give equal bytes.

    Raises:
        UserError: the packages of the extra `demo` are not installed.
    """
    try:
        import onnxscript  # noqa: F401 - torch imports it, and would report its absence in another way
    except ModuleNotFoundError as error:
        raise UserError(f"the package {error.name} is not installed; run `make demo`") from None
    # the exporter reports operators that are not in use, and deprecations in its own code
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Ensemble(members).eval(),
            (torch.zeros(2, members[0].side, members[0].side),),
            input_names=["images"],
            output_names=["probabilities"],
            dynamic_shapes=({0: torch.export.Dim("N")},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _remove_source_locations(model)
    for name, text in metadata.items():
        model.metadata_props.add(key=name, value=text)
    with replacing(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def _remove_source_locations(model: Any) -> None:
    """Remove what the exporter notes with each part: the lines of source code that it is from, by absolute paths."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]
