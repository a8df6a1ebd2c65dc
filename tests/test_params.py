import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from dvc.utils.serialize import parse_yaml

from src import check
from src.core import params
from src.core.errors import UserError
from src.inference.members import Folds, Seeds, names, remove_others
from src.models import device
from src.models.recipes import Recipe
from src.preparation.folds import SplitParams
from tests.conftest import ROOT

PARAMS = (ROOT / "params.yaml").read_text()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "by-hand").mkdir(parents=True)
    return tmp_path


def test_the_file_in_the_project_is_valid(here: Path) -> None:
    Path("params.yaml").write_text(PARAMS, encoding="utf-8")
    check.main()


BAD = [
    ("n_splits: 5", "n_splits: 1", "split.n_splits: input should be greater than or equal to 2"),
    ("n_splits: 5", "n_splits: 101", "split.n_splits: input should be less than or equal to 100"),
    ("n_splits: 5", "n_splits: five", "split.n_splits: input should be a valid integer"),
    ("n_splits: 5", "n_splits: 4", "folds: there is no fold 4; with split.n_splits 4 they are 0 to 3"),
    ("n_splits: 5", "train_fraction: 0.8", "split.n_splits: field required"),
    ("n_splits: 5", "train_fraction: 0.8", "split.train_fraction: extra inputs are not permitted"),
    ("shuffle: false            #", "shuffle: 'no'  #", "split.shuffle: input should be a valid boolean"),
    ("- 4 ", "- 1\n- 1 ", "folds: a number occurs twice in the list"),
    ("- 4 ", "- four ", "folds.0: input should be a valid integer"),
    ("- 4 ", "- -1 ", "folds.0: input should be greater than or equal to 0"),
    ("- 4 ", "- 5 ", "folds: there is no fold 5; with split.n_splits 5 they are 0 to 4"),
    ("- 4 ", "  [] ", "folds: list should have at least 1 item"),
    ("- 4 ", "  4 ", "folds: input should be a valid list"),
    ("path: data/by-hand", "path: not/here", "sources.local.path: there is no not/here; with every source"),
    ("- 0\n", "- 0\n- 0\n", "seeds: a number occurs twice in the list"),
    ("- 0\n", "- zero\n", "seeds.0: input should be a valid integer"),
    ("- 0\n", "- -1\n", "seeds.0: input should be greater than or equal to 0"),
    ("- 0\n", "- 9223372036854775808\n", "seeds.0: input should be less than 9223372036854775808"),
    ("- 0\n", "  []\n", "seeds: list should have at least 1 item"),
    ("- 0\n", "  3\n", "seeds: input should be a valid list"),
    ("source: sample", "source: ftp", "source: there is no 'ftp'; choose one of sample, local, kaggle"),
    ("recipe: linear", "recipe: best", "recipe: there is no 'best'; choose one of notebook, linear"),
    ("device: cpu", "more_recipes: []\ndevice: cpu", "more_recipes: extra inputs are not permitted"),
    ("betas: [0.7, 0.9]", "betas: [0.7]", "recipes.quick.betas: list should have at least 2 items"),
    ("width: 16", "width: 0", ".preprocessing.width: input should be greater than or equal to 1"),
    ("shift: 1.0", "shift: 28.0", "recipes.mlp.augmentation.shift: input should be less than 28"),
    ("test_time_shift: 1", "test_time_shift: 28", "recipes.cnn.test_time_shift: input should be less than 28"),
    ("device: cpu", "device: tpu", "device: input should be 'cpu', 'cuda' or 'mps' (found: 'tpu')"),
    ("model: linear", "model: lines", "recipes.notebook.model: input should be "),
    ("lr: 0.01", "lr: -0.01", "recipes.notebook.lr: input should be greater than 0"),
    ("lr: 0.01", "lr: .inf", "recipes.notebook.lr: input should be less than or equal to 1000000"),
    ("epochs: 502", "epochs: 0", "recipes.notebook.epochs: input should be greater than or equal to 1"),
    ("batch_size: 256", "batch_size: 2.5", "recipes.notebook.batch_size: input should be a valid integer"),
    ("momentum: 0.9\n", "betas: [0.9, 0.99]\n", "recipes.linear.betas: it has no effect with the optimizer sgd"),
    (
        "warm_up: 0.2\n",
        "momentum: 0.9\n",
        "recipes.mlp.momentum: it has no effect with the optimizer adamw; remove it",
    ),
    ("model: mlp\n", "model: mlp\n    initial_range: 0.5\n", "mlp.initial_range: it has no effect with the model mlp"),
    ("model: mlp\n", "model: mlp\n    channels: [8]\n", "recipes.mlp.channels: it has no effect with the model mlp"),
    ("when: better", "when: sometimes", "submit.when: input should be 'better', 'always' or 'never'"),
    ("source: sample", "sauce: sample", "sauce: extra inputs are not permitted"),
    ("source: sample", "source: sample\nsource: local", 'line 2: found duplicate key "source"'),
    ("source: sample", "source: [", "params.yaml, line"),
    ("device: cpu", "<<<<<<< HEAD\ndevice: cpu\n=======\ndevice: cuda\n>>>>>>> other", ": an unfinished merge; choose"),
]


