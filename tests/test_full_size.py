"""The whole pipeline on all 70,000 digits, where they are at hand: some labels are wrong, some answers known."""

import csv
import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from benchmarks import full_data
from tests.conftest import Project, stages_run
from tests.kaggle_server import Competition, serve
from tests.test_changes import trained
from tests.test_kaggle_runs import point_at

ANSWERED, FLIPPED = 4000, 50


@pytest.mark.slow
@pytest.mark.skipif(full_data.find_zip() is None, reason=full_data.WHERE)
def test_from_kaggle_s_zip_to_a_score_and_then_to_the_mistakes_of_five_folds(project: Project) -> None:
    """The last labelled digits are predicted as well, and scored; among the others fifty labels are flipped."""
    with zipfile.ZipFile(full_data.required_zip()) as archive:
        header, *rows = archive.read("train.csv").decode().splitlines()
        pixels, *unlabelled = archive.read("test.csv").decode().splitlines()
    labelled = [row.split(",", 1) for row in rows]
    train, answered = labelled[:-ANSWERED], labelled[-ANSWERED:]
    generator = np.random.default_rng(0)
    flipped = generator.choice(len(train), FLIPPED, replace=False)
    for row, shift in zip(flipped, generator.integers(1, 10, FLIPPED), strict=True):
        train[row][0] = str((int(train[row][0]) + shift) % 10)
    test = [*(row for _, row in answered), *unlabelled]
    ids = [str(number) for number in range(1, len(test) + 1)]
    files = {
        "train.csv": [header, *map(",".join, train)],
        "test.csv": [pixels, *test],
        "sample_submission.csv": ["ImageId,Label", *(f"{id_},0" for id_ in ids)],
    }
    encoded = {name: "\n".join(lines).encode() for name, lines in files.items()}
    answers = dict(zip(ids, (label for label, _ in answered), strict=False))
    with serve(Competition("digit-recognizer", encoded, answers)) as kaggle:
        point_at(project, kaggle)
        project.repro()
    counts = {name: project.metrics(name)["images"] for name in ("download", "split", "normalize", "predict")}
    assert counts == {"download": 38000, "split": 7600, "normalize": 70000, "predict": 32000}
    scores = project.metrics("evaluate")
    assert scores["accuracy"] >= 0.92 - FLIPPED / len(train)
    sent = [*csv.DictReader(io.StringIO((project.root / "data/predictions/submission.csv").read_text()))]
    assert len(sent) == len(ids)
    right = sum(row["Label"] == answers[row["ImageId"]] for row in sent[:ANSWERED]) / ANSWERED
    assert project.metrics("submit") == {"public_score": pytest.approx(right, abs=1e-5)}
    assert scores["ci_low"] - 0.01 < right < scores["ci_high"] + 0.01
    assert project.repro() == []

    changes = ["-S", "recipe=quick", "-S", "folds=[0, 1, 2, 3, 4]"]
    assert trained(stages_run(project.run("dvc", "exp", "run", *changes, "evaluate"))) == [f"{n}-0" for n in range(5)]
    assert project.metrics("evaluate")["accuracy"] >= 0.9915 - FLIPPED / len(train)
    assert len(pd.read_csv(project.root / "data/predictions/validation.csv")) == len(train)
    doubtful = pd.read_csv(project.root / "data/predictions/mistakes.csv")["row"][: 2 * FLIPPED]
    assert len({*doubtful} & {*(flipped + 1)}) >= 0.9 * FLIPPED
