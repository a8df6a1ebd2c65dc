"""What the pictures show, taken from what was drawn on them, not from their pixels."""

import itertools
import string
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image
from safetensors.numpy import save_file

from src.data.competition.files import FILES
from src.data.images import ImageSet
from src.reporting.pictures import datasets, evaluation, predictions, results, style, training
from src.reporting.pictures.labels import noun, short_names
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
    Source(test_digits=4900, seed=0).download(raw, FILES)
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


def test_images_of_the_whole_file_stand_under_their_labels(digits: ImageSet) -> None:
    picture = datasets.labelled_images(digits)
    rows = [99 * number // 39 for number in range(40)]
    np.testing.assert_array_equal(images_on(picture), digits.images[rows])
    assert texts_on(picture) == [str(label) for label in digits.known_labels[rows]]
    assert picture.text.startswith("40 of the 100 labelled images")


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


def test_of_many_classes_that_folds_lack_three_are_named(digits: ImageSet) -> None:
    labels = np.repeat(np.arange(10), 10)
    picture = datasets.class_balance(ImageSet(digits.images, labels, (labels % 3).astype(np.uint8)))
    said = (
        "No 0 in folds 1, 2. No 1 in folds 0, 2. No 2 in folds 0, 1. In all, 10 of 10 classes are missing in some fold."
    )
    assert figure_of(picture).axes[0].get_title(loc="left").split() == said.split()
    assert picture.text.endswith(said)


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
    assert "error rates of 0.00 to 10.00 %" in picture.text
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


def test_confusion_of_many_classes_is_of_those_in_the_most_frequent_mistakes() -> None:
    label = [f"class {number}" for number in range(40)] * 3
    wrong = {"class 7": "class 9", "class 8": "class 2"}
    predicted = pd.DataFrame({"label": label, "predicted": [wrong.get(name, name) for name in label]})
    predicted.loc[8, "predicted"] = "class 8"
    picture = evaluation.confusion_matrix(predicted, np.unique(label))
    axes = figure_of(picture).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["class 2", "class 7", "class 8", "class 9"]
    drawn = {tuple(map(int, text.get_position()[::-1])): int(text.get_text()) for text in axes.texts}
    assert drawn == {(0, 0): 3, (1, 3): 3, (2, 0): 2, (2, 2): 1, (3, 3): 3}
    assert picture.text == (
        "115 of 120 images are predicted correctly. "
        "Most often confused: class 7 as class 9 (3), class 8 as class 2 (2)."
    )
    assert evaluation.confusion_matrix(predicted.assign(predicted=label), np.unique(label)).figure is None


def test_reliability_is_the_accuracy_of_each_bin() -> None:
    predicted = pd.DataFrame(
        {"label": ["1", "1", "1", "1"], "predicted": ["1", "2", "1", "1"], "confidence": [0.52, 0.58, 0.9, 1.0]}
    )
    upper, lower = figure_of(evaluation.reliability_diagram(predicted)).axes
    line = upper.lines[1]
    np.testing.assert_allclose(line.get_xydata(), [(0.55, 0.5), (0.95, 1.0)])
    assert [bar.get_height() for bar in lower.patches] == [2, 2]


def test_mistakes_are_drawn_in_their_order(digits: ImageSet, predicted: pd.DataFrame) -> None:
    wrong = results.wrong_predictions(predicted).loc[[68, 65, 63]].assign(doubtful=[1, 0, 0])
    picture = evaluation.mistakes(digits, wrong)
    assert picture.text.startswith("The first 3 of 3 mistakes, of which 1 have a doubtful label. The first ")
    np.testing.assert_array_equal(images_on(picture), digits.images[[68, 65, 63]])
    row = predicted.loc[68]
    assert texts_on(picture)[0] == f"{row['label']} → {row['predicted']}\n{row['confidence']:.2f}"


def test_no_mistake_is_a_sentence(digits: ImageSet, predicted: pd.DataFrame) -> None:
    picture = evaluation.mistakes(digits, results.wrong_predictions(predicted[:0]))
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
    assert texts_on(picture) == ["a very long…\n0.55", "a very long…\n0.70", "cat\n0.90"]


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


BREEDS = [
    "Abyssinian", "American Bobtail", "American Curl", "American Shorthair", "Balinese", "Balinese cat",
    "Balinese kitten", "Bengal", "Birman", "Bombay", "British Longhair", "British Shorthair", "Burmese", "Chartreux",
    "Cornish Rex", "Devon Rex", "Egyptian Mau", "Japanese Bobtail", "Maine Coon", "Norwegian Forest Cat",
    "Oriental Shorthair", "Russian Blue", "Scottish Fold", "Turkish Van",
]  # fmt: skip
CLOTHES = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
]  # fmt: skip
KINDS: dict[str, tuple[Sequence[object], int, bool, bool]] = {
    "two classes": (["a class with a long name", "another one"], 28, False, False),
    "ten digits of 8x8 pixels": (range(10), 8, False, False),
    "clothes": (CLOTHES, 28, False, False),
    "24 breeds on a bright background, sorted by label": (BREEDS, 64, True, True),
    "47 numbers, sorted by label": (range(47), 28, False, True),
    "62 characters": (string.digits + string.ascii_letters, 28, True, False),
    "62 long names": ([f"Person number {number} of the archive" for number in range(62)], 8, False, True),
    "two of a script that the font lacks": ("\N{KANNADA DIGIT ONE}\N{KANNADA DIGIT TWO}", 8, False, False),
}


