"""What the pictures show, taken from what was drawn on them, not from their pixels."""

import string
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from src.drawing import Picture
from src.data.images import ImageSet
from src.models.recipes import Recipe
from src.models.checkpoints import Trained

from src import competition, drawing
from src.sources.sample import Source

RECIPE = Recipe(
    model="linear", loss="cross_entropy", optimizer="sgd", lr=0.1, batch_size=10, epochs=1, shuffle=False
)  # fmt: skip


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    """Return a hundred real digits, normalized."""
    raw = tmp_path_factory.mktemp("raw")
    Source(test_digits=4900, seed=0).download(raw)
    labelled = competition.read_labelled(raw)
    return ImageSet(labelled.images / np.float32(255), labelled.labels)


@pytest.fixture
def compared(digits: ImageSet) -> pd.DataFrame:
    """Return predictions of the hundred digits: right but for rows 3, 5 and 8, and surer from row to row."""
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
    picture = drawing.digits(digits)
    np.testing.assert_array_equal(images_on(picture), digits.images[:40])
    assert texts_on(picture) == [str(label) for label in digits.known_labels[:40]]


@pytest.mark.parametrize("side", [8, 28])
def test_a_sheet_takes_images_of_any_size(digits: ImageSet, side: int) -> None:
    picture = drawing.digits(ImageSet(digits.images[:3, :side, :side], digits.known_labels[:3]))
    assert [image.shape for image in images_on(picture)] == [(side, side)] * 3


def test_bars_are_the_share_of_each_class(digits: ImageSet) -> None:
    training, validation = digits[:60], digits[60:]
    heights = [bar.get_height() for bar in figure_of(drawing.balance(training, validation)).axes[0].patches]
    shares = [100 * np.mean(one.known_labels == label) for one in (training, validation) for label in range(10)]
    assert heights == pytest.approx(shares)


def test_a_class_that_a_set_lacks_is_named(digits: ImageSet) -> None:
    picture = drawing.balance(digits, digits[digits.known_labels != 7])
    assert figure_of(picture).axes[0].get_title(loc="left") == "No 7 in the validation set."
    assert "No 7 in the validation set." in picture.text


def test_an_empty_validation_set_is_named(digits: ImageSet) -> None:
    assert "The validation set is empty." in drawing.balance(digits, digits[:0]).text


def test_pixel_shares_are_over_all_pixels(digits: ImageSet) -> None:
    picture = drawing.pixels({"training": digits, "validation": digits[:0]})
    (line,) = figure_of(picture).axes[0].lines
    shares = np.asarray(line.get_ydata())[:-1]
    assert shares.sum() == pytest.approx(100)
    assert shares[0] == pytest.approx(100 * np.mean(np.rint(digits.images * 255) < 8))
    assert shares[-1] == pytest.approx(100 * np.mean(np.rint(digits.images * 255) >= 248))


def test_mean_images_are_those_of_the_classes(digits: ImageSet) -> None:
    picture = drawing.means(digits)
    np.testing.assert_allclose(images_on(picture)[4], digits.images[digits.known_labels == 4].mean(axis=0), atol=1e-6)
    assert texts_on(picture) == list(string.digits)


def curve(*values: tuple[float, float]) -> pd.DataFrame:
    train, validation = zip(*values, strict=True)
    return pd.DataFrame({"epoch": range(1, len(values) + 1), "train": train, "validation": validation})


def test_curves_have_a_line_for_each_set_and_seed() -> None:
    curves = {0: curve((0.5, 0.6), (0.3, 0.4)), 7: curve((0.6, 0.7), (0.2, 0.3))}
    loss, accuracy = figure_of(drawing.learning_curves(curves, curves)).axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[0.5, 0.3], [0.6, 0.2], [0.6, 0.4], [0.7, 0.3]]
    assert len(accuracy.lines) == 4
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["training", "validation"]


def test_without_a_validation_set_only_training_is_drawn() -> None:
    alone = {0: curve((0.5, np.nan), (0.3, np.nan))}
    picture = drawing.learning_curves(alone, alone)
    assert [len(axis.lines) for axis in figure_of(picture).axes] == [1, 1]
    assert "there is no validation set" in picture.text


def test_a_single_epoch_is_a_mark() -> None:
    single = {0: curve((0.5, 0.6))}
    assert figure_of(drawing.learning_curves(single, single)).axes[0].lines[0].get_marker() == "o"


