"""The experiments since the last commit: the table of `make experiments`, the verdicts, and what is drawn of them."""

import random
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from src.core.yaml_1_2 import load_yaml
from src.reporting import comparison
from src.reporting.experiments import pictures, section, sweeps
from src.reporting.experiments.listed import DRAWN, UNFINISHED, Experiment, Experiments, arranged
from src.reporting.experiments.lock_file import Lock
from src.reporting.experiments.table import table as table_of
from src.reporting.experiments.verdicts import NOT_COMPARED, Verdict, judge
from src.reporting.pictures import style
from src.reporting.pictures.style import Picture
from tests.conftest import ROOT, Project
from tests.test_report import text_of

PARAMS = load_yaml((ROOT / "params.yaml").read_text())
PREDICTIONS, CURVE = comparison.PREDICTIONS.as_posix(), "plots/curves/accuracy/4-0.csv"


def experiment(
    name: str, accuracy: float | None = None, changes: Mapping[str, object] | None = None, **given: Any
) -> Experiment:
    """Return an experiment with these parameters, by dotted key, in place of those of params.yaml."""
    params = load_yaml((ROOT / "params.yaml").read_text())
    for key, value in (changes or {}).items():
        *parents, last = key.split(".")
        inner = params
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
    if accuracy is not None:
        given["evaluation"] = {"accuracy": accuracy, "ci_low": accuracy - 0.01, "ci_high": accuracy + 0.01}
    return Experiment(name, params, **given)


COMMIT = experiment("main", 0.9, public_score=0.89)


@pytest.fixture
def predicting(tmp_path: Path) -> Callable[[str], dict[str, Path]]:
    """Return a function that writes predictions, 1 where they are correct and 0 where not, as in DVC's cache."""

    def write(correct: str) -> dict[str, Path]:
        file = tmp_path / f"{len([*tmp_path.iterdir()])}.csv"
        right = [3 if one == "1" else 5 for one in correct]
        columns = {"row": range(1, len(right) + 1), "label": 3, "predicted": right, "confidence": 0.9}
        pd.DataFrame(columns).to_csv(file, index=False)
        return {PREDICTIONS: file}

    return write


def test_without_an_experiment_it_says_how_to_make_one(finished: Project) -> None:
    printed = finished.run("python", "-m", "src.reporting.experiments.table")
    assert printed == "There is no experiment since the last commit. Run one: dvc exp run -S recipe=mlp\n"


def test_one_that_has_not_finished_has_no_score() -> None:
    found = arranged(COMMIT, [experiment(state, state=state) for state in UNFINISHED])
    table = table_of(found, judge(found)).set_index("experiment")
    assert table.loc["main", "accuracy"] == "0.9000"
    for state in UNFINISHED:
        assert list(table.loc[state, ["state", "accuracy", "95 % interval", "public score"]]) == [state, "", "", ""]
    assert section.count(found) == (
        "Experiments since the last commit: 1 queued, 1 running, 1 failed, 1 not evaluated."
    )


def test_the_most_accurate_comes_first_with_what_it_changed_as_it_is_typed(
    predicting: Callable[[str], dict[str, Path]],
) -> None:
    commit = experiment("main", 0.9, files=predicting("0" * 10 + "1" * 90))
    worse = experiment(
        "worse", 0.5, {"recipes.linear.lr": 0.5, "recipes.linear.epochs": 6}, files=predicting("0" * 50 + "1" * 50)
    )
    better = experiment("better", 0.97, {"recipe": "quick", "split.shuffle": True, "folds": [3, 4]}, public_score=0.95)
    found = arranged(commit, [worse, better])
    table = table_of(found, judge(found))
    assert list(table["experiment"]) == ["main", "better", "worse"]
    assert list(table["also changed"]) == ["", "split.shuffle=true", "recipes.linear.lr=0.5, recipes.linear.epochs=6"]
    assert list(table["recipe"]) == ["linear", "quick", "linear"]
    assert list(table["folds"]) == ["[4]", "[3,4]", "[4]"]
    assert list(table["vs commit"]) == ["", NOT_COMPARED, "worse"]
    assert list(table["public score"]) == ["", "0.95", ""]
    assert worse.label(commit) == "worse: lr=0.5, epochs=6" and commit.label(commit) == "main"


