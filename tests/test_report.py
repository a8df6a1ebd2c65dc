"""The report: what it says of a run, and of a run of which something is missing."""

import html
import random
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, binomtest
from sklearn.datasets import load_digits

from src.core import metrics
from src.core.errors import UserError
from src.core.yaml_1_2 import load_yaml
from src.reporting import comparison, facts, report, stage_files
from src.reporting.comparison import Change, Run
from tests.conftest import ROOT, Project

EVALUATION = {"accuracy": 0.9, "ci_low": 0.88, "ci_high": 0.92}


def run(correct: str | None, evaluation: Mapping[str, object] = EVALUATION, first: int = 0, label: str = "3") -> Run:
    """Return a run with a prediction for each character of `correct`: 1 where it is correct, 0 where it is not.

    The images are those from `first` on, all of the class `label`.
    """
    metrics = {"evaluate": evaluation} if evaluation else {}
    if correct is None:
        return Run({}, metrics, None)
    columns = {"label": label, "predicted": [label if character == "1" else "5" for character in correct]}
    return Run({}, metrics, pd.DataFrame(columns, index=range(first, first + len(correct))))


def text_of(page: Path) -> str:
    """Return the words of an HTML page."""
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(text))


def test_changes_are_those_that_differ() -> None:
    old, new = {"a": {"b": 1, "c": 2}, "gone": 3}, {"a": {"b": 1, "c": 4}, "come": 5}
    assert comparison.changes(old, new) == [Change("a.c", 2, 4), Change("come", None, 5), Change("gone", 3, None)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("000000" + "1" * 94, "1" * 100, "is significant at the 5 % level (McNemar's exact test, p = 0.031)"),
        ("00000" + "1" * 95, "1" * 100, "is not significant at the 5 % level (McNemar's exact test, p = 0.062)"),
        ("000000" + "1" * 94, "1" * 100, "corrects 6 errors of the last commit and makes 0 new ones"),
        ("10", "10", "correct on exactly the same images, of 2"),
    ],
)
def test_runs_are_compared_image_by_image(old: str, new: str, said: str) -> None:
    assert said in comparison.verdict(run(old), run(new))


@pytest.mark.parametrize(
    ("corrected", "new", "judgement", "least"),
    [(0, 0, "undecided", 0), (5, 0, "undecided", 0), (6, 0, "better", 6), (0, 6, "worse", 6), (9, 1, "better", 8),
     (8, 2, "undecided", 8), (32, 19, "undecided", 15), (33, 18, "better", 15)],
)  # fmt: skip
def test_a_difference_is_judged_and_the_least_that_could_have_been_found_is_told(
    corrected: int, new: int, judgement: str, least: int
) -> None:
    paired = comparison.Paired(100, corrected, new)
    assert (paired.judgement, paired.detectable()) == (judgement, least)


def test_p_values_and_least_differences_are_those_of_scipy() -> None:
    chance = random.Random(0)
    for corrected, new in [(chance.randint(0, most), chance.randint(0, most)) for most in (3, 20, 300) * 100]:
        paired, differ = comparison.Paired(1000, corrected, new), corrected + new
        assert paired.p == pytest.approx(binomtest(corrected, differ).pvalue if differ else 1.0, rel=1e-9)
        fewest = binom.ppf(comparison.SIGNIFICANCE / 2, differ, 0.5) - 1
        assert paired.detectable() == (differ - 2 * fewest if fewest >= 0 else 0)


def test_one_fold_and_five_are_compared_on_the_images_that_both_validated() -> None:
    one, five = run("0" * 8 + "1" * 12, first=80), run("0" * 80 + "1" * 20)
    for old, new, said in ((one, five, "corrects 8 errors of the last commit and makes 0 new ones"),
                           (five, one, "corrects 0 errors of the last commit and makes 8 new ones")):  # fmt: skip
        assert f"of the same 20 images this run {said}; the difference is significant" in comparison.verdict(old, new)


@pytest.mark.parametrize(("low", "high", "said"), [(0.91, 0.95, "overlap: the"), (0.93, 0.95, "do not overlap")])
def test_runs_without_a_common_image_are_compared_by_intervals(low: float, high: float, said: str) -> None:
    better = {"accuracy": 0.94, "ci_low": low, "ci_high": high}
    for old, new in (
        (run("10"), run("101", better, first=2)),
        (run("10"), run("10", better, label="4")),
        (run("10"), run(None, better)),
        (run("10", better, first=3), run("101")),
    ):
        assert f"they {said}" in comparison.verdict(old, new)


