"""Files that keep the contract, and files that lie."""

import csv
import io
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from src.core.errors import UserError
from src.data.competition import csv_files, reading, scale
from src.data.competition.files import LABEL
from src.data.competition.submission import writing_submission
from src.preparation import scaling
from tests.competitions import read_labelled, read_test

GOOD = {
    "train.csv": "label,pixel0,pixel1,pixel2,pixel3\n5,0,1,2,3\n6,4,5,6,7\n5,8,9,10,255\n",
    "test.csv": "pixel0,pixel1,pixel2,pixel3\n0,1,2,3\n4,5,6,70\n",
    "sample_submission.csv": "ImageId,Label\n1,0\n2,0\n",
}
TRAIN, TEST, SAMPLE = GOOD
FRACTIONS = {
    TRAIN: "label,pixel0,pixel1,pixel2,pixel3\n5,0,0.0157,1e-3,0\n6,0.4,0,.5,0\n5,0,0,0,0.9\n",
    TEST: "pixel0,pixel1,pixel2,pixel3\n0,0,0,0\n0,0.5,0,0\n",
}
BINARY = {
    TRAIN: "label,pixel0,pixel1,pixel2,pixel3\n5,0,1,1,0\n6,1,1,0,0\n5,0,0,0,1\n",
    TEST: "pixel0,pixel1,pixel2,pixel3\n0,1,0,1\n0,0,0,0\n",
}
COLOUR = [f"pixel{index}" for index in range(3 * 32 * 32)]


