"""The ensemble as an ONNX model, and the command that writes it and the page."""

import json
import re
import shutil
import string
import subprocess
import sys
import tarfile
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha512
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from src.core import params
from src.core.errors import UserError
from src.demo import build, export, page, runtime
from src.inference import ensemble, members
from src.models import checkpoints, networks
from src.models.checkpoints import Checkpoint
from src.models.recipes import Recipe
from tests.conftest import ROOT, Project

CPU = torch.device("cpu")


def probabilities(model: Path, images: NDArray[Any]) -> NDArray[np.float32]:
    """Return what ONNX Runtime computes."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    result: NDArray[np.float32] = session.run(["probabilities"], {"images": images})[0]
    return result


def assert_agrees(model: Path, models_dir: Path, images: NDArray[Any]) -> None:
    """Assert that a model has the probabilities of the pipeline, and its labels but for ties."""
    ours, theirs = ensemble.predict(models_dir, images, CPU), probabilities(model, images)
    assert theirs.dtype == np.float32
    np.testing.assert_allclose(theirs, ours.probabilities, rtol=0, atol=1e-5)
    first, second = np.sort(ours.probabilities, axis=1)[:, :-3:-1].T
    clear = first - second > 2e-5
    assert clear.mean() > 0.9
    assert np.array_equal(ours.classes[theirs.argmax(axis=1)][clear], ours.labels[clear])


def untrained(recipe: Recipe, side: int, classes: Sequence[int] | Sequence[str], seed: int) -> Checkpoint:
    """Return a checkpoint of a network that was not trained, with statistics of batches that are not the initial."""
    generator = np.random.default_rng(seed)
    network = networks.build(recipe, side, len(classes), seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = torch.from_numpy(generator.normal(size=module.num_features).astype(np.float32))
            module.running_var = torch.from_numpy(generator.uniform(0.5, 2, module.num_features).astype(np.float32))
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    return Checkpoint(weights, recipe, np.array(classes), side)


@pytest.mark.parametrize(
    "name",
    ["linear", *(pytest.param(name, marks=pytest.mark.slow) for name in ("notebook", "mlp", "quick", "cnn"))],
)
def test_the_export_computes_what_the_pipeline_computes(name: str, tmp_path: Path) -> None:
    recipe = params.get(f"recipes.{name}", Recipe)
    trained = [untrained(recipe, 28, range(10), seed) for seed in (0, 1)]
    for seed, checkpoint in enumerate(trained):
        checkpoints.write(tmp_path / "models" / f"{seed}.safetensors", checkpoint)
    members.write(tmp_path / "models" / members.FILE, [0, 1])
    export.write(tmp_path / "model.onnx", trained, {})

    onnx.checker.check_model(tmp_path / "model.onnx", full_check=True)
    images = np.random.default_rng(0).random((300, 28, 28), dtype=np.float32)
    expected = ensemble.predict(tmp_path / "models", images, CPU).probabilities
    np.testing.assert_allclose(probabilities(tmp_path / "model.onnx", images), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(probabilities(tmp_path / "model.onnx", images[:1]), expected[:1], rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"recipe": "linear"},
        {"recipe": "quick", "seeds": [0, 1]},
        {"recipe": "cnn", "recipes.cnn.epochs": 1},
    ],
    ids=["linear", "two of quick", "cnn"],
)
def test_it_agrees_on_every_test_image(settings: dict[str, object], reproduced: Project) -> None:
    reproduced.set(settings)
    reproduced.repro("evaluate")
    reproduced.commit()
    printed = reproduced.run("python", "-m", "src.demo.build")
    model, html = reproduced.root / build.ONNX, reproduced.root / build.PAGE
    assert [line.split("  ")[0] for line in printed.splitlines()] == [str(model), str(html)]
    assert reproduced.changed() == ""  # git ignores both

    images = np.load(reproduced.root / "data/normalized/test/images.npy")
    assert_agrees(model, reproduced.root / "models", images)

    metadata = onnxruntime.InferenceSession(model).get_modelmeta().custom_metadata_map
    scores = json.loads((reproduced.root / "metrics/evaluate.json").read_text())
    assert json.loads(metadata["classes"]) == [*range(10)]
    assert metadata["recipe"] == settings["recipe"]
    assert json.loads(metadata["members"]) == [str(seed) for seed in settings.get("seeds", [0])]
    assert json.loads(metadata["accuracy"]) == scores["accuracy"]
    assert json.loads(metadata["accuracy_interval"]) == scores["accuracy_interval"]
    assert metadata["commit"] == reproduced.run("git", "rev-parse", "HEAD").strip()

    first = model.read_bytes()
    assert str(ROOT).encode() not in first
    reproduced.run("python", "-m", "src.demo.build", PYTHONHASHSEED="1", OMP_NUM_THREADS="2")
    assert model.read_bytes() == first


@pytest.mark.slow
def test_the_snippet_of_the_readme_labels_a_picture(reproduced: Project) -> None:
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    [snippet] = [code for code in snippets if "onnxruntime" in code]
    reproduced.run("python", "-m", "src.demo.build")
    image = np.load(reproduced.root / "data/normalized/test/images.npy")[0]
    Image.fromarray(np.round(255 * image).astype(np.uint8)).save(reproduced.root / "digit.png")
    printed = reproduced.run("python", "-c", snippet)
    assert printed.split() == [str(ensemble.predict(reproduced.root / "models", image[None], CPU).labels[0])]


def test_without_a_model_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^models: there is no model yet; run `make repro` first$"):
        build.main()


@pytest.mark.slow
def test_models_and_scores_that_do_not_belong_together_are_refused(reproduced: Project) -> None:
    def refusal() -> str:
        return reproduced.run("python", "-m", "src.demo.build", fails=True)

    scores = reproduced.root / "metrics/evaluate.json"
    content = scores.read_text()
    scores.unlink()
    expected = "error: metrics/evaluate.json: not the scores of the models in models; run `make repro` first\n"
    assert refusal() == expected
    scores.write_text(content.replace('"accuracy": 0.9', '"accuracy": 0.8'))
    assert refusal() == expected
    scores.write_text(content)
    model = checkpoints.read(reproduced.root / "models/0.safetensors")
    model.weights["bias"][0] += 1
    checkpoints.write(reproduced.root / "models/0.safetensors", model)
    assert refusal() == expected
    reproduced.set({"recipe": "quick"})
    assert refusal() == (
        "error: models: not trained with the recipe that params.yaml selects; run `make repro` first\n"
    )
    assert not (reproduced.root / build.PAGE).exists()


def test_the_page_names_what_there_is_to_draw() -> None:
    assert page.noun_for([*"0123456789"]) == "digit"
    assert page.noun_for([*string.ascii_lowercase]) == "letter"
    assert page.noun_for(["shirt", "shoe"]) == "picture"
    assert page.noun_for(["10", "11"]) == "picture"


def test_the_examples_are_of_all_classes_alike() -> None:
    labels = np.tile(np.arange(10), 100)
    labels[labels == 9] = 8
    labels[-3:] = 9
    chosen = labels[page.choose_examples(labels, range(10))]
    assert np.bincount(chosen).tolist() == [40] * 9 + [3]
    letters = np.array([*string.ascii_uppercase] * 20)
    assert len(page.choose_examples(letters, [*string.ascii_uppercase])) == 26 * 15


def test_the_runtime_is_the_pinned_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"ONNX Runtime Web v{runtime.VERSION}" in runtime.javascript()
    assert runtime.wasm()[:4] == b"\0asm"
    monkeypatch.setitem(runtime.SHA256, "ort.wasm.bundle.min.mjs", "0")
    with pytest.raises(ValueError, match="not the file of onnxruntime-web"):
        runtime.javascript()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("npm"), reason="needs npm")
def test_the_runtime_is_what_npm_delivers(tmp_path: Path) -> None:
    command = ["npm", "pack", "--silent", f"{runtime.PACKAGE}@{runtime.VERSION}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"npm reached no registry: {done.stderr.strip().splitlines()[:1]}")
    package = tmp_path / done.stdout.split()[-1]
    assert f"sha512-{b64encode(sha512(package.read_bytes()).digest()).decode()}" == runtime.INTEGRITY
    with tarfile.open(package) as archive:
        javascript, wasm = (archive.extractfile(f"package/dist/{name}").read() for name in runtime.SHA256)
    assert (javascript.decode(), wasm) == (runtime.javascript(), runtime.wasm())


def test_only_the_demo_needs_its_packages() -> None:
    code = "import sys, src.demo.build; assert not {'onnx', 'onnxscript', 'onnxruntime'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