@pytest.mark.parametrize(("right", "wrong", "message"), BAD, ids=[wrong for _, wrong, _ in BAD])
def test_a_bad_value_is_one_line_that_names_the_key(right: str, wrong: str, message: str, here: Path) -> None:
    assert right in PARAMS
    Path("params.yaml").write_text(PARAMS.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        check.main()
    assert message in str(caught.value)
    assert str(caught.value).startswith("params.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "- a list", "just text"])
def test_a_file_without_keys_is_refused(content: str, here: Path) -> None:
    Path("params.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match="expected keys"):
        check.main()


def test_a_stage_reads_only_its_own_keys(here: Path) -> None:
    Path("params.yaml").write_text(
        "split: {n_splits: 3, shuffle: true, seed: 3, exclude: [7]}\nfolds: [4, 0]\nseeds: [2, 1]\nrecipe: nonsense",
        encoding="utf-8",
    )
    assert params.get("split", SplitParams) == SplitParams(n_splits=3, shuffle=True, seed=3, exclude=[7])
    assert (params.get("folds", Folds).root, params.get("seeds", Seeds).root) == ([4, 0], [2, 1])


def test_a_missing_key_is_named_with_those_that_are_there(here: Path) -> None:
    Path("params.yaml").write_text("recipes: {one: {}, two: {}}", encoding="utf-8")
    with pytest.raises(UserError, match=r"there is no recipes\.three; recipes has one, two"):
        params.get("recipes.three", Recipe)


@pytest.mark.parametrize(
    ("scalar", "value"),
    [("1e-05", 1e-05), ("on", "on"), ("012", 12), ("-.INF", -math.inf), ("1:30", "1:30")],
)
def test_a_scalar_means_what_it_means_to_dvc(scalar: str, value: object) -> None:
    assert params.load_yaml(f"key: {scalar}") == parse_yaml(f"key: {scalar}", "params.yaml") == {"key": value}


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device that the test wants missing")
@pytest.mark.parametrize("refuse", [check.main, device.selected])
def test_a_device_that_is_not_there_is_refused(refuse: Callable[[], object], here: Path) -> None:
    Path("params.yaml").write_text(PARAMS.replace("device: cpu", "device: cuda"), encoding="utf-8")
    with pytest.raises(UserError, match="device: this machine has no cuda; choose cpu"):
        refuse()


def test_only_the_files_of_the_members_are_kept(tmp_path: Path) -> None:
    for folder in ("models", "loss"):
        (tmp_path / folder).mkdir()
        for member in ("4-1", "4-12", "1-4", "14-1", "0-1", "4", "notes", "4-1-0"):
            (tmp_path / folder / f"{member}.any").touch()
    kept = names([4, 0], [12, 1])
    assert kept == ["4-12", "4-1", "0-12", "0-1"]
    remove_others(kept, [tmp_path / "models", tmp_path / "loss", tmp_path / "missing"])
    left = ["4-1.any", "4-12.any", "0-1.any", "4.any", "notes.any", "4-1-0.any"]
    assert sorted(path.name for path in tmp_path.rglob("*.any")) == sorted(left * 2)