@pytest.mark.parametrize("evaluation", [{}, {"accuracy": 0.9, "accuracy_interval": {"low": 0.8, "high": 0.95}}])
def test_without_an_accuracy_and_its_interval_nothing_is_compared(evaluation: dict[str, object]) -> None:
    assert "cannot be compared" in comparison.verdict(run("1", evaluation), run("1"))


def test_a_report_is_written_before_anything_has_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no stage was run, and the results are from an earlier run; DVC"):
        report.main(after_repro=1)
    assert not Path("report.html").exists()
    with pytest.raises(UserError, match="the results could not be checked: DVC says: you are not inside of a DVC repo"):
        report.main()
    printed = capsys.readouterr().out
    assert re.search(r"accuracy +none", printed)
    assert re.search(rf"report +{tmp_path}/report.html", printed)
    page = text_of(tmp_path / "report.html")
    assert "the stage evaluate has not run" in page
    assert "The picture digits is missing" in page
    assert "Nothing is committed yet" in page

    params_yaml = Path("params.yaml")
    params_yaml.write_text(params_yaml.read_text(encoding="utf-8").replace("recipe: ", "recipee: "), encoding="utf-8")
    with pytest.raises(UserError, match=r"^params\.yaml: there is no recipe; the file has source, recipee, folds"):
        report.main()


@pytest.mark.parametrize(
    ("settings", "metrics", "said"),
    [
        ({"source": "sample", "submit": {"when": "never"}}, {"submit": {}}, "submit.when is never"),
        ({"source": "local", "submit": {"when": "better"}}, {"submit": {}}, "by hand: upload"),
        ({"source": "kaggle", "submit": {"when": "better"}}, {"submit": {}}, "an earlier submission has"),
        ({"source": "kaggle", "submit": {"when": "better"}}, {"submit": {"refused": 1}}, "was refused, and the next"),
        ({"source": "kaggle", "submit": {"when": "better"}}, {}, "has not run"),
    ],
)
def test_why_there_is_no_score(settings: dict[str, object], metrics: dict[str, object], said: str) -> None:
    assert said in facts.no_score(settings, metrics)


def test_with_a_score_there_is_nothing_to_explain() -> None:
    assert facts.no_score({}, {"submit": {"public_score": 0.894}}) == ""


def test_the_stages_are_those_of_dvc_yaml(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished.root)
    stages = stage_files.read_stages()
    described = load_yaml((ROOT / "dvc.yaml").read_text())["stages"]
    described["download"] = described["download"]["do"]
    assert {name: stage.desc for name, stage in stages.items()} == {n: stage["desc"] for n, stage in described.items()}
    assert [file.path for file in stages["download"].inputs] == []
    times = " \N{MULTIPLICATION SIGN} "
    assert [(file.path, file.shape, file.type, file.range) for file in stages["train"].inputs] == [
        ("data/normalized/labelled/folds.npy", "4,000", "uint8", "0 to 4"),
        ("data/normalized/labelled/images.npy", f"4,000{times}28{times}28", "float32", "0 to 1"),
        ("data/normalized/labelled/labels.npy", "4,000", "int64", "0 to 9"),
    ]
    assert [file.path for file in stages["train"].outputs] == [
        "checkpoints/4-0.safetensors",
        "plots/curves/loss/4-0.csv",
        "plots/curves/accuracy/4-0.csv",
    ]
    words = text_of(finished.root / "report.html")
    for name, stage in stages.items():
        assert re.search(rf"{name} {re.escape(stage.desc)}\.", words), name
        for file in (*stage.inputs, *stage.outputs):
            assert file.shape and file.path in words and "nan" not in file.range


@pytest.mark.parametrize(
    ("labels", "ends"),
    [(["b", "c", "a"], "a to c"), (["person number 10", "person number 2"], "…number 10 to …number 2")],
)
def test_labels_of_text_are_described_by_the_first_and_the_last(labels: list[str], ends: str, tmp_path: Path) -> None:
    np.save(tmp_path / "labels.npy", np.array(labels))
    described = stage_files.describe_file(tmp_path / "labels.npy")
    assert (described.shape, described.type, described.range) == (str(len(labels)), "text", ends)


