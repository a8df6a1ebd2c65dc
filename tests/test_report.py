"""The report: what it says of a run, and of a run of which something is missing."""

import html
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from src.core import params
from src.reporting import comparison, page, report
from src.reporting.comparison import Change, Run
from tests.conftest import ROOT, Project

EVALUATION = {"accuracy": 0.9, "accuracy_interval": {"low": 0.88, "high": 0.92}}


def run(correct: str | None, metrics: Mapping[str, object] = EVALUATION) -> Run:
    """Return a run with as many predictions as `correct` has characters: 1 where they are correct, 0 where not."""
    if correct is None:
        return Run({}, metrics, None)
    predicted = ["3" if character == "1" else "5" for character in correct]
    return Run({}, metrics, pd.DataFrame({"label": ["3"] * len(correct), "predicted": predicted}))


def text_of(page: Path) -> str:
    """Return the words of an HTML page."""
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page.read_text(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(text))


def test_changes_are_those_that_differ() -> None:
    old, new = {"a": {"b": 1, "c": 2}, "gone": 3}, {"a": {"b": 1, "c": 4}, "come": 5}
    assert comparison.changes(old, new) == [Change("a.c", 2, 4), Change("come", None, 5), Change("gone", 3, None)]


def test_six_to_nothing_is_significant() -> None:
    said = comparison.verdict(run("000000" + "1" * 94), run("1" * 100))
    assert "corrects 6 errors of the last commit and makes 0 new ones" in said
    assert "the difference is significant at the 5 % level (McNemar's exact test, p = 0.031)" in said


def test_five_to_nothing_is_not() -> None:
    said = comparison.verdict(run("00000" + "1" * 95), run("1" * 100))
    assert "not significant at the 5 % level (McNemar's exact test, p = 0.062)" in said


def test_equal_predictions_need_no_test() -> None:
    assert "correct on exactly the same 1 images" in comparison.verdict(run("10"), run("10"))


@pytest.mark.parametrize(("low", "high", "said"), [(0.91, 0.95, "overlap: the"), (0.93, 0.95, "do not overlap")])
def test_other_images_are_compared_by_intervals(low: float, high: float, said: str) -> None:
    better = {"accuracy": 0.94, "accuracy_interval": {"low": low, "high": high}}
    for old, new in ((run("10"), run("101", better)), (run("10"), run(None, better)), (run("10", better), run("101"))):
        assert f"they {said}" in comparison.verdict(old, new)


def test_without_accuracy_nothing_is_compared() -> None:
    assert "cannot be compared" in comparison.verdict(run(None), run(None, {"images": 0}))


def test_a_report_is_written_before_anything_has_run(
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
    assert said in page.no_score(settings, metrics)


def test_with_a_score_there_is_nothing_to_explain() -> None:
    assert page.no_score({}, {"submit": {"submitted": 1, "public_score": 0.894}}) == ""


def test_the_stages_are_those_of_dvc_yaml(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished.root)
    stages = page.read_stages()
    described = params.load_yaml((ROOT / "dvc.yaml").read_text())["stages"]
    assert {name: stage.desc for name, stage in stages.items()} == {n: stage["desc"] for n, stage in described.items()}
    assert [file.path for file in stages["download"].inputs] == []
    assert [(file.path, file.shape) for file in stages["train"].inputs if "images" in file.path] == [
        ("data/normalized/train/images.npy", "3,200 \N{MULTIPLICATION SIGN} 28 \N{MULTIPLICATION SIGN} 28"),
        ("data/normalized/validation/images.npy", "800 \N{MULTIPLICATION SIGN} 28 \N{MULTIPLICATION SIGN} 28"),
    ]
    assert [file.path for file in stages["train"].outputs] == [
        "models/0.safetensors",
        "plots/curves/loss/0.csv",
        "plots/curves/accuracy/0.csv",
    ]
    words = text_of(finished.root / "report.html")
    for name, stage in stages.items():
        assert re.search(rf"{name} {re.escape(stage.desc)}\.", words), name
        for file in (*stage.inputs, *stage.outputs):
            assert file.shape and file.path in words


def test_a_run_is_told_and_compared_with_the_last_commit(reproduced: Project) -> None:
    printed = reproduced.run("python", "-m", "src.reporting.report")
    words = text_of(reproduced.root / "report.html")
    assert re.search(r"accuracy +0\.\d{4}\n95 % interval +0\.\d{4} to 0\.\d{4}\nerrors +\d+ of 800", printed)
    assert "This run has the parameters and the metrics of the last commit" in words
    assert len((reproduced.root / "report.html").read_bytes()) < 3_000_000
    assert reproduced.changed() == ""

    # as if someone had added a picture, and the stages upstream of train had failed after a change
    shutil.copy(reproduced.root / "plots/pictures/digits.png", reproduced.root / "plots/pictures/another.png")
    reproduced.set({"recipes.linear.lr": 0.2})
    predicted = pd.read_csv(reproduced.root / "data/predictions/validation.csv")
    predicted["predicted"] = predicted["label"]
    (reproduced.root / "data/predictions/validation.csv").unlink()
    predicted.to_csv(reproduced.root / "data/predictions/validation.csv", index=False)
    printed = reproduced.run("python", "-m", "src.reporting.report")
    words = text_of(reproduced.root / "report.html")
    assert re.search("not up to date .*train@0", printed)
    assert "the others here. The first 40 images of the training set, each under its label" in words
    assert "recipes.linear.lr 0.1 0.2" in words
    assert "the difference is significant at the 5 % level (McNemar" in words


def test_the_page_is_written_again_only_where_something_changed(reproduced: Project) -> None:
    command = ("python", "-m", "src.reporting.report", "--if-changed")
    page_file = reproduced.root / "report.html"
    written = page_file.stat().st_mtime_ns
    reproduced.run(*command)
    assert page_file.stat().st_mtime_ns > written, "a commit was made since"
    written = page_file.stat().st_mtime_ns
    assert re.search(r"accuracy +0\.\d{4}\n", reproduced.run(*command))
    assert page_file.stat().st_mtime_ns == written
    (reproduced.root / "plots/pictures/digits.png").unlink()
    reproduced.run(*command)
    assert page_file.stat().st_mtime_ns > written
    assert "The picture digits is missing" in text_of(page_file)