def all_pictures(digits: ImageSet, kind: str, models_dir: Path) -> dict[str, Picture]:
    """Return what the stage `draw` draws, of 310 digits under other labels."""
    names, side, bright, is_sorted = KINDS[kind]
    classes = np.unique(np.array(list(names)))
    codes = np.arange(310) % len(classes)
    small = [Image.fromarray(np.uint8(255 * image)).resize((side, side)) for image in digits.images]
    images = np.resize(np.array([np.asarray(image) for image in small], dtype=np.float32) / 255, (310, side, side))
    images = images.round() if len(classes) == 2 else images  # 0 and 1 alone
    images = 1 - images if bright else images
    folds = np.repeat(np.arange(5, dtype=np.uint8), 62)
    labelled, test = ImageSet(images, classes[np.sort(codes) if is_sorted else codes], folds), ImageSet(images[:100])
    label = labelled.known_labels[:200].astype(str)
    predicted = pd.DataFrame({"label": label, "predicted": label, "confidence": np.linspace(0.01, 1, 200)})
    others = np.roll(classes, 1)[np.searchsorted(classes, labelled.known_labels[:200:2])]
    predicted.loc[::2, "predicted"] = others.astype(str)
    of_members = np.random.default_rng(0).dirichlet(np.ones(len(classes)), (100, 1)).astype(np.float32)
    save_file({"weight": np.eye(len(classes), side**2), "bias": np.zeros(1)}, models_dir / "4-0.safetensors")
    curves = {"4-0": curve((0.5, 0.6))}
    members = {"member": [f"{fold}-{seed}" for fold in range(5) for seed in range(4)]}
    scores = {"accuracy": 0.9, "ci_low": 0.88, "ci_high": 0.92}
    return {
        "digits": datasets.labelled_images(labelled),
        "balance": datasets.class_balance(labelled),
        "pixels": datasets.pixel_values({"labelled": labelled, "test": test}),
        "means": datasets.mean_images(labelled),
        "curves": training.learning_curves(curves, curves),
        "weights": training.linear_weights(models_dir, classes),
        "members": evaluation.error_rates(pd.DataFrame(members | scores)),
        "confusion": evaluation.confusion_matrix(predicted, classes),
        "reliability": evaluation.reliability_diagram(predicted),
        "mistakes": evaluation.mistakes(labelled, results.wrong_predictions(predicted).assign(doubtful=1)),
        "least_confident": evaluation.least_confident(labelled, predicted),
        "preprocessing": predictions.before_and_after(test, images[:20] / 2),
        "predictions": predictions.least_confident(test, of_members, classes),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_of_every_kind_of_set_is_readable(kind: str, digits: ImageSet, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a layout that does not fit, and of letters that the font lacks
        pictures = all_pictures(digits, kind, tmp_path)
        for name, picture in pictures.items():
            figure = figure_of(picture)
            figure.draw_without_rendering()
            shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
            boxes = {text: text.get_window_extent() for text in shown if drawn(text, figure)}
            for text, box in boxes.items():
                assert "$" not in text.get_text(), name
                assert figure.bbox.padded(1).contains(box.x0, box.y0), (name, text)
                assert figure.bbox.padded(1).contains(box.x1, box.y1), (name, text)
                assert text.get_fontsize() > 4.9, (name, text)
            for (one, box), (other, beside) in itertools.combinations(boxes.items(), 2):
                assert Bbox.intersection(box.padded(-1), beside.padded(-1)) is None, (name, one, other)
    style.write(tmp_path / "pictures", {name: pictures[name] for name in ("balance", "mistakes")})
    with Image.open(tmp_path / "pictures" / "mistakes.png") as image:
        assert image.info["Description"] == pictures["mistakes"].text


def drawn(text: Text, figure: Figure) -> bool:
    """Return whether a text is on the figure: ticks beyond the ends of an axis have labels that are not."""
    for axes in figure.axes:
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if text in (tick.label1, tick.label2):
                    return min(low, high) <= tick.get_loc() <= max(low, high)
    return True


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (range(3), ["0", "1", "2"]),
        (["T-shirt", "T-shirts of wool"], ["T-shirt", "T-shirts…"]),
        (["Balinese cat", "Balinese kitten"], ["…cat", "…kitten"]),
        (["old Bengal", "young Bengal", "young Siam"], ["old Beng…", "young Be…", "young Si…"]),
        (["letter 1 of 2", "letter 1 of 3", "letter 2 of 2"], ["…1 of 2", "…1 of 3", "letter 2…"]),
        (["Old letter 1", "Old letter 2", "New letter 1"], ["Old let 1", "…letter 2", "New lett…"]),
    ],
)
def test_a_short_name_keeps_what_tells_a_label_apart(labels: Sequence[object], names: list[str]) -> None:
    found = short_names(labels, longest=9)
    assert [found[str(label)] for label in labels] == names


def test_the_noun_is_digit_for_the_numbers_from_0_to_9_alone() -> None:
    assert noun(range(10)) == noun([*"0123456789"]) == "digit"
    assert noun(range(9)) == noun(range(1, 11)) == noun(string.ascii_lowercase) == noun(["shirt", "shoe"]) == "image"
