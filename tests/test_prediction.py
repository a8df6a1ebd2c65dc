import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest
from src.core.errors import UserError
from src.inference.predictions import Prediction
from src.models.recipes import Recipe
from src.scoring import accuracy, score
from src.models.checkpoints import Trained

from src import prediction, trained
from src.inference import predict

RECIPE = Recipe(model="linear", loss="cross_entropy", optimizer="sgd", lr=0.1, batch_size=1, epochs=1, shuffle=False)
CLASSES = np.array(["a", "b", "c"])


def model(seed: int) -> Trained:
    draws = np.random.default_rng(seed).normal(size=(3, 5)).astype(np.float32)
    return Trained({"weight": draws[:, :4], "bias": draws[:, 4]}, RECIPE, CLASSES, 2)


def softmax(logits: NDArray[Any]) -> NDArray[Any]:
    exponentials = np.exp(logits)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def test_models_predict_what_their_weights_say(tmp_path: Path) -> None:
    images = np.random.default_rng(9).random((1203, 2, 2), dtype=np.float32)
    for seed in (3, 5):
        trained.save(tmp_path / f"{seed}.safetensors", model(seed))
    predicted = predict(tmp_path, [5, 3], images, torch.device("cpu"))
    for seed in (3, 5):
        weights = model(seed).weights
        expected = softmax(images.reshape(-1, 4) @ weights["weight"].T + weights["bias"])
        np.testing.assert_allclose(predicted.by_seed[seed], expected, atol=1e-6)
    np.testing.assert_allclose(predicted.probabilities, (predicted.by_seed[3] + predicted.by_seed[5]) / 2, atol=1e-7)
    assert list(predicted.labels) == list(CLASSES[predicted.probabilities.argmax(axis=1)])


def test_probabilities_are_the_mean_over_the_shifted_copies_that_the_recipe_wants(tmp_path: Path) -> None:
    shifting = replace(model(0), recipe=RECIPE.model_copy(update={"test_time_shift": 1}))
    trained.save(tmp_path / "0.safetensors", shifting)
    images = np.random.default_rng(9).random((7, 2, 2), dtype=np.float32)
    predicted = predict(tmp_path, [0], images, torch.device("cpu"))
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    views = [padded[:, down : down + 2, right : right + 2] for down in range(3) for right in range(3)]
    weights = shifting.weights
    expected = [softmax(view.reshape(-1, 4) @ weights["weight"].T + weights["bias"]) for view in views]
    np.testing.assert_allclose(predicted.probabilities, np.mean(expected, axis=0), atol=1e-6)


def test_a_model_comes_back_as_it_was_saved_and_equal_models_have_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        trained.save(tmp_path / name, model(0))
    loaded = trained.load(tmp_path / "one")
    assert loaded.recipe == RECIPE
    assert (list(loaded.classes), loaded.side) == (["a", "b", "c"], 2)
    np.testing.assert_array_equal(loaded.weights["weight"], model(0).weights["weight"])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_models_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    cpu, images = torch.device("cpu"), np.zeros((1, 2, 2), dtype=np.float32)
    trained.save(tmp_path / "0.safetensors", model(0))
    trained.save(tmp_path / "1.safetensors", replace(model(1), classes=np.array([1, 2, 3])))
    (tmp_path / "2.safetensors").write_bytes(b"nonsense")
    with pytest.raises(UserError, match="takes images of side 2, not 3"):
        predict(tmp_path, [0], np.zeros((1, 3, 3), dtype=np.float32), cpu)
    with pytest.raises(UserError, match=r"1\.safetensors knows other classes"):
        predict(tmp_path, [0, 1], images, cpu)
    with pytest.raises(UserError, match="not a model of this pipeline"):
        predict(tmp_path, [2], images, cpu)
    with pytest.raises(UserError, match="there is no such model"):
        predict(tmp_path, [3], images, cpu)


