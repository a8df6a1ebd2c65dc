"""Out-of-fold and test predictions, their scores, and the checkpoints that they come from."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from src.core import tables
from src.core.errors import UserError
from src.data.images import ImageSet
from src.evaluation.scores import Scores, interval
from src.inference import ensemble, members
from src.inference.ensemble import Ensemble
from src.models import checkpoints, forward, preprocessing
from src.models.checkpoints import Checkpoint
from src.models.recipes import Preprocessing, Recipe
from src.reporting.pictures import results
from src.training.loop import train

RECIPE = Recipe(model="linear", loss="cross_entropy", optimizer="sgd", lr=0.1, batch_size=1, epochs=1, shuffle=False)
CLASSES = np.array(["a", "b", "c"])
CPU = torch.device("cpu")


def model(fold: int, seed: int) -> Checkpoint:
    draws = np.random.default_rng(100 * fold + seed).normal(size=(3, 5)).astype(np.float32)
    return Checkpoint({"weight": draws[:, :4], "bias": draws[:, 4]}, RECIPE, CLASSES, 2, fold, seed, fold == 3)


def write(folder: Path, *checkpoints_: Checkpoint) -> Path:
    for checkpoint in checkpoints_:
        checkpoints.write(folder / f"{checkpoint.fold}-{checkpoint.seed}.safetensors", checkpoint)
    return folder


def expected_of(checkpoint: Checkpoint, images: NDArray[np.float32]) -> Any:
    """Return the probabilities that the weights of a linear model give."""
    return softmax(images.reshape(-1, 4) @ checkpoint.weights["weight"].T + checkpoint.weights["bias"], axis=1)


def predict(members_: Sequence[Checkpoint], images: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([*Ensemble(members_, CPU).predict(images)])


@pytest.mark.parametrize("block", [ensemble.BLOCK, 500])
def test_an_image_is_predicted_by_the_members_of_its_own_fold_and_no_other(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ensemble, "BLOCK", block)
    generator = np.random.default_rng(9)
    images, folds = generator.random((1203, 2, 2), dtype=np.float32), generator.integers(0, 3, 1203).astype(np.uint8)
    # fold 0 has no member, and fold 1 has none with the seed 7
    ensemble_ = Ensemble(ensemble.read(write(tmp_path, model(2, 10), model(2, 7), model(1, 10))), CPU)
    assert ensemble_.seeds == [7, 10]
    parts = [*ensemble_.out_of_fold(ImageSet(images, CLASSES[folds], folds))]
    assert [len(part) for part in parts] == [min(block, 1203 - start) for start in range(0, 1203, block)]
    expected = np.full((1203, 2, 3), np.nan)
    for fold, seed, place in ((2, 7, 0), (2, 10, 1), (1, 10, 1)):
        own = folds == fold
        expected[own, place] = expected_of(model(fold, seed), images[own])
    found = np.concatenate(parts)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_test_image_is_predicted_by_every_member_as_its_own_recipe_says(tmp_path: Path) -> None:
    images = np.random.default_rng(9).random((40, 2, 2), dtype=np.float32)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    views = [padded[:, down : down + 2, right : right + 2] for down in range(3) for right in range(3)]
    deslanting = Preprocessing(deslant=True, width=2)
    seen = np.asarray(preprocessing.apply(images, deslanting))
    assert not np.allclose(seen, images)
    alone, of_views = expected_of(model(2, 3), images), [expected_of(model(2, 3), view) for view in views]
    unsure = alone.max(axis=1) < forward.UNSURE
    assert 0 < unsure.sum() < 40
    expected = [
        expected_of(model(2, 0), images),
        np.where(unsure[:, None], np.mean(of_views, axis=0), alone),
        expected_of(model(10, 0), seen),
    ]
    changes: tuple[dict[str, Any], ...] = ({}, {"test_time_shift": 14}, {"preprocessing": deslanting})
    members_ = [
        replace(model(*of), recipe=RECIPE.model_copy(update=change))
        for of, change in zip(((2, 0), (2, 3), (10, 0)), changes, strict=True)
    ]
    read = ensemble.read(write(tmp_path, *members_[::-1]))
    assert [(member.fold, member.seed) for member in read] == [(2, 0), (2, 3), (10, 0)]
    np.testing.assert_allclose(predict(read, images), np.stack(expected, axis=1), atol=1e-6)


def test_a_model_comes_back_as_it_was_saved_and_equal_models_have_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        checkpoints.write(tmp_path / name, model(3, 5))
    loaded = checkpoints.read(tmp_path / "one")
    assert loaded.recipe == RECIPE
    assert (list(loaded.classes), loaded.side, loaded.fold, loaded.seed) == (["a", "b", "c"], 2, 3, 5)
    assert loaded.bright_background
    np.testing.assert_array_equal(loaded.weights["weight"], model(3, 5).weights["weight"])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_models_that_do_not_match_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no model yet"):
        ensemble.read(tmp_path)
    write(tmp_path, model(0, 0))
    with pytest.raises(UserError, match="take images of 2x2 pixels, these have 3x3"):
        predict(ensemble.read(tmp_path), np.zeros((1, 3, 3), dtype=np.float32))
    write(tmp_path, replace(model(0, 1), classes=np.array([1, 2, 3])))
    with pytest.raises(UserError, match=r"\.safetensors: it was trained on other classes"):
        ensemble.read(tmp_path)
    (tmp_path / "0-1.safetensors").write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"0-1\.safetensors: not a model of this pipeline"):
        ensemble.read(tmp_path)


def test_a_model_in_the_place_of_another_fold_is_refused(tmp_path: Path) -> None:
    """It would be scored on images that it was trained on."""
    three, four = (write(tmp_path, model(fold, 0)) / f"{fold}-0.safetensors" for fold in (3, 4))
    three.rename(tmp_path / "aside")
    four.rename(three)
    (tmp_path / "aside").rename(four)
    with pytest.raises(UserError, match=r"\.safetensors: the model in it is that of fold (3|4) and seed 0; run `dvc"):
        ensemble.read(tmp_path)


def test_another_model_among_the_checkpoints_is_refused(tmp_path: Path) -> None:
    found = write(tmp_path / "checkpoints", model(4, 0))
    (found / "old.safetensors").touch()
    with pytest.raises(
        UserError, match=r"old\.safetensors: this is no network of a fold and a seed; move it elsewhere"
    ):
        members.gather(["4-0"], found, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_only_the_models_of_the_members_are_gathered(tmp_path: Path) -> None:
    found, gathered = write(tmp_path / "checkpoints", *(model(fold, 0) for fold in (2, 3, 4))), tmp_path / "models"
    for folds, expected in (([3, 4], ["3-0", "4-0"]), ([2], ["2-0"])):
        members.gather(members.names(folds, [0]), found, gathered)
        assert sorted(path.stem for path in gathered.iterdir()) == expected
    assert ensemble.read(gathered)[0].fold == 2
    with pytest.raises(UserError, match=r"checkpoints/1-0\.safetensors: there is no such model; run `dvc repro`"):
        members.gather(["2-0", "1-0"], found, gathered)
    assert [path.stem for path in gathered.iterdir()] == ["2-0"], "a failure leaves what was there"


# images in folds 2 and 4, and one in a fold that does not validate; each has a network for the seeds 0 and 7
LABELS, FOLDS = np.array(["a", "b", "a", "b", "c"]), np.array([4, 4, 0, 2, 2], dtype=np.uint8)
NONE = [math.nan] * 3
BY_HAND = np.array(
    [
        [[0.8, 0.1, 0.1], [0.6, 0.3, 0.1]],
        [[0.2, 0.7, 0.1], [0.6, 0.3, 0.1]],
        [NONE, NONE],
        [[0.6, 0.3, 0.1], [0.8, 0.1, 0.1]],
        [[0.1, 0.2, 0.7], [0.1, 0.6, 0.3]],
    ],
    dtype=np.float32,
)


def scores_of(
    probabilities: NDArray[np.float32],
    labels: NDArray[Any] = LABELS,
    folds: NDArray[np.uint8] = FOLDS,
    *,
    validate: Sequence[int] = (2, 4),
    seeds: Sequence[int] = (0, 7),
) -> tuple[Scores, pd.DataFrame]:
    """Score the images in two blocks; return the scores, and the rows of the images."""
    scores = Scores(CLASSES, validate, seeds)
    blocks = (slice(None, 2), slice(2, None))
    rows = [scores.add(probabilities[block], labels[block], folds[block], block.start or 0) for block in blocks]
    return scores, pd.concat(map(pd.DataFrame, rows))


def test_scores_are_those_worked_out_by_hand() -> None:
    scores, rows = scores_of(BY_HAND)
    metrics = scores.metrics()
    assert next(iter(metrics)) == "accuracy", "what a person looks for comes first"
    # the means over both networks are 0.7 for a, 0.5 for b, 0.7 for a in the place of b, and 0.5 for c
    assert (metrics["accuracy"], metrics["errors"], metrics["images"]) == (0.75, 1, 4)
    assert (metrics["ci_low"], metrics["ci_high"]) == pytest.approx((0.300642, 0.954413), abs=1e-6)
    assert metrics["log_loss"] == pytest.approx(-sum(map(math.log, (0.7, 0.5, 0.2, 0.5))) / 4, abs=1e-6)
    assert rows[["row", "label", "predicted"]].to_dict("list") == {
        "row": [1, 2, 4, 5],
        "label": ["a", "b", "b", "c"],
        "predicted": ["a", "b", "a", "c"],
    }
    assert rows["confidence"].to_list() == pytest.approx([0.7, 0.5, 0.7, 0.5])
    assert rows["label_probability"].to_list() == pytest.approx([0.7, 0.5, 0.2, 0.5])
    assert pd.DataFrame(scores.of_classes()).to_dict("list") == {
        "class": ["a", "b", "c"],
        "precision": [0.5, 1, 1],
        "recall": [1, 0.5, 1],
    }


def test_each_network_is_scored_on_the_images_of_its_own_fold() -> None:
    of_members = pd.DataFrame(scores_of(BY_HAND)[0].of_members())
    assert of_members.drop(columns=["log_loss", "ci_low", "ci_high"]).to_dict("list") == {
        "member": ["2-0", "2-7", "4-0", "4-7"],
        "fold": [2, 2, 4, 4],
        "seed": [0, 7, 0, 7],
        "images": [2, 2, 2, 2],
        "errors": [1, 2, 0, 1],
        "accuracy": [0.5, 0, 1, 0.5],
    }
    of_labels = [(0.3, 0.7), (0.1, 0.3), (0.8, 0.7), (0.6, 0.3)]
    log_losses = [-(math.log(one) + math.log(other)) / 2 for one, other in of_labels]
    assert of_members["log_loss"].to_list() == pytest.approx(log_losses, abs=1e-6)
    intervals = [*zip(of_members["ci_low"], of_members["ci_high"], strict=True)]
    assert intervals == [interval(1, 2), interval(0, 2), interval(2, 2), interval(1, 2)]
    assert interval(0, 2) == pytest.approx((0, 0.657620), abs=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"probabilities": np.where(FOLDS[:, None, None] == 2, BY_HAND, np.float32(np.nan)), "validate": [4]},
        {"folds": np.array([4, 4, 2, 0, 0], dtype=np.uint8)},
        {"validate": [2, 4, 0]},
        {"validate": [4]},
        {"seeds": [0]},
        {"seeds": [0, 7, 8]},
        {"probabilities": np.where(np.arange(2)[:, None] == 1, np.float32(np.nan), BY_HAND)},
        {"probabilities": np.nan_to_num(BY_HAND, nan=1 / 3)},
    ],
    ids=["those of another fold", "those of another split", "a fold without networks", "networks without their fold",
         "fewer seeds", "more seeds", "a network left out", "an image of no fold that validates"],
)  # fmt: skip
def test_predictions_of_other_folds_or_seeds_than_those_of_the_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"not those of the folds and seeds in params\.yaml") as refused:
        scores_of(**{"probabilities": BY_HAND} | wrong)
    assert "\n" not in str(refused.value)


def test_a_network_is_never_scored_on_an_image_that_it_was_trained_on() -> None:
    """Labels drawn at random can be learned by heart and not predicted: only mixed-up folds have a high accuracy."""
    generator = np.random.default_rng(0)
    images, labels = generator.random((300, 24, 24), dtype=np.float32), CLASSES[generator.integers(0, 3, 300)]
    noise = ImageSet(images, labels, generator.permutation(np.arange(300) % 3).astype(np.uint8))
    by_heart = RECIPE.model_copy(update={"batch_size": 50, "epochs": 60})
    trained = [train(by_heart, fold, 0, noise, CPU)[0] for fold in (0, 1, 2)]

    def accuracy(checkpoints_: Sequence[Checkpoint]) -> Any:
        out_of_fold = np.concatenate([*Ensemble(checkpoints_, CPU).out_of_fold(noise)])
        scores, _ = scores_of(out_of_fold, labels, noise.known_folds, validate=[0, 1, 2], seeds=[0])
        return scores.metrics()["accuracy"]

    assert accuracy(trained) < 0.45
    mixed_up = [replace(trained[1], fold=0), replace(trained[0], fold=1), trained[2]]
    assert accuracy(mixed_up) > 0.7


@pytest.mark.parametrize(
    "wrong",
    [
        {"labels": LABELS[:, None]},
        {"labels": LABELS[:, None], "folds": FOLDS[:, None]},
        {"probabilities": BY_HAND[..., :2]},
        {"probabilities": BY_HAND[:, 0]},
    ],
    ids=["labels", "labels and folds", "classes", "seeds"],
)
def test_shapes_that_would_broadcast_are_an_error(wrong: dict[str, Any]) -> None:
    """The notebook's bug: labels (N, 1) against predictions (N,) made (N, N) and a wrong accuracy without an error."""
    with pytest.raises(ValueError, match="probabilities have shape"):
        scores_of(**{"probabilities": BY_HAND} | wrong)


def test_a_class_that_never_occurs_counts_in_the_log_loss_and_has_neither_precision_nor_recall() -> None:
    probabilities = np.array([[[0.5, 0.3, 0.2]], [[0.1, 0.6, 0.3]]], dtype=np.float32)
    scores, _ = scores_of(probabilities, LABELS[:2], FOLDS[:2], validate=[4], seeds=[0])
    assert scores.metrics()["log_loss"] == pytest.approx(-(math.log(0.5) + math.log(0.6)) / 2, abs=1e-6)
    of_classes = scores.of_classes()
    assert of_classes["class"].tolist() == ["a", "b", "c"]
    for score in ("precision", "recall"):
        assert of_classes[score].tolist() == pytest.approx([1, 1, math.nan], nan_ok=True)


def test_the_rows_are_written_and_read_back_with_the_index_of_their_image(tmp_path: Path) -> None:
    tables.write(tmp_path / "x" / "validation.csv", scores_of(BY_HAND)[1])
    rows = results.read_predictions(tmp_path / "x" / "validation.csv")
    assert rows.index.to_list() == [0, 1, 3, 4]
    assert rows["label"].to_list() == ["a", "b", "b", "c"]
    assert results.top_confusions(rows) == [("b", "a", 1)]
