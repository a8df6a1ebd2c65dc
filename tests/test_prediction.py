import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest

from src.core import tables
from src.core.errors import UserError
from src.core.metrics import Metrics
from src.evaluation.scores import Scores, mcnemar
from src.inference import members, predictions
from src.inference.ensemble import predict, predict_in_blocks, preprocess
from src.inference.predictions import Predictions
from src.models import checkpoints, preprocessing
from src.models.checkpoints import Checkpoint
from src.models.recipes import Preprocessing, Recipe
from src.reporting.pictures import results

RECIPE = Recipe(model="linear", loss="cross_entropy", optimizer="sgd", lr=0.1, batch_size=1, epochs=1, shuffle=False)
CLASSES = np.array(["a", "b", "c"])


def model(seed: int) -> Checkpoint:
    draws = np.random.default_rng(seed).normal(size=(3, 5)).astype(np.float32)
    return Checkpoint({"weight": draws[:, :4], "bias": draws[:, 4]}, RECIPE, CLASSES, 2)


def ensemble(folder: Path, *seeds: int) -> Path:
    members.write(folder / members.FILE, [*map(str, seeds)])
    return folder


def softmax(logits: NDArray[Any]) -> NDArray[Any]:
    exponentials = np.exp(logits)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def scores_of(predicted: Predictions, labels: NDArray[Any]) -> Scores:
    """Score the images in two blocks."""
    scores = Scores()
    for chosen in (slice(None, 1), slice(1, None)):
        by_member = {member: probabilities[chosen] for member, probabilities in predicted.by_member.items()}
        scores.add(Predictions(predicted.classes, by_member), labels[chosen])
    return scores


def score(predicted: Predictions, labels: NDArray[Any]) -> Metrics:
    return scores_of(predicted, labels).metrics()


def test_models_predict_what_their_weights_say(tmp_path: Path) -> None:
    images = np.random.default_rng(9).random((1203, 2, 2), dtype=np.float32)
    for seed in (3, 5):
        checkpoints.write(tmp_path / f"{seed}.safetensors", model(seed))
    predicted = predict(ensemble(tmp_path, 5, 3), images, torch.device("cpu"))
    for seed in (3, 5):
        weights = model(seed).weights
        expected = softmax(images.reshape(-1, 4) @ weights["weight"].T + weights["bias"])
        np.testing.assert_allclose(predicted.by_member[str(seed)], expected, atol=1e-6)
    np.testing.assert_allclose(
        predicted.probabilities, (predicted.by_member["3"] + predicted.by_member["5"]) / 2, atol=1e-7
    )
    assert list(predicted.labels) == list(CLASSES[predicted.probabilities.argmax(axis=1)])


def test_probabilities_are_the_mean_over_the_shifted_copies_that_the_recipe_wants(tmp_path: Path) -> None:
    shifting = replace(model(0), recipe=RECIPE.model_copy(update={"test_time_shift": 1}))
    checkpoints.write(tmp_path / "0.safetensors", shifting)
    images = np.random.default_rng(9).random((7, 2, 2), dtype=np.float32)
    predicted = predict(ensemble(tmp_path, 0), images, torch.device("cpu"))
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    views = [padded[:, down : down + 2, right : right + 2] for down in range(3) for right in range(3)]
    weights = shifting.weights
    expected = [softmax(view.reshape(-1, 4) @ weights["weight"].T + weights["bias"]) for view in views]
    np.testing.assert_allclose(predicted.probabilities, np.mean(expected, axis=0), atol=1e-6)


def test_images_are_preprocessed_as_the_checkpoint_says(tmp_path: Path) -> None:
    deslanting = RECIPE.model_copy(update={"preprocessing": Preprocessing(deslant=True, width=2)})
    checkpoints.write(tmp_path / "0.safetensors", replace(model(0), recipe=deslanting))
    checkpoints.write(tmp_path / "1.safetensors", model(0))
    images = np.random.default_rng(9).random((7, 2, 2), dtype=np.float32)
    seen = preprocessing.apply(images, deslanting.preprocessing)
    assert not np.allclose(seen, images)
    np.testing.assert_array_equal(preprocess(ensemble(tmp_path, 0, 1), images), seen)
    np.testing.assert_array_equal(preprocess(ensemble(tmp_path, 1, 0), images), images)
    by_member = predict(ensemble(tmp_path, 0, 1), images, torch.device("cpu")).by_member
    alone = Predictions(CLASSES, {"1": predict(ensemble(tmp_path, 0, 1), seen, torch.device("cpu")).by_member["1"]})
    np.testing.assert_allclose(by_member["0"], alone.probabilities, atol=1e-6)


def test_a_model_comes_back_as_it_was_saved_and_equal_models_have_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        checkpoints.write(tmp_path / name, model(0))
    loaded = checkpoints.read(tmp_path / "one")
    assert loaded.recipe == RECIPE
    assert (list(loaded.classes), loaded.side) == (["a", "b", "c"], 2)
    np.testing.assert_array_equal(loaded.weights["weight"], model(0).weights["weight"])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_models_that_do_not_match_are_refused(tmp_path: Path) -> None:
    cpu, images = torch.device("cpu"), np.zeros((1, 2, 2), dtype=np.float32)
    checkpoints.write(tmp_path / "0.safetensors", model(0))
    with pytest.raises(UserError, match="takes images of 2x2 pixels, these have 3x3"):
        predict(ensemble(tmp_path, 0), np.zeros((1, 3, 3), dtype=np.float32), cpu)
    checkpoints.write(tmp_path / "1.safetensors", replace(model(1), classes=np.array([1, 2, 3])))
    with pytest.raises(UserError, match=r"1\.safetensors was trained on other classes"):
        predict(ensemble(tmp_path, 0, 1), images, cpu)
    (tmp_path / "1.safetensors").write_bytes(b"nonsense")
    with pytest.raises(UserError, match="not a model of this pipeline"):
        predict(ensemble(tmp_path, 0, 1), images, cpu)
    with pytest.raises(UserError, match="there is no such model"):
        predict(ensemble(tmp_path, 3, 0, 1), images, cpu)
    with pytest.raises(UserError, match=r"1\.safetensors: the ensemble has no such member"):
        predict(ensemble(tmp_path, 0), images, cpu)


