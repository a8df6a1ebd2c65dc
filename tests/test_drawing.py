"""What the pictures show, taken from what was drawn on them, not from their pixels."""

import string
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from safetensors.numpy import save_file

from src.data import competition
from src.data.images import ImageSet
from src.reporting.pictures import datasets, evaluation, predictions, style, training
from src.reporting.pictures.style import Picture
from src.sources.sample.source import Source


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with style.applied():
        yield


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    """Return a hundred real digits, normalized."""
    raw = tmp_path_factory.mktemp("raw")
    Source(test_digits=4900, seed=0).download(raw, competition.FILES)
    labelled = competition.read_labelled(raw, scratch_dir=raw)
    return ImageSet(labelled.images / np.float32(255), labelled.labels)


@pytest.fixture
def predicted(digits: ImageSet) -> pd.DataFrame:
    """Return predictions of the hundred digits, wrong in rows 3, 5 and 8, with confidence rising from row to row."""
    label = digits.known_labels.astype(str)
    predicted = label.copy()
    predicted[[3, 5, 8]] = [str((int(label[row]) + 1) % 10) for row in (3, 5, 8)]
    return pd.DataFrame({"label": label, "predicted": predicted, "confidence": np.linspace(0.2, 0.99, len(label))})


def figure_of(picture: Picture) -> Figure:
    assert picture.figure is not None, picture.text
    return picture.figure


def images_on(picture: Picture) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for image in figure_of(picture).axes[0].images]


def texts_on(picture: Picture) -> list[str]:
    return [text.get_text() for text in figure_of(picture).axes[0].texts]


def test_digits_stand_under_their_labels(digits: ImageSet) -> None:
    picture = datasets.labelled_images(digits)
    np.testing.assert_array_equal(images_on(picture), digits.images[:40])
    assert texts_on(picture) == [str(label) for label in digits.known_labels[:40]]


@pytest.mark.parametrize("side", [8, 28])
def test_a_sheet_takes_images_of_any_size(digits: ImageSet, side: int) -> None:
    picture = datasets.labelled_images(ImageSet(digits.images[:3, :side, :side], digits.known_labels[:3]))
    assert [image.shape for image in images_on(picture)] == [(side, side)] * 3


def test_bars_are_the_class_distribution(digits: ImageSet) -> None:
    training, validation = digits[:60], digits[60:]
    heights = [bar.get_height() for bar in figure_of(datasets.class_balance(training, validation)).axes[0].patches]
    shares = [100 * np.mean(one.known_labels == label) for one in (training, validation) for label in range(10)]
    assert heights == pytest.approx(shares)


def test_a_class_that_a_set_lacks_is_named(digits: ImageSet) -> None:
    picture = datasets.class_balance(digits, digits[digits.known_labels != 7])
    assert figure_of(picture).axes[0].get_title(loc="left") == "No 7 in the validation set."
    assert "No 7 in the validation set." in picture.text


def test_an_empty_validation_set_is_named(digits: ImageSet) -> None:
    assert "The validation set is empty." in datasets.class_balance(digits, digits[:0]).text


def test_pixel_shares_are_over_all_pixels(digits: ImageSet) -> None:
    picture = datasets.pixel_values({"training": digits, "validation": digits[:0]})
    (line,) = figure_of(picture).axes[0].lines
    shares = np.asarray(line.get_ydata())[:-1]
    assert shares.sum() == pytest.approx(100)
    assert shares[0] == pytest.approx(100 * np.mean(np.rint(digits.images * 255) < 8))
    assert shares[-1] == pytest.approx(100 * np.mean(np.rint(digits.images * 255) >= 248))


def test_mean_images_are_those_of_the_classes(digits: ImageSet) -> None:
    picture = datasets.mean_images(digits)
    np.testing.assert_allclose(images_on(picture)[4], digits.images[digits.known_labels == 4].mean(axis=0), atol=1e-6)
    assert texts_on(picture) == list(string.digits)


def curve(*values: tuple[float, float]) -> pd.DataFrame:
    train, validation = zip(*values, strict=True)
    return pd.DataFrame({"epoch": range(1, len(values) + 1), "train": train, "validation": validation})


def test_curves_have_a_line_for_each_set_and_seed() -> None:
    curves = {"0": curve((0.5, 0.6), (0.3, 0.4)), "mlp-7": curve((0.6, 0.7), (0.2, 0.3))}
    loss, accuracy = figure_of(training.learning_curves(curves, curves)).axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[0.5, 0.3], [0.6, 0.2], [0.6, 0.4], [0.7, 0.3]]
    assert len(accuracy.lines) == 4
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["training", "validation"]


def test_without_a_validation_set_only_training_is_drawn() -> None:
    alone = {"0": curve((0.5, np.nan), (0.3, np.nan))}
    picture = training.learning_curves(alone, alone)
    assert [len(axis.lines) for axis in figure_of(picture).axes] == [1, 1]
    assert "there is no validation set" in picture.text


def test_a_single_epoch_is_a_mark() -> None:
    single = {"0": curve((0.5, 0.6))}
    assert figure_of(training.learning_curves(single, single)).axes[0].lines[0].get_marker() == "o"


def test_weights_are_an_image_for_each_class(tmp_path: Path) -> None:
    weight = np.arange(3 * 64, dtype=np.float32).reshape(3, 64) - 100
    for seed in (10, 9):
        save_file({"weight": weight + seed - 9, "bias": np.zeros(3)}, tmp_path / f"{seed}.safetensors")
    picture = training.linear_weights(tmp_path, np.array(["a", "b", "c"]))
    np.testing.assert_array_equal(images_on(picture), weight.reshape(3, 8, 8))
    assert figure_of(picture).axes[0].images[0].get_clim() == (-100, 100)
    assert texts_on(picture) == ["a", "b", "c"]