def test_a_run_of_one_network_is_told(reproduced: Project) -> None:
    printed = reproduced.run("python", "-m", "src.reporting.report")
    html_text, words = (reproduced.root / "report.html").read_text(), text_of(reproduced.root / "report.html")
    assert re.search(r"accuracy +0\.\d{4}\n95 % interval +0\.\d{4} to 0\.\d{4}\nerrors +\d+ of 800", printed)
    assert "All parameters and metrics equal those of the last commit" in words
    assert "one network: fold 4 of 5, seed 0." in words
    assert f"{100 * reproduced.metrics('train/4-0')['train_accuracy']:.2f} %" in words
    assert "networks have error rates" not in html_text and "Accuracy of each network" not in html_text
    stages = load_yaml((ROOT / "dvc.yaml").read_text())["stages"]
    assert re.findall(r'<section id="(\w+)"', html_text) == [*stages, "results", "comparison", "experiments"]
    assert len(html_text) < 3_000_000
    assert reproduced.changed() == ""


def test_what_differs_from_the_last_commit_is_told(reproduced: Project) -> None:
    # as if someone had added a picture, and the stages upstream of train had failed after a change
    shutil.copy(reproduced.root / "plots/pictures/digits.png", reproduced.root / "plots/pictures/another.png")
    reproduced.set({"recipes.linear.lr": 0.2})
    predicted = pd.read_csv(reproduced.root / "data/predictions/validation.csv")
    predicted["predicted"] = predicted["label"]
    (reproduced.root / "data/predictions/validation.csv").unlink()
    predicted.to_csv(reproduced.root / "data/predictions/validation.csv", index=False)
    for name, changed in (("download", {"images": 29}), ("submit", {"public_score": 0.5}), ("evaluate", {"errors": 0})):
        metrics.write(reproduced.root / f"metrics/{name}.json", reproduced.metrics(name) | changed)
    findings = reproduced.root / "data/audit/findings.csv"
    findings.unlink()  # it may be a link into DVC's cache
    findings.write_text(
        "finding,file,row,same_as\ntwo labels,train.csv,7,3\ntwo labels,train.csv,9,4\nin both files,test.csv,1,2\n"
    )
    with (reproduced.root / "metrics/submissions.csv").open("a") as file:
        file.write(f"2026-03-01T10:00:00,kaggle,,cnn,4,0,8400,0.99,0.98,0.995,0.985,{'a' * 64}\n")
    printed = reproduced.run("python", "-m", "src.reporting.report")
    html_text, words = (reproduced.root / "report.html").read_text(), text_of(reproduced.root / "report.html")
    assert re.search("not up to date .*train@4-0", printed)
    assert re.search(r"or else here\. .*40 of the 4,000 labelled images, each under its label", words)
    assert "recipes.linear.lr 0.1 0.2" in words
    assert "the difference is significant at the 5 % level (McNemar" in words
    assert re.search(
        r"With \d+ images on which .*, a difference of \d+ errors or more would have been significant", words
    )
    assert "2 images: two labels. 1 image: in both files. A linear model was fitted" in words
    assert re.search(r"two labels train\.csv 7 3 .*in both files test\.csv 1 2", words)
    assert re.search(r"2026-03-01 10:00 cnn 0\.9900 0\.985 -0\.0050", words)
    assert "Public score against validation accuracy of 2 submissions" in html_text
    changes = re.findall(r"(\w+\.\w+) \S+ \S+ ", words[words.index("metrics differ") :])
    assert changes == ["evaluate.errors", "submit.public_score", "download.images"], (
        "what a person looks for comes first"
    )


def test_a_run_of_several_networks_is_told_and_compared_on_the_images_that_both_validated(reproduced: Project) -> None:
    reproduced.set({"folds": [4, 3]})
    stages = reproduced.repro()
    assert "train@3-0" in stages and "train@4-0" not in stages
    printed = reproduced.run("python", "-m", "src.reporting.report")
    html_text, words = (reproduced.root / "report.html").read_text(), text_of(reproduced.root / "report.html")
    assert re.search(r"errors +\d+ of 1,600 validation images", printed)
    assert "2 networks: folds 4, 3 of 5, seed 0." in words
    assert re.search('<img [^>]*alt="The 2 networks have error rates ', html_text)
    table = re.findall(r'aria-label="Accuracy of each network".*?</table>', html_text, flags=re.DOTALL)
    rows = re.findall(r'<th scope="row">(\d)</th><td>(\d)</td><td>([\d,]+)</td><td>(\d+)</td>', table[0])
    assert [row[:3] for row in rows] == [("3", "0", "800"), ("4", "0", "800")]
    assert sum(int(errors) for *_, errors in rows) == reproduced.metrics("evaluate")["errors"]
    # the network of fold 4 is the same in both runs
    assert "both runs are correct on exactly the same images, of 800" in words
    assert "checkpoints/*.safetensors" in words and "2 times 7,850 weights" in words

    reproduced.run("python", "-m", "src.reporting.model_card")
    card = (reproduced.root / "docs/model-card.md").read_text()
    assert "\n2 networks, whose probabilities are averaged: `models/3-0.safetensors`, `models/4-0.safetensors`" in card
    assert "folds 4, 3 validate: 1,600 images" in card and "| accuracy on 1,600 validation images | 0." in card
    reproduced.set({"recipes.linear.lr": 0.2})
    refused = reproduced.run("python", "-m", "src.reporting.model_card", fails=True)
    assert refused.startswith("error: docs/model-card.md: not written, because not up to date: train@")


