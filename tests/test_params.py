from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from dvc.utils.serialize import YAMLFileCorruptedError, dump_yaml, load_yaml, parse_yaml
from hypothesis import assume, given, strategies

from benchmarks.folds import read_candidates
from src import check
from src.core import params
from src.core.errors import UserError
from src.inference.members import Seeds, names, remove_others
from src.models import device
from src.models.recipes import Recipe
from src.preparation.splitting import SplitParams
from tests.conftest import ROOT

PARAMS = (ROOT / "params.yaml").read_text()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_file_in_the_project_is_valid(here: Path) -> None:
    Path("params.yaml").write_text(PARAMS)
    check.main()


BAD = [
    ("train_fraction: 0.8", "train_fraction: 1.2", "split.train_fraction: input should be less than or equal to 1"),
    ("train_fraction: 0.8", "train_fraction: 0", "split.train_fraction: input should be greater than 0"),
    ("train_fraction: 0.8", "train_fraction: much", "split.train_fraction: input should be a valid number"),
    ("train_fraction: 0.8", "train_part: 0.8", "split.train_fraction: field required"),
    ("train_fraction: 0.8", "train_part: 0.8", "split.train_part: extra inputs are not permitted"),
    ("shuffle: false            #", "shuffle: 'no'  #", "split.shuffle: input should be a valid boolean"),
    ("- 0\n", "- 0\n- 0\n", "seeds: duplicate seed in the list"),
    ("- 0\n", "- zero\n", "seeds.0: input should be a valid integer"),
    ("- 0\n", "- -1\n", "seeds.0: input should be greater than or equal to 0"),
    ("- 0\n", "- 9223372036854775808\n", "seeds.0: input should be less than 9223372036854775808"),
    ("- 0\n", "  []\n", "seeds: list should have at least 1 item"),
    ("- 0\n", "  3\n", "seeds: input should be a valid list"),
    ("source: sample", "source: ftp", "source: there is no 'ftp'; choose one of sample, local, kaggle"),
    ("recipe: linear", "recipe: best", "recipe: there is no 'best'; choose one of notebook, linear"),
    ("more_recipes: []", "more_recipes: [cnn, best]", "more_recipes: there is no 'best'; choose one of notebook"),
    ("more_recipes: []", "more_recipes: [cnn, cnn]", "more_recipes: duplicate recipe in the list"),
    ("more_recipes: []", "more_recipes: [linear]", "more_recipes: 'linear' is already the recipe"),
    ("more_recipes: []", "more_recipes: cnn", "more_recipes: input should be a valid list"),
    ("betas: [0.7, 0.9]", "betas: [0.7]", "recipes.quick.betas: list should have at least 2 items"),
    ("width: 16", "width: 0", ".preprocessing.width: input should be greater than or equal to 1"),
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
]


@pytest.mark.parametrize(("right", "wrong", "message"), BAD, ids=[wrong for _, wrong, _ in BAD])
def test_a_bad_value_is_one_line_that_names_the_key(right: str, wrong: str, message: str, here: Path) -> None:
    assert right in PARAMS
    Path("params.yaml").write_text(PARAMS.replace(right, wrong, 1))
    with pytest.raises(UserError) as caught:
        check.main()
    assert message in str(caught.value)
    assert str(caught.value).startswith("params.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "- a list", "just text"])
def test_a_file_without_keys_is_refused(content: str, here: Path) -> None:
    Path("params.yaml").write_text(content)
    with pytest.raises(UserError, match="expected keys"):
        check.main()


def test_a_stage_reads_only_its_own_keys(here: Path) -> None:
    Path("params.yaml").write_text(
        "split: {train_fraction: 0.5, shuffle: true, seed: 3}\nseeds: [2, 1]\nrecipe: nonsense"
    )
    assert params.get("split", SplitParams) == SplitParams(train_fraction=0.5, shuffle=True, seed=3)
    assert params.get("seeds", Seeds).root == [2, 1]


def test_a_missing_key_is_named_with_those_that_are_there(here: Path) -> None:
    Path("params.yaml").write_text("recipes: {one: {}, two: {}}")
    with pytest.raises(UserError, match=r"there is no recipes\.three; recipes has one, two"):
        params.get("recipes.three", Recipe)


SCALARS = [
    "1e-3", "1e-05", "1E5", "1.", ".1", "-.5e-3", ".1e5", "+.5", "on", "yes", "No", "true", "FALSE", "null", "~", "''",
    "0o17", "012", "08", "0x1F", "0b101", "1_000", "-_1", "-0", "1:30", "2020-01-01", ".inf", "-.INF", ".nan", "y",
]  # fmt: skip


@pytest.mark.parametrize("scalar", SCALARS)
def test_a_scalar_means_what_it_means_to_dvc(scalar: str) -> None:
    text = f"key: {scalar}"
    assert repr(params.load_yaml(text)) == repr(parse_yaml(text, "params.yaml"))


# text that looks like a number, or nearly so
@given(strategies.text("0123456789+-._eExXobinfNaA", min_size=1, max_size=8))
def test_any_scalar_means_what_it_means_to_dvc(scalar: str) -> None:
    try:
        expected = parse_yaml(f"key: {scalar}", "params.yaml")
    except (YAMLFileCorruptedError, ValueError):
        assume(False)
    assert repr(params.load_yaml(f"key: {scalar}")) == repr(expected)


VALUES = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(max_size=9),
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.text(max_size=5), inner),
    max_leaves=8,
)


@given(strategies.dictionaries(strategies.text(max_size=5), VALUES, max_size=4))
def test_what_dvc_writes_is_read_as_dvc_reads_it(tmp_path_factory: pytest.TempPathFactory, content: object) -> None:
    path = tmp_path_factory.getbasetemp() / "written.yaml"
    dump_yaml(path, content)
    assert repr(params.load_yaml(path.read_text(encoding="utf-8"))) == repr(load_yaml(path))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device that the test wants missing")
@pytest.mark.parametrize("refuse", [check.main, device.selected])
def test_a_device_that_is_not_there_is_refused(refuse: Callable[[], object], here: Path) -> None:
    Path("params.yaml").write_text(PARAMS.replace("device: cpu", "device: cuda"))
    with pytest.raises(UserError, match="device: this machine has no cuda; choose cpu"):
        refuse()


def test_the_device_is_torch_s(here: Path) -> None:
    Path("params.yaml").write_text("device: cpu")
    assert device.selected() == torch.device("cpu")


def test_only_the_files_of_the_members_are_kept(tmp_path: Path) -> None:
    for folder in ("models", "loss"):
        (tmp_path / folder).mkdir()
        for member in ("1", "2", "12", "cnn-1", "cnn-2", "mlp-1", "ensemble"):
            (tmp_path / folder / f"{member}.any").touch()
    kept = names([1, 12], ["cnn"])
    assert kept == ["1", "12", "cnn-1", "cnn-12"]
    remove_others(kept, [tmp_path / "models", tmp_path / "loss", tmp_path / "missing"])
    left = ["1.any", "12.any", "cnn-1.any", "ensemble.any"]
    assert sorted(path.name for path in tmp_path.rglob("*.any")) == sorted(left * 2)


def test_a_merged_mapping_keeps_its_own_keys() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}"
    assert params.load_yaml(text) == parse_yaml(text, "params.yaml") == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}


def test_the_networks_recipes_are_candidates_that_the_folds_compared() -> None:
    recipes = params.load_yaml(PARAMS)["recipes"]
    candidates = read_candidates().values()
    for name in ("mlp", "quick", "cnn", "cnn_raw", "cnn5x5"):
        assert Recipe.model_validate(recipes[name]) in candidates, name