@pytest.fixture(scope="module", autouse=True, params=[2, csv_files.ROWS])
def _rows(request: pytest.FixtureRequest) -> Iterator[None]:
    """Read files in parts of so many rows: what is found does not depend on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "ROWS", request.param)
        yield


def write(folder: Path, changes: Mapping[str, str | bytes | None]) -> Path:
    """Write the good files to the folder with some of them changed; None leaves a file out."""
    for name, content in (GOOD | dict(changes)).items():
        if content is not None:
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def cell(content: str) -> str:
    """Return train.csv with this content in its second row, column `pixel1`."""
    return GOOD[TRAIN].replace("6,4,5,", f"6,4,{content},")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {name: text.replace("\n", "\r\n") for name, text in GOOD.items()},
        {name: "\ufeff" + text for name, text in GOOD.items()},
        {name: text + "\n" for name, text in GOOD.items()},
        {name: text.removesuffix("\n") for name, text in GOOD.items()},
        {name: text.replace(",", '","').replace("\n", '"\n"').join('"\n').replace('\n"\n', "\n")
         for name, text in GOOD.items()},
        {TEST: "pixel3,pixel1,pixel0,pixel2\n3,1,0,2\n70,5,4,6\n"},
        {TRAIN: "pixel3,pixel1,pixel0,pixel2,label\n3,1,0,2,5\n7,5,4,6,6\n255,9,8,10,5\n"},
        {TEST: "ImageId,pixel0,pixel1,pixel2,pixel3\n2,4,5,6,70\n1,0,1,2,3\n"},
        {TRAIN: GOOD[TRAIN].replace("0,1,2,3\n", "000, 1,+2,3.0\n").replace("10,", "1e1,")},
    ],
    ids=["as they are", "CRLF", "a BOM", "a trailing blank line", "no last line end", "quotes",
         "test columns in another order", "train columns in another order", "an id column",
         "whole numbers written in another way"],
)  # fmt: skip
def test_harmless_differences_change_nothing(tmp_path: Path, changes: dict[str, str]) -> None:
    write(tmp_path, changes)
    labelled, unlabelled = read_labelled(tmp_path), read_test(tmp_path)
    assert labelled.images.tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9], [10, 255]]]
    assert labelled.known_labels.tolist() == [5, 6, 5]
    assert unlabelled.images.tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 70]]]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({TRAIN: GOOD[TRAIN].replace("label,", "").replace("\n5,", "\n").replace("\n6,", "\n")},
         "test.csv: it has the same columns as train.csv, which must have one more, the label"),
        ({TEST: "label," + GOOD[TEST].replace("\n0", "\n5,0").replace("\n4", "\n5,4")},
         "test.csv: it has the label column 'label'; remove it"),
        ({TRAIN: GOOD[TRAIN].replace("label", "kind").replace("pixel3\n", "pixel3,more\n").replace("255\n", "255,1\n")},
         "train.csv: the label is ambiguous; test.csv lacks 'kind', 'more'; name it in params.yaml, as `label` of the "
         "source"),
        ({LABEL: "kind"}, "train.csv: there is no column 'kind', the label; name it in params.yaml, as `label` of the "
         "source"),
        ({LABEL: "pixel0"}, "test.csv: it has the label column 'pixel0'; remove it"),
        ({TEST: "pixel0,pixel1,pixel2,another\n0,1,2,3\n"}, "test.csv: column 'another' is not in train.csv; if it is "
         "the id, give the first column of sample_submission.csv this name"),
        ({TEST: "pixel0,pixel1,pixel2\n0,1,2\n1,2,3\n"}, "test.csv: the pixel column 'pixel3' of train.csv is missing"),
        ({TRAIN: "label,p0,p1,p2,p3,kind\n5,1,1,1,1,1\n", TEST: "p0,p1,p2,p3,kind\n1,1,1,1,1\n"},
         "test.csv: 5 pixel columns do not make a square image; 'kind' is not named as the others are"),
        ({TRAIN: "label," + ",".join(COLOUR) + "\n", TEST: ",".join(COLOUR) + "\n"},
         "test.csv: 3072 pixel columns do not make a square image; three columns for each pixel mean colour, which is "
         "not supported: give grey images"),
        *[({name: f"{first}," + GOOD[name].replace("\n", "\n0,").removesuffix("0,")},
           f"{name}: the first column has no name and looks like an index; remove it (with pandas, "
           "to_csv(..., index=False))") for name in GOOD for first in ("", "Unnamed: 0")],
        ({TRAIN: "5,0,0,7,170,170\n6,0,0,1,2,9\n"}, "train.csv: the first line holds numbers; expected a header, the "
         "names of the columns"),
        ({TRAIN: "shirt,0,0,7,170,170\nhat,0,0,1,2,9\n"}, "train.csv: the first line holds numbers"),
        ({TRAIN: "label,a,b,c\n1,1,2,3\n", TEST: "a,b,c\n1,2,3\n2,2,2\n"},
         "test.csv: 3 pixel columns do not make a square"),
        ({TRAIN: GOOD[TRAIN].replace("pixel3", "pixel0")}, "train.csv: duplicate column 'pixel0' in the header"),
        ({SAMPLE: "ImageId\n1\n2\n"}, "sample_submission.csv: expected two columns, an id and a prediction, found 1"),
        ({SAMPLE: "ImageId,Label,x\n1,0,0\n"}, "sample_submission.csv: expected two columns"),
        *[({name: None}, f"there is no {name}") for name in GOOD],
        *[({name: ""}, f"{name}: the file is empty") for name in GOOD],
        *[({name: "\n\n"}, f"{name}: the file is empty") for name in GOOD],
        *[({name: text.splitlines()[0]}, f"{name}: there are no rows") for name, text in GOOD.items()],
        *[({name: b"\x1f\x8b\x08\x00rest"}, f"{name} is an archive") for name in GOOD],
        *[({name: b"PK\x03\x04rest"}, f"{name} is an archive") for name in GOOD],
        ({TRAIN: GOOD[TRAIN].replace("6,4,5,6,7", "6,4,5,6")}, "train.csv, row 2: expected 5 columns, found 4"),
        ({TRAIN: GOOD[TRAIN].replace("6,4,5,6,7", "6,4,5,6,7,8")}, "train.csv, row 2: expected 5 columns, found 6"),
        ({TRAIN: GOOD[TRAIN].replace(",10,255\n", "")}, "train.csv, row 3: expected 5 columns, found 3"),
        ({TRAIN: "pixel0,pixel1,pixel2,pixel3,label\n1,2,3,4,5\n1,2,3,4\n"},
         "train.csv, row 2: expected 5 columns, found 4"),
        ({TEST: GOOD[TEST].replace("4,5,6,7", "4,5,6")}, "test.csv, row 2: expected 4 columns, found 3"),
        ({SAMPLE: "ImageId,Label\n1,0\n2\n"}, "sample_submission.csv, row 2: expected 2 columns, found 1"),
        ({SAMPLE: "ImageId,Label\n1,0\n2,0,0\n"}, "sample_submission.csv, row 2: expected 2 columns, found 3"),
        *[({TRAIN: cell(wrong)}, "train.csv, row 2, column 'pixel1': expected a pixel, a whole number from 0 to 255, "
           f"found {wrong!r}")
          for wrong in ("x", "-1", "256", "1.5", "1e3", "0x10", "1_0", "nan", "NA", "True", "9" * 30,
                        "\u0663")],
        *[({TRAIN: cell(wrong)}, "train.csv, row 2, column 'pixel1': expected a pixel, a whole number from 0 to 255 as "
           f"'2' in row 1, found {wrong!r}") for wrong in ("1e-1", "0.5")],
        *[({TRAIN: cell(nothing)}, "train.csv, row 2, column 'pixel1': expected a pixel, a whole number from 0 to 255, "
           "found nothing") for nothing in ("", " ")],
        *[({TRAIN: cell(wrong).replace("9,10", "1e1,10")}, "train.csv, row 2, column 'pixel1': expected a pixel")
          for wrong in ("-1", "256", "nan", "inf", "1e400")],
        ({TEST: GOOD[TEST].replace("7", "-7")}, "test.csv, row 2, column 'pixel3': expected a pixel"),
        ({TRAIN: FRACTIONS[TRAIN].replace("0.0157", "12.7")}, "train.csv, row 1, column 'pixel1': expected a pixel, a "
         "whole number from 0 to 255, or a fraction from 0 to 1, found '12.7'"),
        ({TRAIN: FRACTIONS[TRAIN].replace("\n6,0.4,", "\n6,7,")}, "train.csv, row 2, column 'pixel0': expected a "
         "pixel, a fraction from 0 to 1 as '0.0157' in row 1, found '7'"),
        *[({TRAIN: FRACTIONS[TRAIN].replace("\n6,0.4,", f"\n6,{wrong},")}, f"found {wrong!r}")
          for wrong in ("x", "-0.1", "1.01", "nan", "True", "1e400", "inf")],
        ({TRAIN: FRACTIONS[TRAIN].replace("\n6,0.4,", "\n6,,")}, "found nothing"),
        # scales
        ({TRAIN: FRACTIONS[TRAIN]}, "the pixels of train.csv run from 0 to 0.9 and those of test.csv from 0 to 70; "
         "use one scale in both files"),
        ({TEST: FRACTIONS[TEST]}, "the pixels of train.csv run from 0 to 255 and those of test.csv from 0 to 0.5;"),
        ({TEST: GOOD[TEST].replace("70", "16")}, "run from 0 to 255 and those of test.csv from 0 to 16;"),
        ({TRAIN: GOOD[TRAIN].replace("255", "16")}, "run from 0 to 16 and those of test.csv from 0 to 70;"),
        ({TRAIN: BINARY[TRAIN], TEST: GOOD[TEST].replace("70", "3").replace("4,5,6", "1,1,1")},
         "run from 0 to 1 and those of test.csv from 0 to 3;"),
        ({TRAIN: GOOD[TRAIN].replace("\n6,", "\n,")}, "train.csv, row 2, column 'label': the label is missing"),
        ({TRAIN: GOOD[TRAIN].replace("\n6,", "\n  ,")}, "train.csv, row 2, column 'label': the label is missing"),
        ({SAMPLE: "ImageId,Label\n1,0\n2,0\n3,0\n"}, "test.csv has 2 rows and sample_submission.csv 3"),
        ({SAMPLE: "ImageId,Label\n1,0\n1,0\n"}, "sample_submission.csv, row 2, column 'ImageId': duplicate id '1'"),
        ({SAMPLE: "ImageId,Label\n1,0\n,0\n"}, "sample_submission.csv, row 2, column 'ImageId': the id is missing"),
        ({TEST: "ImageId,pixel0,pixel1,pixel2,pixel3\n1,0,1,2,3\n3,4,5,6,7\n"},
         "test.csv, row 2, column 'ImageId': the id '3' is not in sample_submission.csv"),
        ({TEST: "ImageId,pixel0,pixel1,pixel2,pixel3\n1,0,1,2,3\n1,4,5,6,7\n"},
         "test.csv, row 2, column 'ImageId': duplicate id '1'"),
        # what a reader that is less careful accepts in silence
        *[({name: text.encode("utf-16")}, f"{name}: not a valid CSV file: it is not UTF-8 text; save it as UTF-8")
          for name, text in GOOD.items()],
        ({TRAIN: GOOD[TRAIN].replace("\n5", "\n\xe9").encode("latin-1")}, "save it as UTF-8"),
        *[({name: text.replace(",", ";")}, f"{name}: the columns are separated by a semicolon")
          for name, text in GOOD.items()],
        ({TEST: GOOD[TEST].replace(",", "\t")}, "test.csv: the columns are separated by a tab"),
        ({TRAIN: "# from a friend\n" + GOOD[TRAIN]}, "train.csv: the first line is a comment"),
        ({TRAIN: GOOD[TRAIN].replace(",", ", ")}, "train.csv: there is a space after each comma"),
        ({TRAIN: GOOD[TRAIN].replace("\n6", "\n5 ")}, "train.csv, row 2, column 'label': the label '5 ' is '5'"),
        *[({TRAIN: GOOD[TRAIN].replace("\n6", f"\n{again}")}, f"the label {again!r} is '5' written in another way")
          for again in ("05", "+5", "5.0", "5.", "5\xa0")],
        ({TRAIN: "label,a,b,c,d\n5,1,2,3,4\n6,1,2,3,4\n", TEST: "label,a,b,c\n1,2,3,4\n1,2,3,4\n"},
         "test.csv: it has the label column 'label'; remove it"),
        ({TRAIN: GOOD[TRAIN].replace("\n5", "\n6")}, "train.csv: the label, 'label', has 1 distinct values in 3 "
         "rows; expected two or more, and fewer than rows; if another column is the label, name it in params.yaml, "
         "as `label` of the source"),
        ({TRAIN: GOOD[TRAIN].removesuffix("5,8,9,10,255\n")}, "the label, 'label', has 2 distinct values in 2 rows;"),
        *[({TRAIN: line + "\n" + GOOD[TRAIN]}, f"train.csv: the first line, {line!r}, is not the header")
          for line in ("Handwritten digits", "sep=,")],
        *[({SAMPLE: GOOD[SAMPLE].replace("ImageId", odd)}, "sample_submission.csv: the header holds a line end")
          for odd in ('"Image\rId"', '"Image\nId"', "Image\0Id")],
        ({TRAIN: GOOD[TRAIN].encode("utf-16-le")}, "train.csv: the header holds a line end or a NUL"),
        ({TRAIN: '"' + GOOD[TRAIN]}, "a quote is open"),
        ({TRAIN: GOOD[TRAIN].replace("label", "pixel4")}, "the label is ambiguous; test.csv lacks 'pixel4'; name"),
        *[({TRAIN: cell(word)}, f"train.csv, row 2, column 'pixel1': expected a pixel, a whole number from 0 to 255, "
           f"found '{word}'") for word in ("True", "false", "TRUE")],
        ({TRAIN: "label,pixel0,pixel1,pixel2,pixel3\n1,True,False,True,True\n"}, "train.csv, row 1, column 'pixel0'"),
        ({TRAIN: GOOD[TRAIN].replace("\n6,", '\n"a\rb",')}, "train.csv, row 2, column 'label': 'a\\rb' holds"),
        ({TRAIN: GOOD[TRAIN].replace("\n6,", "\na\0,")}, "train.csv, row 2, column 'label': 'a\\x00' holds"),
        ({SAMPLE: 'ImageId,Label\n"1\r",0\n2,0\n'}, "sample_submission.csv, row 1, column 'ImageId'"),
        ({SAMPLE: "Label,ImageId\n0,1\n0,2\n"}, "the first column must be the id, the second the prediction"),
    ],
)  # fmt: skip
def test_an_invalid_file_is_refused_with_its_place(
    tmp_path: Path, changes: dict[str, str | bytes | None], said: str
) -> None:
    write(tmp_path, changes)
    with pytest.raises(UserError) as refused:
        reading.count_images(tmp_path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "white", "kind"),
    [
        ({}, 255, np.uint8),
        ({TRAIN: GOOD[TRAIN].replace("255", "200")}, 255, np.uint8),
        ({TRAIN: GOOD[TRAIN].replace("255", "199")}, 199, np.uint8),
        ({TRAIN: GOOD[TRAIN].replace("255", "16"), TEST: GOOD[TEST].replace("70", "16")}, 16, np.uint8),
        ({TRAIN: GOOD[TRAIN].replace("255", "14"), TEST: GOOD[TEST].replace("70", "15")}, 15, np.uint8),
        ({TRAIN: GOOD[TRAIN].replace("255", "16.0"), TEST: GOOD[TEST].replace("70", "12")}, 16, np.uint8),
        (BINARY, 1, np.uint8),
        ({TRAIN: FRACTIONS[TRAIN], TEST: BINARY[TEST]}, 1, np.float32),
        (FRACTIONS, 1, np.float32),
    ],
    ids=str,
)
def test_the_scale_is_that_of_both_files_and_is_told_unless_it_is_255(
    tmp_path: Path, changes: dict[str, str], white: int, kind: type, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, changes)
    assert reading.count_images(tmp_path) == (3, 2)
    assert capsys.readouterr().out == ("" if white == 255 else f"pixels run from 0 to {white}\n")
    labelled = read_labelled(tmp_path)
    values = [line.split(",")[1:] for line in (tmp_path / TRAIN).read_text().splitlines()[1:]]
    assert labelled.images.dtype == kind
    assert np.array_equal(labelled.images.reshape(3, 4), np.array(values, dtype=np.float64).astype(kind))
    maxima = (scaling.brightest(labelled), scaling.brightest(read_test(tmp_path)))
    assert scale.find(*maxima) == white


OTHERS = GOOD[TRAIN].replace("label,", "writer,kind,").replace("\n5,", "\nann,a,").replace("\n6,", "\nbob,b,")


@pytest.mark.parametrize(
    ("changes", "labels", "unused"),
    [
        ({TRAIN: GOOD[TRAIN].replace("label", "kind")}, [5, 6, 5], ""),
        ({TRAIN: GOOD[TRAIN].replace("label", "kind0")}, [5, 6, 5], ""),
        ({TRAIN: GOOD[TRAIN].replace("label", "pixel4"), LABEL: "pixel4"}, [5, 6, 5], ""),
        ({TRAIN: OTHERS.replace("kind", "Label")}, [*"aba"], "writer"),
        ({TRAIN: OTHERS, SAMPLE: GOOD[SAMPLE].replace("Label", "KIND")}, [*"aba"], "writer"),
        ({TRAIN: OTHERS, LABEL: "writer"}, ["ann", "bob", "ann"], "kind"),
        ({TRAIN: OTHERS.replace("kind", "label"), LABEL: "writer"}, ["ann", "bob", "ann"], "label"),
    ],
)
def test_the_label_is_the_column_named_so_or_the_only_one_that_is_no_pixel(
    tmp_path: Path, changes: dict[str, str], labels: list[object], unused: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, changes)
    assert reading.count_images(tmp_path) == (3, 2)
    printed = capsys.readouterr().out
    assert printed == (f"train.csv: not used, because test.csv lacks it: {unused}\n" if unused else "")
    labelled = read_labelled(tmp_path)
    assert labelled.known_labels.tolist() == labels
    assert labelled.images[0].tolist() == [[0, 1], [2, 3]]


def test_a_label_may_have_as_many_values_as_there_are_pairs_of_rows(tmp_path: Path) -> None:
    rows = [f"k{row // 2},1,2,3,{row}" for row in range(100)]
    write(tmp_path, {TRAIN: "\n".join([GOOD[TRAIN].splitlines()[0], *rows, ""])})
    assert reading.count_images(tmp_path) == (100, 2)
    assert len({*read_labelled(tmp_path).known_labels.tolist()}) == 50


@st.composite
def images(draw: st.DrawFn) -> tuple[list[str], list[list[int]]]:
    """Return labels and as many rows of pixels of a square image."""
    side = draw(st.integers(1, 3))
    rows = draw(st.lists(st.lists(st.integers(0, 255), min_size=side**2, max_size=side**2), min_size=3, max_size=5))
    label = st.integers(-9, 99).map(str) | st.text("abcé ,\"'0", min_size=1, max_size=3).filter(
        lambda text: text.strip()
    )
    classes = draw(st.lists(label, min_size=2, max_size=len(rows) - 1, unique=True))
    return draw(st.permutations([*classes, *[classes[0]] * (len(rows) - len(classes))])), rows


@settings(deadline=None, max_examples=40)
@given(images(), st.randoms(use_true_random=False), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_what_is_written_is_read(
    content: tuple[list[str], list[list[int]]], random: np.random.Generator, end: str, bom: bool, quoted: bool
) -> None:
    labels, rows = content
    assume(len({label.strip().lstrip("0") for label in labels}) == len(set(labels)))  # otherwise two are one label
    pixels = [f"p{index}" for index in range(len(rows[0]))]
    columns = ["kind", *pixels]
    random.shuffle(columns)

    def text(names: list[str], table: list[dict[str, object]]) -> bytes:
        file = io.StringIO()
        writer = csv.DictWriter(
            file,
            names,
            extrasaction="ignore",
            lineterminator=end,
            quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL,
        )
        writer.writeheader()
        writer.writerows(table)
        return file.getvalue().encode("utf-8-sig" if bom else "utf-8")

    table = [{"id": index, "kind": label, **dict(zip(pixels, row, strict=True))}
             for index, (label, row) in enumerate(zip(labels, rows, strict=True))]  # fmt: skip
    with TemporaryDirectory() as folder:
        raw = write(
            Path(folder), {TRAIN: text(columns, table), TEST: text(pixels, table), SAMPLE: text(["id", "kind"], table)}
        )
        labelled, unlabelled = read_labelled(raw), read_test(raw)
        with writing_submission(raw / "out" / "mine.csv", raw / SAMPLE) as append:
            append(np.array(labels))
        with (raw / "out" / "mine.csv").open(encoding="utf-8", newline="") as written:
            assert [*csv.reader(written)] == [["id", "kind"], *([str(at), label] for at, label in enumerate(labels))]
    assert labelled.images.reshape(len(rows), -1).tolist() == rows
    assert unlabelled.images.tolist() == labelled.images.tolist()
    assert [str(label) for label in labelled.known_labels] == labels


@settings(deadline=None)
@given(
    st.sampled_from([GOOD, FRACTIONS]),
    st.integers(0, 2),
    st.integers(0, 3),
    st.text(max_size=6) | st.floats().map(str) | st.floats(0, 1).map(str) | st.integers().map(str),
)
@example(GOOD, 0, 0, "\x00")
@example(GOOD, 0, 0, '"')
@example(GOOD, 0, 0, "\r")
@example(GOOD, 0, 0, "0.5")
def test_any_text_in_the_place_of_a_pixel_is_that_pixel_or_refused(
    files: dict[str, str], row: int, column: int, content: str
) -> None:
    header, *rows = (line.split(",") for line in files[TRAIN].splitlines())
    rows[row][1 + column] = content
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([header, *rows])
    with TemporaryDirectory() as folder:
        raw = write(Path(folder), {TRAIN: file.getvalue().encode("utf-8", "surrogatepass")})
        try:
            read = read_labelled(raw).images[row].ravel()[column]
        except UserError as error:
            assert str(error).startswith("train.csv")
            brightest = 255 if files is GOOD else 1
            assert not (content.isascii() and content.isdigit() and int(content) <= brightest)
            assert (
                str(error).startswith(f"train.csv, row {row + 1}, column 'pixel{column}'")
                or f"{content!r} in row {row + 1}" in str(error)
                or set(content) & set('"\r\n')
            )
        else:
            assert read == (float(content) if files is GOOD else np.float32(content))


@settings(deadline=None)
@given(st.sampled_from(list(GOOD)), st.integers(0, 70), st.integers(0, 4), st.binary(max_size=4))
def test_damaged_bytes_are_refused_in_one_line_or_read_whole(name: str, start: int, length: int, put: bytes) -> None:
    damaged = bytearray(GOOD[name].encode())
    damaged[start : start + length] = put
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        raw = write(Path(folder), {name: bytes(damaged)})
        try:
            counts = reading.count_images(raw)
        except UserError as error:
            assert "\n" not in str(error)
        else:
            # blank lines do not count, nor does a damaged header; each other line is a row
            lines = [line for line in bytes(damaged).splitlines() if line.strip()]
            assert b'"' in damaged or counts[0 if name == TRAIN else 1] == len(lines) - 1


def test_a_submission_has_the_header_and_the_ids_of_the_sample(tmp_path: Path) -> None:
    write(tmp_path, {SAMPLE: "key,guess\n07,?\nb,?\n"})
    path = tmp_path / "out" / "mine.csv"
    with writing_submission(path, tmp_path / SAMPLE) as append:
        append(np.array(["x"]))
        append(np.array(["y"]))
    assert path.read_bytes() == b"key,guess\n07,x\nb,y\n"
    for labels in (np.array(["x"]), np.array(["x", "y", "z"]), np.array([["x"], ["y"]])):
        with (
            pytest.raises(ValueError, match="labels"),
            writing_submission(path, tmp_path / SAMPLE) as append,
        ):
            append(labels)
    assert path.read_bytes() == b"key,guess\n07,x\nb,y\n"


@pytest.mark.parametrize("form", ["{}x{}", "r{}c{}", "pixel_{}_{}", "{} {}", "{}.{}"])
def test_pixels_named_by_row_and_column_are_sorted_by_them(tmp_path: Path, form: str) -> None:
    names = {form.format(row, column): 12 * row + column for row in range(1, 13) for column in range(1, 13)}
    shuffled = sorted(names)
    header, values = ",".join(shuffled), ",".join(str(names[name]) for name in shuffled)
    write(
        tmp_path,
        {
            TRAIN: f"label,{header}\n" + "".join(f"{label},{values}\n" for label in "112"),
            TEST: f"{header}\n{values}\n{values}\n",
        },
    )
    assert read_labelled(tmp_path).images[0].ravel().tolist() == [*range(13, 157)]


@pytest.mark.parametrize("names", ["a,c,b,d", f"a,c,b,pixel{'1' * 5000}"])
def test_names_without_an_order_are_taken_in_that_of_the_file_which_is_said(
    tmp_path: Path, names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    backwards = ",".join(names.split(",")[::-1])
    write(
        tmp_path,
        {
            TRAIN: f"label,{names}\n" + "".join(f"{label},0,1,2,3\n" for label in "112"),
            TEST: f"{backwards}\n3,2,1,0\n7,6,5,4\n",
        },
    )
    assert reading.count_images(tmp_path) == (3, 2)
    assert "the order of the columns in train.csv is used" in capsys.readouterr().out
    assert read_labelled(tmp_path).images[0].tolist() == [[0, 1], [2, 3]]
    assert read_test(tmp_path).images.tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]


def test_digits_of_another_script_stay_what_they_are(tmp_path: Path) -> None:
    write(tmp_path, {TRAIN: GOOD[TRAIN].replace("\n6", "\n1\u0663").replace("\n5", "\n13")})
    assert read_labelled(tmp_path).known_labels.tolist() == ["13", "1\u0663", "13"]