def test_holm_s_correction_rejects_what_stepping_down_rejects() -> None:
    """The least p-value is held against the level over the number of tests, the next against that over one less."""
    numbers = random.Random(0)
    rejected_some = 0
    for _ in range(300):
        p_values = [numbers.choice([0.0, 0.001, 0.004, 0.01, 0.02, 0.049, numbers.random()]) for _ in range(7)]
        rejected: set[int] = set()
        while remaining := [test for test in range(7) if test not in rejected]:
            least = min(remaining, key=lambda test: p_values[test])
            if p_values[least] * len(remaining) >= 0.05:
                break
            rejected.add(least)
        assert {test for test, p in enumerate(comparison.holm(p_values)) if p < 0.05} == rejected
        rejected_some += 0 < len(rejected) < 7
    assert rejected_some > 100
    assert comparison.holm([]) == [] and comparison.holm([0.02, 0.01, 0.8]) == [0.04, 0.03, 0.8]


def test_a_verdict_of_one_comparison_may_not_hold_among_two(predicting: Callable[[str], dict[str, Path]]) -> None:
    """Six images corrected and none lost have a p-value of 0.031; it counts twice among two comparisons."""
    commit = experiment("main", 0.9, files=predicting("000000" + "1" * 94))
    six = experiment("six", 1.0, files=predicting("1" * 100))
    equal = experiment("equal", 0.94, files=predicting("000000" + "1" * 94))
    missing = experiment("missing", 0.1)
    for others, holds in ([], True), ([missing], True), ([equal], False):
        verdicts = judge(arranged(commit, [*others, six]))
        assert (verdicts[0].judgement, verdicts[0].holds) == ("better", holds)
        assert verdicts[0].p == pytest.approx(2 / 2**6)
    assert (verdicts[1].judgement, verdicts[1].p, verdicts[1].holds) == ("undecided", 1, False)


@pytest.fixture
def _styled() -> Iterator[None]:
    with style.applied():
        yield


def figure_of(picture: Picture) -> Figure:
    assert picture.figure is not None, picture.text
    return picture.figure


def legend_of(picture: Picture) -> list[str]:
    [legend] = figure_of(picture).legends
    return [text.get_text() for text in legend.get_texts()]


@pytest.mark.usefixtures("_styled")
def test_of_a_hundred_the_best_thirty_are_drawn_each_in_a_row_that_can_be_read() -> None:
    found = arranged(
        COMMIT, [experiment(f"run-{n}", 0.99 - n / 1000, {"recipes.linear.lr": 1 + n / 100}) for n in range(100)]
    )
    verdicts = [Verdict("better", 0.001, holds=True), Verdict("better", 0.04), Verdict("undecided", 0.5)] * 34
    picture = pictures.forest(found, verdicts[:100])
    figure = figure_of(picture)
    [axes] = figure.axes
    figure.draw_without_rendering()
    names = [label for label in axes.get_yticklabels() if label.get_text()]
    assert [name.get_text() for name in names] == [f"run-{n}: lr={1 + n / 100:g}" for n in range(DRAWN)]
    boxes = [name.get_window_extent() for name in names]
    assert all(lower.y1 < upper.y0 and upper.x0 >= 0 for upper, lower in pairwise(boxes))
    assert [text.get_text() for text in axes.texts] == [f"{0.99 - n / 1000:.4f}" for n in range(DRAWN)]
    marks = [line for line in axes.lines if len(line.get_xdata()) == 1]
    assert [line.get_xdata()[0] for line in marks] == pytest.approx([0.99 - n / 1000 for n in range(DRAWN)])
    looks = [(line.get_marker(), line.get_markerfacecolor()) for line in marks]
    assert looks == [("^", pictures.BETTER), ("^", "white"), ("o", "white")] * 10
    assert [line.get_xdata() for line in axes.lines if line.get_linestyle() == "--"] == [[0.9, 0.9]]
    assert legend_of(picture) == ["last commit, 0.9000", "better, also with Holm's correction",
                                  "better, but not with Holm's correction", "undecided"]  # fmt: skip
    assert "of the best 30 of 100 experiments" in figure.get_suptitle()
    assert picture.text.endswith("70 less accurate ones are left out.")
    assert "Of 100 experiments, the most accurate are run-0: lr=1: 0.9900 (0.9800 to 1.0000), better, " in picture.text