def test_a_model_without_a_weight_per_pixel_gets_a_sentence(tmp_path: Path) -> None:
    save_file({"0.weight": np.zeros((3, 64)), "0.bias": np.zeros(3)}, tmp_path / "0.safetensors")
    picture = training.linear_weights(tmp_path, np.arange(3))
    assert picture.figure is None
    assert "only a linear model" in picture.text


def test_confusion_counts_each_pair(digits: ImageSet, predicted: pd.DataFrame) -> None:
    picture = evaluation.confusion_matrix(predicted, np.arange(10))
    drawn = figure_of(picture).axes[0].texts
    counts = {tuple(map(int, text.get_position()[::-1])): int(text.get_text()) for text in drawn}
    pairs = predicted[["label", "predicted"]].astype(int).value_counts()
    assert counts == pairs.to_dict()
    assert picture.text.startswith("97 of 100")


def test_confusion_of_26_classes_of_text() -> None:
    letters = list(string.ascii_uppercase)
    predicted = pd.DataFrame({"label": letters, "predicted": letters, "confidence": 0.9})
    picture = evaluation.confusion_matrix(predicted, np.array(letters))
    assert [tick.get_text() for tick in figure_of(picture).axes[0].get_xticklabels()] == letters
    assert picture.text.endswith("There is no mistake.")


def test_reliability_is_the_accuracy_of_each_bin() -> None:
    predicted = pd.DataFrame(
        {"label": ["1", "1", "1", "1"], "predicted": ["1", "2", "1", "1"], "confidence": [0.52, 0.58, 0.9, 1.0]}
    )
    upper, lower = figure_of(evaluation.reliability_diagram(predicted)).axes
    line = upper.lines[1]
    np.testing.assert_allclose(line.get_xydata(), [(0.55, 0.5), (0.95, 1.0)])
    assert [bar.get_height() for bar in lower.patches] == [2, 2]


def test_the_most_confident_mistakes_are_sorted(digits: ImageSet, predicted: pd.DataFrame) -> None:
    picture = evaluation.confident_mistakes(digits, predicted)
    np.testing.assert_array_equal(images_on(picture), digits.images[[8, 5, 3]])
    row = predicted.loc[8]
    assert texts_on(picture)[0] == f"{row['label']} → {row['predicted']}\n{row['confidence']:.2f}"


def test_no_mistake_is_a_sentence(digits: ImageSet, predicted: pd.DataFrame) -> None:
    picture = evaluation.confident_mistakes(digits, predicted.assign(predicted=predicted["label"]))
    assert picture.figure is None
    assert picture.text == "There is no mistake on the validation set."


def test_the_least_confident_validation_images_are_sorted(digits: ImageSet, predicted: pd.DataFrame) -> None:
    picture = evaluation.least_confident(digits, predicted[::-1])
    np.testing.assert_array_equal(images_on(picture), digits.images[:10])
    assert "7 of them are predicted correctly" in picture.text


def test_the_least_confident_test_images_are_sorted(digits: ImageSet) -> None:
    probabilities = np.array([[0.9, 0.1], [0.45, 0.55], [0.3, 0.7]], dtype=np.float32)
    picture = predictions.least_confident(
        ImageSet(digits.images[:3]), probabilities, np.array(["cat", "a very long name"])
    )
    np.testing.assert_array_equal(images_on(picture), digits.images[[1, 2, 0]])
    assert texts_on(picture) == ["a very l…\n0.55", "a very l…\n0.70", "cat\n0.90"]


def test_without_a_validation_set_there_are_sentences(digits: ImageSet, predicted: pd.DataFrame) -> None:
    none = predicted[:0]
    for picture in (
        evaluation.confusion_matrix(none, np.arange(10)),
        evaluation.reliability_diagram(none),
        evaluation.confident_mistakes(digits[:0], none),
        evaluation.least_confident(digits[:0], none),
    ):
        assert picture.figure is None
        assert "all labelled images are trained on" in picture.text


def test_equal_pictures_are_equal_bytes_that_say_what_they_show(digits: ImageSet, tmp_path: Path) -> None:
    for folder in ("one", "other"):
        style.write(tmp_path / folder, {"digits": datasets.labelled_images(digits), "none": Picture("There is none.")})
    for name in ("digits.png", "none.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    with Image.open(tmp_path / "one" / "digits.png") as drawn, Image.open(tmp_path / "one" / "none.png") as sentence:
        assert drawn.info["Description"] == datasets.labelled_images(digits).text
        assert set(drawn.info) == {"Description", "dpi"}
        assert sentence.info["Comment"] == "There is none."


def test_the_style_is_restored() -> None:
    mpl.rcdefaults()
    before = {name: mpl.rcParams[name] for name in style.STYLE}
    with style.applied():
        assert {name: mpl.rcParams[name] for name in style.STYLE} != before
    assert {name: mpl.rcParams[name] for name in style.STYLE} == before


def test_preprocessing_is_drawn_beside_the_image(digits: ImageSet) -> None:
    after = digits.images[:20] / 2
    picture = predictions.before_and_after(digits, after)
    drawn = images_on(picture)
    np.testing.assert_array_equal(drawn[::2], digits.images[:20])
    np.testing.assert_array_equal(drawn[1::2], after)
    assert texts_on(picture) == ["before", "after"] * 20
    assert predictions.before_and_after(digits, digits.images[:20]).figure is None
