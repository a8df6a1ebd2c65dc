"""The whole pipeline on all 42,000 labelled and 28,000 unlabelled digits, where they are at hand."""

import json

import pytest

from benchmarks import full_data
from tests.conftest import Project

ZIP = full_data.find_zip()

pytestmark = [pytest.mark.slow, pytest.mark.skipif(ZIP is None, reason=full_data.WHERE)]


def test_from_the_zip_to_a_linear_model_and_its_predictions(project: Project) -> None:
    project.set({"source": "local", "sources.local.path": str(ZIP)})
    output = project.run("dvc", "repro", OMP_NUM_THREADS="2")
    assert "upload data/predictions/submission.csv" in output
    metrics = {path.stem: json.loads(path.read_text()) for path in (project.root / "metrics").glob("*.json")}
    counts = {"labelled_images": 42000, "test_images": 28000, "side": 28, "classes": 10}
    assert metrics["download"] == counts | {"pixels_in_order_of_the_file": 0}
    assert metrics["split"] == {"train_images": 33600, "validation_images": 8400}
    assert metrics["evaluate"]["accuracy"] >= 0.92
    assert metrics["submit"] == {"submitted": 0}
    assert len((project.root / "data" / "predictions" / "submission.csv").read_text().splitlines()) == 28001
    assert project.repro() == []