@pytest.mark.usefixtures("_styled")
def test_one_far_below_the_others_does_not_press_them_together_and_a_long_name_is_cut() -> None:
    changes = {f"recipes.cnn.{key}": 7.5 for key in ("lr", "weight_decay", "warm_up", "label_smoothing")}
    found = arranged(
        COMMIT, [experiment("a", 0.93), experiment("b", 0.91), experiment("c", 0.9), experiment("far", 0.1, changes)]
    )
    figure = figure_of(pictures.forest(found, [Verdict("undecided", 0.5)] * 3 + [Verdict("worse", 0.0)]))
    [axes] = figure.axes
    left, right = axes.get_xlim()
    assert 0.8 < left < 0.89 and right > 0.94
    last = [line for line in axes.lines if len(line.get_xdata()) == 1][-1]
    assert (last.get_marker(), last.get_xdata()[0]) == ("<", left)
    assert axes.texts[-1].get_text() == "0.1000"
    assert axes.get_yticklabels()[-1].get_text().endswith("…")
    figure.draw_without_rendering()
    assert axes.get_position().width > 0.4


@pytest.mark.usefixtures("_styled")
def test_learning_curves_are_those_of_the_best_five_and_what_is_missing_is_named(tmp_path: Path) -> None:
    def curve(name: str, *values: float) -> Path:
        file = tmp_path / name
        pd.DataFrame({"epoch": range(2, 2 * len(values) + 1, 2), "train": 0.5, "validation": values}).to_csv(file)
        return file

    commit = experiment("main", 0.9, files={CURVE: curve("commit", 0.8, 0.9)})
    files = {"plots/curves/accuracy/3-0.csv": curve("3", 0.7, 0.9), CURVE: curve("4", 0.9, 1.0)}
    found = [experiment("two", 0.95, {"folds": [3, 4]}, files=files), experiment("half", 0.94, {"folds": [3, 4]},
             files={CURVE: files[CURVE]})]  # fmt: skip
    found += [experiment(f"none-{n}", 0.8 - n / 100) for n in range(9)]
    picture = pictures.curves(arranged(commit, found))
    [axes] = figure_of(picture).axes
    assert [list(line.get_ydata()) for line in axes.lines] == [pytest.approx([0.8, 0.95]), [0.8, 0.9]]
    assert [list(line.get_xdata()) for line in axes.lines] == [[2, 4], [2, 4]]
    assert legend_of(picture) == ["two: folds=[3,4]", "last commit"]
    assert picture.text.endswith(
        "two 0.9500 (4), main 0.9000 (4). DVC's cache lacks those of half, none-0, none-1, none-2."
    )
    nothing = pictures.curves(Experiments(COMMIT, [experiment("a", 0.9)], []))
    assert nothing.figure is None and "DVC's cache lacks those of a, main" in nothing.text


@pytest.mark.usefixtures("_styled")
def test_a_sweep_is_drawn_with_the_commit_where_that_differs_in_nothing_else() -> None:
    rates = [experiment(f"lr-{lr}", 0.9 + lr / 100, {"recipes.linear.lr": lr}) for lr in (0.01, 1)]
    longer = [
        experiment(f"long-{lr}", 0.95 + lr / 100, {"recipes.linear.lr": lr, "recipes.linear.epochs": 80})
        for lr in (0.1, 0.01, 1)
    ]
    others = [experiment("quick", 0.97, {"recipe": "quick"}), experiment("queued", changes={"recipes.linear.lr": 9.0})]
    found = Experiments(COMMIT, [*others[:1], *longer, *rates], others[1:])
    rate, epochs = sweeps.find(found)
    assert epochs.parameter == "recipes.linear.epochs", "a grid is a sweep of each of its parameters"
    assert rate.parameter == "recipes.linear.lr"
    named = [[one.name for one in line] for line in rate.lines]
    assert sorted(named) == [["long-0.01", "long-0.1", "long-1"], ["lr-0.01", "main", "lr-1"]]
    picture = pictures.sweep(found, rate)
    [axes] = figure_of(picture).axes
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.01", "0.1", "1"]
    assert {*legend_of(picture)} == {"all else as in the last commit", "epochs=80", "last commit"}
    assert "epochs=80: 0.01 gives 0.9501, 0.1 gives 0.9510, 1 gives 0.9600" in picture.text
    figure_of(picture).draw_without_rendering()
    for lines in axes.lines:
        inside = axes.bbox.padded(1)
        assert all(inside.contains(x, y) for x, y in lines.get_transform().transform(lines.get_xydata()))
    for bars, line in zip(axes.containers, rate.lines, strict=True):
        _, _, [spread] = bars
        ends = [[one.evaluation["ci_low"], one.evaluation["ci_high"]] for one in line]
        assert [segment[:, 1].tolist() for segment in spread.get_segments()] == [pytest.approx(pair) for pair in ends]


