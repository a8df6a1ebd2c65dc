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
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from src.core import params
from src.core.errors import UserError
from src.demo import build, export, page, runtime
from src.inference import ensemble
from src.models import checkpoints, networks
from src.models.checkpoints import Checkpoint
from src.models.recipes import Recipe
from tests.conftest import ROOT, Project
from tests.demos import SETTINGS, with_demo

CPU = torch.device("cpu")


def probabilities(model: Path, images: NDArray[Any]) -> NDArray[np.float32]:
    """Return what ONNX Runtime computes."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    result: NDArray[np.float32] = session.run(["probabilities"], {"images": images})[0]
    return result


def untrained(recipe: Recipe, side: int, classes: Sequence[int] | Sequence[str], seed: int) -> Checkpoint:
    """Return a checkpoint of a network that was not trained, with statistics of batches that are not the initial."""
    generator = np.random.default_rng(seed)
    network = networks.build(recipe, side, len(classes), seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = torch.from_numpy(generator.normal(size=module.num_features).astype(np.float32))
            module.running_var = torch.from_numpy(generator.uniform(0.5, 2, module.num_features).astype(np.float32))
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    return Checkpoint(weights, recipe, np.array(classes), side, fold=0, seed=seed, bright_background=False)


@pytest.mark.parametrize(
    "chosen", [["linear"], pytest.param(None, marks=pytest.mark.slow)], ids=["linear", "an ensemble of all recipes"]
)
def test_the_export_computes_what_the_pipeline_computes(chosen: list[str] | None, tmp_path: Path) -> None:
    recipes = params.get("recipes", dict[str, Recipe])
    if chosen is not None:
        recipes = {name: recipes[name] for name in chosen}
    members = [untrained(recipe, 28, range(10), seed) for seed, recipe in enumerate(recipes.values())]
    model = tmp_path / "model.onnx"
    export.write(model, members, {})

    onnx.checker.check_model(model, full_check=True)
    images = np.random.default_rng(0).random((40, 28, 28), dtype=np.float32)
    images[0], images[1:3, :, :13], images[1:3, :, 15:], images[2, :10] = 0, 0, 0, 0  # no ink, and vertical lines
    [expected] = ensemble.Ensemble(members, CPU).predict(images)
    computed = probabilities(model, images)
    np.testing.assert_allclose(computed, expected.mean(axis=1), rtol=0, atol=1e-5 / len(recipes))
    np.testing.assert_allclose(probabilities(model, images[:1]), computed[:1], rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_it_agrees_on_every_test_image(name: str, finished: Project) -> None:
    root = with_demo(finished, name).root
    ours = np.load(root / "data/predictions/test.npy").mean(axis=1)
    theirs = probabilities(root / build.ONNX, np.load(root / "data/normalized/test/images.npy"))
    assert theirs.shape == (1000, 10) and theirs.dtype == np.float32
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5)
    first, second = np.sort(ours, axis=1)[:, :-3:-1].T
    clear = first - second > 2e-5
    assert clear.mean() > 0.99
    submitted = pd.read_csv(root / "data/predictions/submission.csv")["Label"]
    assert np.array_equal(theirs.argmax(axis=1)[clear], submitted[clear])


@pytest.mark.slow
def test_its_metadata_say_what_it_is(finished: Project) -> None:
    project = with_demo(finished, "ensemble")
    metadata = onnxruntime.InferenceSession(project.root / build.ONNX).get_modelmeta().custom_metadata_map
    scores = project.metrics("evaluate")
    assert metadata == {
        "classes": json.dumps([*range(10)]),
        "side": "28",
        "bright_background": "false",
        "recipe": "quick",
        "folds": "[3, 4]",
        "seeds": "[0, 1]",
        **{name: json.dumps(scores[name]) for name in ("accuracy", "ci_low", "ci_high")},
        "commit": project.run("git", "rev-parse", "HEAD").strip(),
    }


@pytest.mark.slow
def test_it_is_made_anew_to_the_byte(finished: Project, tmp_path: Path) -> None:
    first = with_demo(finished, "ensemble")
    second = Project(tmp_path / "elsewhere")
    shutil.copytree(first.root, second.root, symlinks=True)
    printed = second.run("python", "-m", "src.demo.build", PYTHONHASHSEED="1", OMP_NUM_THREADS="2")
    for path in (build.ONNX, build.PAGE):
        content = (second.root / path).read_bytes()
        assert content == (first.root / path).read_bytes()
        assert str(first.root).encode() not in content
        assert f"{second.root / path}  {len(content) / 1e3:,.0f} kB\n" in printed
    assert second.changed() == ""  # git ignores both


@pytest.mark.slow
def test_the_snippet_in_the_documents_labels_a_picture(finished: Project, tmp_path: Path) -> None:
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / "docs/sharing.md").read_text(encoding="utf-8"), re.DOTALL)
    [snippet] = [code for code in snippets if "onnxruntime" in code]
    root = with_demo(finished, "linear").root
    image = np.load(root / "data/normalized/test/images.npy")[0]
    (tmp_path / "demo").symlink_to(root / "demo")
    Image.fromarray(np.round(255 * image).astype(np.uint8)).save(tmp_path / "digit.png")
    printed = Project(tmp_path).run("python", "-c", snippet)
    labels = pd.read_csv(root / "data/predictions/submission.csv")["Label"]
    assert printed.split() == [str(labels[0])]


def test_without_a_model_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^models: there is no model yet; run `make repro` first$"):
        build.main()


def test_models_and_scores_that_do_not_belong_together_are_refused(
    reproduced: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(reproduced.root)

    def refused(message: str) -> None:
        with pytest.raises(UserError, match=f"^{message}"):
            build.main()
        assert not build.PAGE.exists()

    other_scores = "demo.html: not written, because not up to date: .*evaluate"
    content = build.EVALUATION.read_text()
    build.EVALUATION.unlink()
    refused(other_scores)
    build.EVALUATION.write_text(content.replace('"accuracy": 0.9', '"accuracy": 0.8'))
    refused(other_scores)
    build.EVALUATION.write_text(content)
    model = checkpoints.read(Path("models/4-0.safetensors"))
    model.weights["bias"][0] += 1
    checkpoints.write(Path("models/4-0.safetensors"), model)
    refused("demo.html: not written, because not up to date: .*predict")
    Path(".dvc/config").write_text("[core", encoding="utf-8")
    refused("demo.html: not written, because the results could not be checked: DVC says: ")


def test_the_examples_are_of_all_classes_alike() -> None:
    labels = np.tile(np.arange(10), 100)
    labels[labels == 9] = 8
    labels[-3:] = 9
    chosen = labels[page.choose_examples(labels, range(10))]
    assert np.bincount(chosen).tolist() == [40] * 9 + [3]
    letters = np.array([*string.ascii_uppercase] * 20)
    assert len(page.choose_examples(letters, [*string.ascii_uppercase])) == 26 * 15
    assert page.choose_examples(np.arange(500), range(500)).tolist() == [*range(500)]


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
