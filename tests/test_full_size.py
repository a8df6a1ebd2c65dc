"""The whole pipeline on all 42,000 labelled and 28,000 unlabelled digits, where they are at hand."""

import pandas as pd
import pytest

from benchmarks import full_data
from tests.conftest import Project, stages_run
from tests.test_changes import trained

ZIP = full_data.find_zip()

pytestmark = [pytest.mark.slow, pytest.mark.skipif(ZIP is None, reason=full_data.WHERE)]


def test_from_the_zip_to_a_linear_model_then_to_two_seeds_of_another_and_to_five_folds(project: Project) -> None:
    project.set({"source": "local", "sources.local.path": str(ZIP)})
    output = project.run("dvc", "repro")
    assert "upload data/predictions/submission.csv" in output
    counts = {name: project.metrics(name)["images"] for name in ("download", "split", "normalize", "predict")}
    assert counts == {"download": 42000, "split": 8400, "normalize": 70000, "predict": 28000}
    assert project.metrics("evaluate")["accuracy"] >= 0.92
    assert project.metrics("submit") == {}
    assert len((project.root / "data" / "predictions" / "submission.csv").read_text().splitlines()) == 28001
    assert project.repro() == []

    for folds, seeds, new in (([3], [0, 1], ["3-0", "3-1"]), ([0, 1, 2, 3, 4], [0], ["0-0", "1-0", "2-0", "4-0"])):
        changes = ["-S", "recipe=quick", "-S", f"folds={folds}", "-S", f"seeds={seeds}"]
        output = project.run("dvc", "exp", "run", *changes, "evaluate")
        assert trained(stages_run(output)) == new
        assert project.metrics("evaluate")["accuracy"] >= 0.9915
        assert len(pd.read_csv(project.root / "data/predictions/validation.csv")) == 8400 * len(folds)