def test_accuracy_refuses_shapes_that_would_broadcast() -> None:
    """The notebook's bug: labels (N, 1) against predictions (N,) made (N, N) and a wrong accuracy in silence."""
    labels = np.array([0, 1, 1])
    assert accuracy(np.array([0, 1, 0]), labels) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match=r"\(3, 1\)"):
        accuracy(np.array([0, 1, 0]), labels[:, None])


def by_hand() -> tuple[Prediction, NDArray[Any]]:
    one = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7]], dtype=np.float32)
    other = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.8, 0.1, 0.1], [0.1, 0.6, 0.3]], dtype=np.float32)
    return Prediction(CLASSES, {0: one, 7: other}), np.array(["a", "b", "b", "c"])


def test_scores_are_those_worked_out_by_hand() -> None:
    metrics = score(*by_hand())
    assert metrics["images"] == 4
    assert metrics["errors"] == 1
    assert metrics["accuracy"] == 0.75
    assert metrics["accuracy_interval"] == pytest.approx({"low": 0.300642, "high": 0.954413}, abs=1e-6)
    assert metrics["log_loss"] == pytest.approx(-sum(map(math.log, (0.7, 0.5, 0.2, 0.5))) / 4, abs=1e-6)
    assert metrics["accuracy_of_seed"] == pytest.approx(
        {"0": 0.75, "7": 0.25, "mean": 0.5, "standard_deviation": math.sqrt(0.125)}
    )
    assert metrics["precision"] == {"a": 0.5, "b": 1.0, "c": 1.0}
    assert metrics["recall"] == {"a": 1.0, "b": 0.5, "c": 1.0}


def test_scores_are_those_of_the_libraries() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(3), 500).astype(np.float32)
    labels = generator.choice(CLASSES, 500)
    metrics = score(Prediction(CLASSES, {0: probabilities}), labels)
    predicted = CLASSES[probabilities.argmax(axis=1)]
    interval = binomtest(int(np.sum(predicted == labels)), 500).proportion_ci(0.95, method="wilson")
    assert metrics["accuracy_interval"] == pytest.approx({"low": interval.low, "high": interval.high})
    assert metrics["log_loss"] == pytest.approx(sklearn.metrics.log_loss(labels, probabilities), rel=1e-5)
    precision, recall, _, _ = sklearn.metrics.precision_recall_fscore_support(labels, predicted)
    assert metrics["precision"] == pytest.approx(dict(zip(CLASSES, precision, strict=True)))
    assert metrics["recall"] == pytest.approx(dict(zip(CLASSES, recall, strict=True)))


def test_a_class_that_is_nowhere_has_precision_and_recall_0() -> None:
    predicted = Prediction(CLASSES, {0: np.array([[0.9, 0.1, 0.0]], dtype=np.float32)})
    metrics = score(predicted, np.array(["a"]))
    assert metrics["recall"] == {"a": 1.0, "b": 0.0, "c": 0.0}
    assert metrics["accuracy_of_seed"] == {"0": 1.0}


def test_without_images_there_is_nothing_to_score() -> None:
    empty = Prediction(CLASSES, {0: np.empty((0, 3), dtype=np.float32)})
    assert score(empty, np.array([], dtype=str)) == {"images": 0}


def test_the_summary_counts_predicted_classes() -> None:
    assert prediction.summary(by_hand()[0]) == {
        "images": 4,
        "mean_confidence": pytest.approx((0.7 + 0.5 + 0.7 + 0.5) / 4, abs=1e-6),
        "images_of_class": {"a": 2, "b": 1, "c": 1},
    }


def test_predictions_are_written_beside_the_labels(tmp_path: Path) -> None:
    prediction.write_compared(tmp_path / "x" / "compared.csv", *by_hand())
    rows = prediction.read_compared(tmp_path / "x" / "compared.csv")
    assert list(rows["label"]) == ["a", "b", "b", "c"]
    assert list(rows["predicted"]) == ["a", "b", "a", "c"]
    assert list(rows["confidence"]) == pytest.approx([0.7, 0.5, 0.7, 0.5])
