"""The report: what it says of a run, and of a run of which something is missing."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from src.comparison import Change

from src import comparison, report
from tests.conftest import ROOT, Project

EVALUATION = {"accuracy": 0.9, "accuracy_interval": {"low": 0.88, "high": 0.92}}


def rows(right: str) -> pd.DataFrame:
    """Return predictions of as many images as `right` has characters: 1 where they are right, 0 where not."""
    return pd.DataFrame({"label": ["3"] * len(right), "predicted": ["3" if one == "1" else "5" for one in right]})


def text_of(page: Path) -> str:
    """Return the words of an HTML page."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]*>", " ", page.read_text(), flags=re.DOTALL))


def test_changes_are_those_that_differ() -> None:
    old, new = {"a": {"b": 1, "c": 2}, "gone": 3}, {"a": {"b": 1, "c": 4}, "come": 5}
    assert comparison.changes(old, new) == [Change("a.c", 2, 4), Change("come", None, 5), Change("gone", 3, None)]


def test_six_to_nothing_is_more_than_chance() -> None:
    said = comparison.verdict(EVALUATION, EVALUATION, rows("000000" + "1" * 94), rows("1" * 100))
    assert "6 right that the other got wrong, and 0 wrong" in said
    assert "that is more than chance would do (McNemar's exact test, p = 0.031)" in said


def test_five_to_nothing_is_not() -> None:
    said = comparison.verdict(EVALUATION, EVALUATION, rows("00000" + "1" * 95), rows("1" * 100))
    assert "no more than chance could do (McNemar's exact test, p = 0.062)" in said


def test_equal_predictions_need_no_test() -> None:
    assert "exactly the same 1 images" in comparison.verdict(EVALUATION, EVALUATION, rows("10"), rows("10"))


@pytest.mark.parametrize(("low", "high", "said"), [(0.91, 0.95, "overlap, so"), (0.93, 0.95, "do not overlap")])
def test_other_images_are_compared_by_intervals(low: float, high: float, said: str) -> None:
    new = {"accuracy": 0.94, "accuracy_interval": {"low": low, "high": high}}
    assert f"they {said}" in comparison.verdict(EVALUATION, new, rows("10"), rows("101"))
    assert f"they {said}" in comparison.verdict(EVALUATION, new, None, rows("101"))


def test_without_accuracy_nothing_is_compared() -> None:
    assert "cannot be compared" in comparison.verdict(EVALUATION, {"images": 0}, None, None)


def test_nothing_but_the_code_makes_a_report_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    report.main()
    printed = capsys.readouterr().out
    assert re.search(r"accuracy +none", printed)
    assert re.search(rf"report +{tmp_path}/report.html", printed)
    page = text_of(tmp_path / "report.html")
    assert "the stage evaluate has not run" in page
    assert "The picture digits is missing" in page
    assert "Nothing is committed yet" in page


@pytest.mark.parametrize(
    ("settings", "metrics", "said"),
    [
        ({"source": "sample", "submit": {"when": "never"}}, {"submit": {"submitted": 0}}, "submit.when is never"),
        ({"source": "local", "submit": {"when": "better"}}, {"submit": {"submitted": 0}}, "by hand: upload"),
        ({"source": "kaggle", "submit": {"when": "better"}}, {"submit": {"submitted": 0}}, "an earlier submission has"),
        ({"source": "kaggle", "submit": {"when": "better"}}, {}, "has not run"),
    ],
)
def test_why_there_is_no_score(settings: dict[str, object], metrics: dict[str, object], said: str) -> None:
    assert said in report.no_score(settings, metrics)


def test_a_score_needs_no_excuse() -> None:
    assert report.no_score({}, {"submit": {"submitted": 1, "public_score": 0.894}}) == ""


def test_a_run_is_told_and_compared_with_the_last_commit(reproduced: Project) -> None:
    printed = reproduced.run("python", "-m", "src.report")
    page = text_of(reproduced.root / "report.html")
    assert re.search(r"accuracy +0\.\d{4}\n95 % interval +0\.\d{4} to 0\.\d{4}\nerrors +\d+ of 800", printed)
    assert "This run has the parameters and the metrics of the last commit" in page
    assert len((reproduced.root / "report.html").read_bytes()) < 3_000_000
    assert reproduced.changed() == ""

    # as if the stages upstream of train had failed after a change
    reproduced.set({"recipes.linear.lr": 0.2})
    compared = pd.read_csv(reproduced.root / "data/predictions/validation.csv")
    compared["predicted"] = compared["label"]
    (reproduced.root / "data/predictions/validation.csv").unlink()
    compared.to_csv(reproduced.root / "data/predictions/validation.csv", index=False)
    printed = reproduced.run("python", "-m", "src.report")
    page = text_of(reproduced.root / "report.html")
    assert re.search("not up to date .*train@0", printed)
    assert "recipes.linear.lr 0.1 0.2" in page
    assert "that is more than chance would do (McNemar" in page