def test_what_is_no_sweep_is_none() -> None:
    one_with_the_commit = [experiment("a", 0.9, {"recipes.linear.lr": 0.2})]
    two_parameters = [experiment("a", 0.9, {"recipes.linear.lr": 0.2}), experiment("b", 0.9, {"split.seed": 3})]
    words = [experiment(name, 0.9, {"recipe": name}) for name in ("mlp", "quick")]
    truth = [experiment(str(shuffle), 0.9, {"split.shuffle": shuffle, "split.seed": 4}) for shuffle in (True, False)]
    for found in one_with_the_commit, two_parameters, words, truth:
        assert sweeps.find(arranged(COMMIT, found)) == []


def test_at_most_three_parameters_are_drawn_those_of_most_experiments() -> None:
    keys = {"lr": 2, "epochs": 5, "momentum": 4, "batch_size": 3}
    found = [
        experiment(f"{key}-{value}", 0.9, {f"recipes.linear.{key}": value, "seeds": [number]})
        for number, (key, count) in enumerate(keys.items(), 1)
        for value in range(1, count + 1)
    ]
    wanted = ["recipes.linear.epochs", "recipes.linear.momentum", "recipes.linear.batch_size"]
    assert [sweep.parameter for sweep in sweeps.find(arranged(COMMIT, found))] == wanted


@pytest.mark.parametrize(
    ("values", "geometric"),
    [
        ([1, 2, 4], True), ([0.5, 0.05, 0.005], True), ([0.01, 0.0316, 0.1], True), ([1, 3, 10], True), ([1, 10], True),
        ([1, 2, 3], False), ([1, 2], False), ([0, 1, 10], False), ([-1, -10], False), ([5], False),
        ([1, 11, 21, 31], False), ([0.1, 0.2, 0.5], False),
    ],
)  # fmt: skip
def test_geometric_values_have_a_logarithmic_axis(values: list[float], geometric: bool) -> None:
    assert sweeps.is_geometric(values) == geometric


@pytest.mark.parametrize(
    ("stage", "out"),
    [
        ("train@4-0", "checkpoints/4-0.safetensors"),  # as after `dvc exp run train`
        ("normalize", "data/normalized/labelled"),
        ("predict", "data/predictions/out_of_fold.npy"),
        ("download@files", "data/raw"),
    ],
)
def test_one_that_ended_before_its_scores_is_known_by_its_lock_file(finished: Project, stage: str, out: str) -> None:
    content = load_yaml((finished.root / "dvc.lock").read_text())
    assert Lock(content, PARAMS).evaluated()
    [written] = [one for one in content["stages"][stage]["outs"] if one["path"] == out]
    written["md5"] = written["md5"][::-1]
    assert not Lock(content, PARAMS).evaluated()


def test_so_is_one_that_was_saved_with_parameters_that_have_not_run(finished: Project) -> None:
    content = load_yaml((finished.root / "dvc.lock").read_text())
    for key, value in {"recipes.linear.lr": 0.7, "recipe": "mlp", "folds": [3], "split.shuffle": True}.items():
        assert not Lock(content, experiment("saved", changes={key: value}).params).evaluated(), key
    for key, value in {"submit.when": "never", "recipes.mlp.lr": 0.7}.items():
        assert Lock(content, experiment("saved", changes={key: value}).params).evaluated(), key


LIST = ("python", "-m", "src.reporting.experiments.table")
AFTER_REPRO = ("python", "-m", "src.reporting.report", "--after-repro", "0")