def test_labels_of_a_shape_that_would_broadcast_are_an_error() -> None:
    """The notebook's bug: labels (N, 1) against predictions (N,) made (N, N) and a wrong accuracy without an error."""
    predicted, labels = by_hand()
    with pytest.raises(ValueError, match=r"\(1, 1\)"):
        score(predicted, labels[:, None])


def by_hand() -> tuple[Predictions, NDArray[Any]]:
    one = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7]], dtype=np.float32)
    other = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.8, 0.1, 0.1], [0.1, 0.6, 0.3]], dtype=np.float32)
    return Predictions(CLASSES, {"0": one, "mlp-7": other}), np.array(["a", "b", "b", "c"])


def test_scores_are_those_worked_out_by_hand() -> None:
    metrics = score(*by_hand())
    assert [*metrics][:2] == ["accuracy", "accuracy_interval"], "what a person looks for comes first"
    assert metrics["images"] == 4
    assert metrics["errors"] == 1
    assert metrics["accuracy"] == 0.75
    assert metrics["accuracy_interval"] == pytest.approx({"low": 0.300642, "high": 0.954413}, abs=1e-6)
    assert metrics["log_loss"] == pytest.approx(-sum(map(math.log, (0.7, 0.5, 0.2, 0.5))) / 4, abs=1e-6)
    assert metrics["accuracy_of_members"] == pytest.approx({"mean": 0.5, "standard_deviation": math.sqrt(0.125)})
    classes = scores_of(*by_hand()).of_classes()
    assert classes.to_dict("list") == {"class": ["a", "b", "c"], "precision": [0.5, 1, 1], "recall": [1, 0.5, 1]}
    of_members = scores_of(*by_hand()).of_members()
    assert of_members.drop(columns="log_loss").to_dict("list") == {
        "member": ["0", "mlp-7"],
        "accuracy": [0.75, 0.25],
        "errors": [1, 3],
        "errors_without": [3, 1],
    }
    # the first alone is correct on two images, the second on none: p = 2 · (1/2)²
    assert scores_of(*by_hand()).of_pairs().to_dict("records") == [
        {"first": "0", "second": "mlp-7", "errors": 1, "p_value": pytest.approx(0.5)}
    ]


def test_mcnemar_s_test_counts_the_images_on_which_one_alone_is_correct() -> None:
    assert mcnemar(10, 2) == mcnemar(2, 10) == pytest.approx(binomtest(10, 12).pvalue)
    assert mcnemar(0, 0) == 1


def test_the_log_loss_is_over_all_classes_of_the_model() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(3), 500).astype(np.float32)
    labels = generator.choice(CLASSES[:2], 500)
    metrics = score(Predictions(CLASSES, {"0": probabilities}), labels)
    of_truth = probabilities[np.arange(500), np.searchsorted(CLASSES, labels)]
    assert metrics["log_loss"] == pytest.approx(-np.log(of_truth).mean(), rel=1e-5)


def test_a_class_that_never_occurs_has_precision_and_recall_0() -> None:
    predicted = Predictions(CLASSES, {"0": np.array([[0.9, 0.1, 0.0]], dtype=np.float32)})
    classes = scores_of(predicted, np.array(["a"])).of_classes()
    assert list(classes["precision"]) == list(classes["recall"]) == [1, 0, 0]
    assert "accuracy_of_members" not in score(predicted, np.array(["a"]))


def test_without_images_there_is_nothing_to_score() -> None:
    empty = Predictions(CLASSES, {"0": np.empty((0, 3), dtype=np.float32)})
    labels = np.array([], dtype=str)
    scores = scores_of(empty, labels)
    assert scores.metrics() == {"images": 0}
    assert scores.of_classes().empty and scores.of_members().empty and scores.of_pairs().empty


def test_of_no_images_there_is_one_empty_block(tmp_path: Path) -> None:
    checkpoints.write(tmp_path / "0.safetensors", model(0))
    (only,) = predict_in_blocks(ensemble(tmp_path, 0), np.zeros((0, 2, 2), dtype=np.float32), torch.device("cpu"))
    assert only.probabilities.shape == (0, 3)


def test_predicted_classes_are_counted() -> None:
    predicted, _ = by_hand()
    summary = predictions.Summary()
    for _ in range(2):
        summary.add(predicted)
    assert summary.class_counts.to_dict("list") == {"class": ["a", "b", "c"], "images": [4, 2, 2]}
    assert summary.mean_confidence == pytest.approx((0.7 + 0.5 + 0.7 + 0.5) / 4, abs=1e-6)


def test_predictions_are_written_with_the_labels(tmp_path: Path) -> None:
    tables.write(tmp_path / "x" / "validation.csv", predictions.with_labels(*by_hand()))
    rows = results.read_predictions(tmp_path / "x" / "validation.csv")
    assert list(rows["label"]) == ["a", "b", "b", "c"]
    assert list(rows["predicted"]) == ["a", "b", "a", "c"]
    assert list(rows["confidence"]) == pytest.approx([0.7, 0.5, 0.7, 0.5])
    assert results.top_confusions(rows) == [("b", "a", 1)]