NAMES = [*"ABCDEFGH", "a|b <i>$x$", "NA"]
"""Of ten classes, all of text: one has characters of HTML and Markdown, and one pandas would take for no value."""


@pytest.mark.slow
def test_a_set_with_labels_of_text_on_a_bright_background_is_told_in_its_own_words(project: Project) -> None:
    pixels, digits = load_digits(return_X_y=True)
    rows = pd.DataFrame((255 - pixels * 15).astype(int), columns=[f"pixel{number}" for number in range(64)])
    rows.insert(0, "label", [NAMES[digit] for digit in digits])
    train, test = rows[:500], rows[500:600].drop(columns="label")
    train = train[(train["label"] != "A") | (train.index < 300)]
    folder = project.root / "data/by-hand"
    train.to_csv(folder / "train.csv", index=False)
    test.to_csv(folder / "test.csv", index=False)
    submission = pd.DataFrame({"ImageId": range(1, len(test) + 1), "Label": "A"})
    submission.to_csv(folder / "sample_submission.csv", index=False)
    project.set({"source": "local"})
    printed = project.run("dvc", "repro")
    assert "Warning" not in printed
    for module in ("src.reporting.report", "src.reporting.model_card", "src.demo.build"):
        project.run("python", "-m", module)

    words = text_of(project.root / "report.html")
    assert "Image recognizer: report of a run" in words
    assert "No validation image is of 1 of the 10 classes, so the accuracy does not cover them: A." in words
    for label in NAMES:
        assert f" {label} " in words
    card = (project.root / "docs/model-card.md").read_text()
    assert "8x8 pixels, from 0 for black to 1 for white, on a bright background. Output" in card
    assert re.search(r"\| A \| (—|0.\d+) \| — \|", card) and re.search(r"\| NA \| [01].\d", card)
    assert re.search(r"\| a\\\|b &lt;i&gt;\$x\$ \| [01].\d", card)
    demo = (project.root / "demo.html").read_text()
    assert "<h1>Draw an image</h1>" in demo and ">a|b &lt;i&gt;$x$</span>" in demo
    for text in (words, card):
        assert not re.search(r"\bink\b|\bdigits?\b(?!-recognizer)|MNIST", text, re.IGNORECASE), text


def test_the_page_is_written_again_only_where_something_changed(reproduced: Project) -> None:
    command = ("python", "-m", "src.reporting.report", "--after-repro", "0")
    page_file = reproduced.root / "report.html"
    written = page_file.stat().st_mtime_ns
    reproduced.run(*command)
    assert page_file.stat().st_mtime_ns > written, "a commit was made since"
    written = page_file.stat().st_mtime_ns
    assert re.search(r"accuracy +0\.\d{4}\n", reproduced.run(*command))
    assert page_file.stat().st_mtime_ns == written
    (reproduced.root / "plots/pictures/digits.png").unlink()
    (reproduced.root / "models/4-0.safetensors").unlink()
    reproduced.run(*command)
    assert "The picture digits is missing" in text_of(page_file)
    assert re.search(r"Not up to date: .*ensemble", text_of(page_file))
    reproduced.run("dvc", "checkout", "--quiet")
    reproduced.run(*command)
    assert "The picture digits is missing" not in text_of(page_file)
    assert "Not up to date" not in text_of(page_file)


def test_the_origin_of_the_files_is_that_of_the_source() -> None:
    sources = {"local": {"path": "/x/files.zip"}, "kaggle": {"competition": "letters"}}
    told = [facts.describe_origin({"source": name, "sources": sources}) for name in ("local", "kaggle", "half")]
    assert told == ["/x/files.zip, on this machine", "the competition letters at Kaggle", ""]
