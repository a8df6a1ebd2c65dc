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
from tests.competitions import read_labelled


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with style.applied():
        yield


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    """Return a hundred real digits, normalized, in folds of 60 and 40."""
    raw = tmp_path_factory.mktemp("raw")
    Source(test_digits=4900, seed=0).download(raw, competition.FILES)
    labelled = read_labelled(raw)
    return ImageSet(labelled.images / np.float32(255), labelled.labels, np.repeat(np.array([0, 1], np.uint8), [60, 40]))


@pytest.fixture
def predicted(digits: ImageSet) -> pd.DataFrame:
    """Return predictions of the last forty, wrong for 63, 65 and 68, with confidence rising from row to row."""
    label = digits.known_labels[60:].astype(str)
    predicted = label.copy()
    predicted[[3, 5, 8]] = [str((int(label[row]) + 1) % 10) for row in (3, 5, 8)]
    columns = {"label": label, "predicted": predicted, "confidence": np.linspace(0.2, 0.99, len(label))}
    return pd.DataFrame(columns, index=range(60, 100))


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


def test_bars_are_the_class_distribution_and_lines_on_them_reach_from_fold_to_fold(digits: ImageSet) -> None:
    axes = figure_of(datasets.class_balance(digits)).axes[0]
    of_all, *of_folds = (
        [100 * np.mean(labels == label) for label in range(10)]
        for labels in (digits.known_labels, digits.known_labels[:60], digits.known_labels[60:])
    )
    assert [bar.get_height() for bar in axes.patches] == pytest.approx(of_all)
    (lines,) = (lines.get_segments() for lines in axes.collections)
    for line, ends in zip(lines, zip(*of_folds, strict=True), strict=True):
        assert line[:, 1].tolist() == pytest.approx(sorted(ends))


def test_a_class_that_a_fold_lacks_is_named(digits: ImageSet) -> None:
    folds = np.where(digits.known_labels == 7, 0, np.arange(100) % 2).astype(np.uint8)
    picture = datasets.class_balance(ImageSet(digits.images, digits.labels, folds))
    assert figure_of(picture).axes[0].get_title(loc="left") == "No 7 in fold 1."
    assert picture.text.endswith("No 7 in fold 1.")


def test_pixel_shares_are_over_all_pixels_of_each_set(digits: ImageSet) -> None:
    picture = datasets.pixel_values({"labelled": digits, "test": ImageSet(digits.images[:1])})
    line, other = figure_of(picture).axes[0].lines
    assert other.get_ydata()[0] == pytest.approx(100 * np.mean(np.rint(digits.images[:1] * 255) < 8))
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


def test_curves_have_a_line_for_each_set_and_network() -> None:
    curves = {"3-0": curve((0.5, 0.6), (0.3, 0.4)), "4-0": curve((0.6, 0.7), (0.2, 0.3))}
    loss, accuracy = figure_of(training.learning_curves(curves, curves)).axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[0.5, 0.3], [0.6, 0.2], [0.6, 0.4], [0.7, 0.3]]
    assert len(accuracy.lines) == 4
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["training", "validation"]


def test_a_single_epoch_is_a_mark() -> None:
    single = {"4-0": curve((0.5, 0.6))}
    assert figure_of(training.learning_curves(single, single)).axes[0].lines[0].get_marker() == "o"


def test_weights_are_an_image_for_each_class(tmp_path: Path) -> None:
    weight = np.arange(3 * 64, dtype=np.float32).reshape(3, 64) - 100
    save_file({"weight": weight, "bias": np.zeros(3)}, tmp_path / "4-0.safetensors")
    picture = training.linear_weights(tmp_path, np.array(["a", "b", "c"]))
    np.testing.assert_array_equal(images_on(picture), weight.reshape(3, 8, 8))
    assert figure_of(picture).axes[0].images[0].get_clim() == (-100, 100)
    assert texts_on(picture) == ["a", "b", "c"]


def test_a_model_without_a_weight_per_pixel_gets_a_sentence(tmp_path: Path) -> None:
    save_file({"0.weight": np.zeros((3, 64)), "0.bias": np.zeros(3)}, tmp_path / "4-0.safetensors")
    picture = training.linear_weights(tmp_path, np.arange(3))
    assert picture.figure is None
    assert "only a linear model" in picture.text


def test_error_rates_have_their_intervals_a_bar_for_each_network() -> None:
    members = pd.DataFrame(
        {"member": ["3-0", "4-0"], "accuracy": [0.9, 1.0], "ci_low": [0.85, 0.97], "ci_high": [0.93, 1.0]}
    )
    picture = evaluation.error_rates(members)
    axes = figure_of(picture).axes[0]
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([10, 0])
    (lines,) = (lines.get_segments() for lines in axes.collections)
    assert [line[:, 1].tolist() for line in lines] == [pytest.approx([7, 15]), pytest.approx([0, 3])]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["3-0", "4-0"]
    assert "err on 0.00 to 10.00 %" in picture.text
    assert "standard deviation of their accuracies is 0.0707" in picture.text
    assert evaluation.error_rates(members[:1]).figure is None


def test_confusion_counts_each_pair(digits: ImageSet, predicted: pd.DataFrame) -> None:
    picture = evaluation.confusion_matrix(predicted, np.arange(10))
    drawn = figure_of(picture).axes[0].texts
    counts = {tuple(map(int, text.get_position()[::-1])): int(text.get_text()) for text in drawn}
    pairs = predicted[["label", "predicted"]].astype(int).value_counts()
    assert counts == pairs.to_dict()
    assert picture.text.startswith("37 of 40")


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
    np.testing.assert_array_equal(images_on(picture), digits.images[[68, 65, 63]])
    row = predicted.loc[68]
    assert texts_on(picture)[0] == f"{row['label']} → {row['predicted']}\n{row['confidence']:.2f}"


def test_no_mistake_is_a_sentence(digits: ImageSet, predicted: pd.DataFrame) -> None:
    picture = evaluation.confident_mistakes(digits, predicted.assign(predicted=predicted["label"]))
    assert picture.figure is None
    assert picture.text == "There is no mistake on the validation images."


def test_the_least_confident_validation_images_are_sorted(digits: ImageSet, predicted: pd.DataFrame) -> None:
    picture = evaluation.least_confident(digits, predicted[::-1])
    np.testing.assert_array_equal(images_on(picture), digits.images[60:70])
    assert "7 of them are predicted correctly" in picture.text


def test_the_least_confident_test_images_are_sorted_by_the_mean_over_the_networks(digits: ImageSet) -> None:
    of_members = np.array(
        [[[0.9, 0.1], [0.9, 0.1]], [[0.9, 0.1], [0.0, 1.0]], [[0.4, 0.6], [0.2, 0.8]]], dtype=np.float32
    )
    picture = predictions.least_confident(
        ImageSet(digits.images[:3]), of_members, np.array(["cat", "a very long name"])
    )
    np.testing.assert_array_equal(images_on(picture), digits.images[[1, 2, 0]])
    assert texts_on(picture) == ["a very l…\n0.55", "a very l…\n0.70", "cat\n0.90"]


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
