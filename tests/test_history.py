"""The submissions over time: what is recorded, and what is shown of it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from src.core.errors import UserError
from src.reporting import submissions
from src.sources import history
from src.sources.interface import Sent
from tests.conftest import Project

RUN = {"recipe": "cnn", "folds": "0 1 2 3 4", "seeds": "0 1", "images": 42000, "accuracy": 0.99629, "ci_low": 0.99566,
       "ci_high": 0.99682, "public_score": 0.997, "sha256": "a" * 64}  # fmt: skip
HEADER = "date,source,experiment,recipe,folds,seeds,images,accuracy,ci_low,ci_high,public_score,sha256\n"


def sent(message: str, date: str, score: str, failed: bool = False) -> Sent:
    return Sent(message, failed, date, score)


def test_a_submission_is_recorded_once_with_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "submissions.csv"
    monkeypatch.setenv("DVC_EXP_NAME", "grand-ibis")
    history.record(path, "sample", RUN, [])
    written = path.read_bytes()
    [row] = history.read(path)
    age = datetime.now(UTC) - datetime.fromisoformat(row.pop("date")).replace(tzinfo=UTC)
    assert timedelta(0) <= age < timedelta(minutes=1)
    assert row == {"source": "sample", "experiment": "grand-ibis"} | {name: str(value) for name, value in RUN.items()}
    history.record(path, "sample", RUN, [])
    assert path.read_bytes() == written


def test_what_the_source_lists_is_recorded_without_messages_of_others(tmp_path: Path) -> None:
    path = tmp_path / "submissions.csv"
    listed = [
        sent("in progress", "2026-03-05T10:00:00.5Z", ""),
        sent("broken", "2026-03-04T10:00:00Z", "", failed=True),
        sent(f"mail me@example.org, token=KGAT_{'0' * 16}", "2026-03-03T10:00:00.123000Z", ".98"),
        sent(f"validation accuracy 0.991000, sha256 {'b' * 64}", "2026-03-02T10:00:00Z", "0.99"),
        sent(f"validation accuracy 0.996290, sha256 {'a' * 64}", "2026-03-01T10:00:00Z", "0.997"),
    ]
    history.record(path, "kaggle", RUN, listed)
    first, *others = path.read_text().splitlines(keepends=True)[1:]
    assert first.endswith(f"kaggle,,cnn,0 1 2 3 4,0 1,42000,0.99629,0.99566,0.99682,0.997,{'a' * 64}\n")
    assert others == [
        f"2026-03-02T10:00:00,kaggle,,,,,,0.991000,,,0.99,{'b' * 64}\n",
        "2026-03-03T10:00:00,kaggle,,,,,,,,,.98,\n",
    ]
    written = path.read_bytes()
    history.record(path, "kaggle", None, listed)
    assert path.read_bytes() == written


def test_nothing_submitted_and_nothing_listed_writes_nothing(tmp_path: Path) -> None:
    history.record(tmp_path / "submissions.csv", "local", None, [])
    assert not (tmp_path / "submissions.csv").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "expected the columns date, source"),
        (f"{HEADER}<<<<<<< HEAD\n", r"submissions\.csv, line 2: an unfinished merge"),
    ],
)
def test_a_file_of_another_form_is_refused(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "submissions.csv").write_text(text)
    with pytest.raises(UserError, match=told):
        history.read(tmp_path / "submissions.csv")


def test_each_is_shown_with_the_commit_that_recorded_it_the_latest_first(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    submissions.PATH.unlink()
    assert submissions.table().empty
    submissions.PATH.write_text(
        f"{HEADER}2026-03-02T10:00:00,kaggle,,cnn,0 4,0 1 2,16800,0.99,0.98,0.995,0.985,{'a' * 64}\n"
    )
    project.commit()
    with submissions.PATH.open("a") as file:
        file.write(f"2026-03-03T10:00:00,local,,mlp,4,0,8400,0.98,0.97,0.99,,{'b' * 64}\n")
        file.write(f"2026-03-01T10:00:00,kaggle,,,,,,0.9,,,0.91,{'c' * 64}\n")
    commit = project.run("git", "rev-parse", "--short=8", "HEAD").strip()
    assert submissions.table().to_numpy().tolist() == [
        ["2026-03-03 10:00", "local", "", "mlp", "1 x 1", "0.9800", "0.9700 to 0.9900", "", ""],
        ["2026-03-02 10:00", "kaggle", commit, "cnn", "2 x 3", "0.9900", "0.9800 to 0.9950", "0.985", "-0.0050"],
        ["2026-03-01 10:00", "kaggle", "", "", "", "0.9000", "", "0.91", "+0.0100"],
    ]


def test_the_sample_s_submission_is_recorded_and_printed(finished: Project) -> None:
    printed = finished.run("python", "-m", "src.reporting.submissions")
    assert printed.splitlines()[0].split()[:4] == ["date", "source", "run", "recipe"]
    assert "linear" in printed
    assert str(finished.metrics("submit")["public_score"]) in printed


def test_points_are_named_by_their_run_or_day_the_latest_twenty_without_overlaps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    submissions.PATH.parent.mkdir()
    rows = [f"2026-03-{day:02}T10:00:00,kaggle,run-{day},cnn,4,0,8400,0.99,0.98,0.995,0.985," for day in range(1, 25)]
    by_hand = "2026-04-01T10:00:00,kaggle,,,,,,0.9,,,0.91,"
    submissions.PATH.write_text(HEADER + "".join(f"{row}{n}\n" for n, row in enumerate([*rows, by_hand])))
    points = submissions.agreement()["points"]
    assert [point["name"] for point in points] == ["2026-04-01", *(f"run-{day}" for day in range(24, 0, -1))]
    assert points[0]["text"] == "0.91 against 0.9000"
    named = sorted(point["name_y"] for point in points[:20])
    assert all(above - below >= submissions.LINE - 1e-9 for below, above in pairwise(named))
    assert named[0] >= 0 and named[-1] <= 1
    assert {point["name_y"] for point in points[20:]} == {None}
