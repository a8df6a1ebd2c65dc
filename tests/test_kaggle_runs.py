"""Whole runs by the real DVC with the real client: downloads, scores, what is sent and what is not."""

import csv
import json

import pytest

from tests.competitions import digits, letters
from tests.conftest import Project
from tests.kaggle_server import SECRETS, Kaggle, Submission, serve


def point_at(project: Project, kaggle: Kaggle) -> None:
    """Make the project one of the server's competition."""
    project.environment = kaggle.environment | {"HOME": str(project.root.parent), "XDG_STATE_HOME": ""}
    project.set({"source": "kaggle", "sources.kaggle.competition": kaggle.competition.name})


@pytest.mark.slow
def test_what_is_refused_what_is_sent_and_what_is_not(project: Project) -> None:
    with serve(digits()) as kaggle:
        point_at(project, kaggle)
        kaggle.submissions.append(Submission(1, "by hand", 0.5))

        # a refusal leaves the run whole, and the next run submits
        kaggle.daily = 1
        project.set({"recipes.linear.epochs": 2})
        output = project.run("dvc", "repro")
        assert "the day's submissions are used up" in output
        assert "Running stage 'download@files'" in output and "Running stage 'draw'" in output
        assert project.metrics("submit") == {"refused": 1}
        assert "submission was refused" in project.run(
            "python", "-m", "src.reporting.report", "--after-repro", "0", fails=True
        )
        project.commit()
        output = project.run("dvc", "exp", "run", "--name", "refused", "-S", "recipes.linear.epochs=3", "submit")
        assert "used up" in output
        assert "refused" in project.run("dvc", "exp", "list")
        assert project.repro("submit") == ["submit"]
        assert project.metrics("submit") == {"refused": 1}
        kaggle.daily = 1000
        assert project.repro("submit") == ["submit"]
        first = project.metrics("submit")
        assert first == {"public_score": kaggle.submissions[1].score}
        project.commit()

        assert project.repro("submit") == []
        assert project.repro("--force", "--single-item", "submit") == ["submit"]
        assert project.metrics("submit") == first
        assert len(kaggle.submissions) == 2

        project.set({"recipes.linear.epochs": 40})
        assert "submit" in project.repro("submit")
        assert project.metrics("submit") == {"public_score": kaggle.submissions[2].score}
        project.set({"recipes.linear.epochs": 1})
        assert "submit" in project.repro("submit")
        assert project.metrics("submit") == {}
        project.set({"recipes.linear.epochs": 3})
        project.repro("submit")
        assert project.metrics("submit") == first
        assert len(kaggle.submissions) == 3

        recorded = project.run("python", "-m", "src.reporting.submissions")
        of_runs = [line.split() for line in recorded.splitlines() if " kaggle " in line and " linear " in line]
        assert [float(words[-2]) for words in of_runs] == [sent.score for sent in kaggle.submissions[:0:-1]]

        kaggle.faults["ListSubmissions"] = [403]
        output = project.run("dvc", "repro", "--force", "--single-item", "submit")
        assert "https://www.kaggle.com/competitions/small-digits/rules" in output
        assert project.metrics("submit") == {"refused": 1}
        assert project.run("git", "show", "HEAD:metrics/submit.json") == f"{json.dumps(first, indent=2)}\n"
        project.commit()

    history = project.run("git", "log", "--patch", "--all")
    files = [file.read_bytes() for file in project.root.rglob("*") if file.is_file()]
    for secret in SECRETS:
        assert secret not in output + history
        assert not any(secret.encode() in content for content in files)


@pytest.mark.slow
def test_another_competition_of_the_same_shape(project: Project) -> None:
    with serve(letters()) as kaggle:
        point_at(project, kaggle)
        project.run("dvc", "repro", "submit")
        score = project.metrics("submit")["public_score"]
        assert score == kaggle.submissions[0].score
        assert score > 0.7
    rows = csv.reader((project.root / "data/predictions/submission.csv").open(newline=""))
    assert next(rows) == ["id", "label"]
    assert [id_ for id_, _ in rows] == [str(id_) for id_ in range(9000, 9100)]
    classes = csv.DictReader((project.root / "plots/classes/validation.csv").open(newline=""))
    assert [row["class"] for row in classes] == [*map(str, range(3, 13))]