def test_weights_are_an_image_for_each_class() -> None:
    weight = np.arange(3 * 64, dtype=np.float32).reshape(3, 64) - 100
    model = Trained({"weight": weight, "bias": np.zeros(3)}, RECIPE, np.array(["a", "b", "c"]), 8)
    picture = drawing.weights(model, 0)
    np.testing.assert_array_equal(images_on(picture), weight.reshape(3, 8, 8))
    assert figure_of(picture).axes[0].images[0].get_clim() == (-100, 100)
    assert texts_on(picture) == ["a", "b", "c"]


def test_a_model_without_weight_images_gets_a_sentence() -> None:
    recipe = RECIPE.model_copy(update={"model": "cnn"})
    picture = drawing.weights(Trained({}, recipe, np.arange(10), 28), 0)
    assert picture.figure is None
    assert "cnn" in picture.text


def test_confusion_counts_each_pair(digits: ImageSet, compared: pd.DataFrame) -> None:
    picture = drawing.confusion(compared, np.arange(10))
    drawn = figure_of(picture).axes[0].texts
    counts = {tuple(map(int, text.get_position()[::-1])): int(text.get_text()) for text in drawn}
    pairs = compared[["label", "predicted"]].astype(int).value_counts()
    assert counts == pairs.to_dict()
    assert picture.text.startswith("97 of 100")


def test_confusion_of_26_classes_of_text() -> None:
    letters = list(string.ascii_uppercase)
    compared = pd.DataFrame({"label": letters, "predicted": letters, "confidence": 0.9})
    picture = drawing.confusion(compared, np.array(letters))
    assert [tick.get_text() for tick in figure_of(picture).axes[0].get_xticklabels()] == letters
    assert picture.text.endswith("There is no mistake.")


def test_reliability_is_the_share_that_is_right() -> None:
    compared = pd.DataFrame(
        {"label": ["1", "1", "1", "1"], "predicted": ["1", "2", "1", "1"], "confidence": [0.52, 0.58, 0.9, 1.0]}
    )
    upper, lower = figure_of(drawing.reliability(compared)).axes
    line = upper.lines[1]
    np.testing.assert_allclose(line.get_xydata(), [(0.55, 0.5), (0.95, 1.0)])
    assert [bar.get_height() for bar in lower.patches] == [2, 2]


def test_mistakes_begin_with_the_surest(digits: ImageSet, compared: pd.DataFrame) -> None:
    picture = drawing.mistakes(digits, compared)
    np.testing.assert_array_equal(images_on(picture), digits.images[[8, 5, 3]])
    row = compared.loc[8]
    assert texts_on(picture)[0] == f"{row['label']} → {row['predicted']}\n{row['confidence']:.2f}"


def test_no_mistake_is_a_sentence(digits: ImageSet, compared: pd.DataFrame) -> None:
    picture = drawing.mistakes(digits, compared.assign(predicted=compared["label"]))
    assert picture.figure is None
    assert picture.text == "There is no mistake on the validation set."


def test_doubtful_begins_with_the_least_confidence(digits: ImageSet, compared: pd.DataFrame) -> None:
    picture = drawing.doubtful(digits, compared[::-1])
    np.testing.assert_array_equal(images_on(picture), digits.images[:10])
    assert "7 of them are right" in picture.text


def test_predictions_begin_with_the_least_confidence(digits: ImageSet) -> None:
    probabilities = np.array([[0.9, 0.1], [0.45, 0.55], [0.3, 0.7]], dtype=np.float32)
    picture = drawing.predictions(ImageSet(digits.images[:3]), probabilities, np.array(["cat", "a very long name"]))
    np.testing.assert_array_equal(images_on(picture), digits.images[[1, 2, 0]])
    assert texts_on(picture) == ["a very l…\n0.55", "a very l…\n0.70", "cat\n0.90"]


def test_without_a_validation_set_there_are_sentences(digits: ImageSet, compared: pd.DataFrame) -> None:
    none = compared[:0]
    for picture in (
        drawing.confusion(none, np.arange(10)),
        drawing.reliability(none),
        drawing.mistakes(digits[:0], none),
        drawing.doubtful(digits[:0], none),
    ):
        assert picture.figure is None
        assert "all labelled images are trained on" in picture.text


def test_equal_pictures_are_equal_bytes_that_say_what_they_show(digits: ImageSet, tmp_path: Path) -> None:
    for folder in ("one", "other"):
        drawing.save(tmp_path / folder, {"digits": drawing.digits(digits), "none": Picture("There is none.")})
    for name in ("digits.png", "none.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    with Image.open(tmp_path / "one" / "digits.png") as drawn, Image.open(tmp_path / "one" / "none.png") as sentence:
        assert drawn.info["Description"] == drawing.digits(digits).text
        assert set(drawn.info) == {"Description", "dpi"}
        assert sentence.info["Comment"] == "There is none."