@pytest.mark.slow
def test_metrics_diff_is_short_between_two_recipes_and_between_one_fold_and_five(reproduced: Project) -> None:
    changes = {"folds": ["folds=[0,1,2,3,4]", "recipes.linear.epochs=1"], "quick": ["recipe=quick"]}
    for name, changed in changes.items():
        options = [word for change in changed for word in ("-S", change)]
        reproduced.run("dvc", "exp", "run", "--quiet", "--name", name, *options, "submit")
        reproduced.run("git", "checkout", "--quiet", "params.yaml")
    for name, rows in (("quick", 12), ("folds", 16)):
        printed = reproduced.run("dvc", "metrics", "diff", "main", name)  # DVC takes the files in no fixed order
        assert 5 <= len(re.findall(r"^metrics/\S+ ", printed, re.MULTILINE)) <= rows
        for score in ("accuracy ", "ci_low", "ci_high", "public_score"):
            assert score in printed


@pytest.mark.slow
def test_of_real_experiments_only_what_was_evaluated_has_a_score_and_the_report_follows_them(
    reproduced: Project,
) -> None:
    run, page = ("dvc", "exp", "run", "--quiet", "--name"), reproduced.root / "report.html"
    reproduced.run(*run, "broken", "--queue", "-S", "split.exclude=[999999]")
    reproduced.run("sh", "-c", "dvc queue start > started.txt 2>&1 && rm started.txt")
    for epochs in (1, 3):
        reproduced.run(*run, f"short-{epochs}", "-S", f"recipes.linear.epochs={epochs}", "evaluate")
    # from the folder as it is now: what follows the training is that of short-3
    reproduced.run(*run, "trained", "-S", "recipes.linear.lr=0.5", "-S", "recipes.linear.epochs=40", "train")
    reproduced.run("git", "checkout", "--quiet", ".")
    reproduced.run("dvc", "checkout", "--quiet")
    deadline = time.monotonic() + 300
    while "Failed" not in reproduced.run("dvc", "queue", "status") and time.monotonic() < deadline:
        time.sleep(0.5)
    reproduced.run(*run, "later", "--queue", "-S", "recipe=quick")

    _, commit, *rows, last = reproduced.run(*LIST).splitlines()
    assert commit.split()[:4] == ["main", "linear", "[4]", "[0]"] and " to 0." in commit
    listed = {row.split()[0]: row for row in rows}
    assert [*listed][:2] == ["short-3", "short-1"], "the most accurate first"
    assert re.search(r"recipes\.linear\.epochs=1 .* to 0\.\d+ +worse", listed["short-1"])
    for name, state in {"later": "Queued", "broken": "Failed", "trained": "Not evaluated"}.items():
        assert state in listed[name] and " to 0." not in listed[name] and "worse" not in listed[name]
    assert last == "`make report` draws them in report.html."

    reproduced.run(*AFTER_REPRO)
    html_text = page.read_text()
    section = html_text[html_text.index('<section id="experiments">') :]
    assert "Experiments since the last commit: 2 finished, 1 queued, 1 failed, 1 not evaluated." in section
    drawn, curves, sweep = re.findall(r'<img src="data:image/png;base64,[^"]*"[^>]* alt="([^"]*)"', section)
    assert re.match(r"The last commit has an accuracy of 0\.\d{4}\. Of 2 experiments, the most .*short-3: epo", drawn)
    assert re.search(r"short-3 0\.\d{4} \(3\), short-1 0\.\d{4} \(1\), main 0\.\d{4} \(40\)\.$", curves)
    assert re.search(r"against recipes\.linear\.epochs, .*: 1 gives 0\.\d+, 3 gives 0\.\d+, 40 gives 0\.\d+\.$", sweep)
    for name in ("later", "broken", "trained"):
        assert name not in section

    written = page.stat().st_mtime_ns
    reproduced.run(*AFTER_REPRO)
    assert page.stat().st_mtime_ns == written, "nothing has changed"
    reproduced.run("dvc", "queue", "remove", "later")
    # as after `dvc exp pull --no-cache`
    shutil.rmtree(reproduced.root / ".dvc/cache")
    reproduced.run(*AFTER_REPRO)
    words = text_of(page)
    assert "2 finished, 1 failed, 1 not evaluated." in words
    assert "DVC's cache lacks the predictions: short-3, short-1." in words
    assert "DVC's cache lacks those of short-3, short-1, main." in words
    assert reproduced.run(*LIST).count("not compared") == 2
    reproduced.run("dvc", "exp", "remove", "short-1", "short-3", "trained")
    reproduced.run("dvc", "queue", "remove", "--all")
    reproduced.run(*AFTER_REPRO)
    assert "There is no experiment since the last commit." in text_of(page)
