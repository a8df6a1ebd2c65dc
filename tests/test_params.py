import json
import math
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import torch
import yaml
from dvc.utils.serialize import YAMLFileCorruptedError, dumps_yaml, parse_yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src import check
from src.core import params
from src.core.errors import UserError
from src.core.yaml_1_2 import load_yaml
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


def test_files_that_are_missing_concern_their_own_source_alone(here: Path) -> None:
    missing = PARAMS.replace("path: data/by-hand", "path: not/here")
    Path("params.yaml").write_text(missing, encoding="utf-8")
    check.main()
    Path("params.yaml").write_text(missing.replace("source: sample", "source: local"), encoding="utf-8")
    with pytest.raises(UserError, match=r"^params\.yaml: sources\.local\.path: there is no not/here$"):
        check.main()


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
    [
        ("1e-05", 1e-05), ("on", "on"), ("012", 12), ("0o17", 15), ("-.INF", -math.inf), ("1:30", "1:30"),
        ("1_000", 1000), ("-0x_1F", -31), ("+.5e+1", 5.0), ("1.", 1.0), ("TRUE", True), ("yes", "yes"), ("~", None),
        ("2026-01-31", date(2026, 1, 31)), ("'12'", "12"), ("!!str 12", "12"), ("", None),
    ],
)  # fmt: skip
def test_a_scalar_means_what_it_means_to_dvc(scalar: str, value: object) -> None:
    assert load_yaml(f"key: {scalar}") == parse_yaml(f"key: {scalar}", "params.yaml") == {"key": value}


def meaning(read: Callable[[str], object], text: str) -> str:
    """Return what a reader of YAML makes of a text: values with their types, or that it refuses it."""
    try:
        return repr(read(text))
    except (yaml.YAMLError, YAMLFileCorruptedError, ValueError):
        return "refused"


def to_dvc(text: str) -> object:
    return parse_yaml(text, "params.yaml")


WORDS = [
    "y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "true", "True", "TRUE", "false", "False",
    "FALSE", "on", "On", "ON", "off", "Off", "OFF", "null", "Null", "NULL", "~", "<<", "=", ".inf", ".Inf",
    ".INF", "-.inf", "+.Inf", ".nan", ".NaN", ".NAN", "-.nan", "tRUE", "nULL", ".iNF", "1:30", "190:20:30.15",
    "1e5", "1e+5", ".5e5", "0b1", "0o8",
]  # fmt: skip
SCALARS = (
    st.text("0123456789+-._eE", max_size=9)
    | st.text("0123456789abcdefxob_+-ABCDEF", max_size=6)
    | st.sampled_from(WORDS)
    | st.integers().map(str)
    | st.floats().map(repr)
    | st.dates().map(str)
    | st.text(max_size=5).map(json.dumps)
)
"""What may stand after `key: `; text in quotes as DVC and `Refusals` write it."""


@settings(deadline=None, max_examples=500)
@given(SCALARS)
def test_every_scalar_means_what_it_means_to_dvc(scalar: str) -> None:
    text = f"key: {scalar}\nkeys:\n- 1\n- {scalar}\n"
    assert meaning(load_yaml, text) == meaning(to_dvc, text)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
CONTENTS = st.dictionaries(
    st.text(max_size=8),
    st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)),
    min_size=1,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(CONTENTS)
def test_what_dvc_writes_is_read_as_dvc_reads_it(content: dict[str, object]) -> None:
    text = dumps_yaml(content)
    assert meaning(load_yaml, text) == meaning(to_dvc, text)


@pytest.mark.parametrize("name", ["params.yaml", "dvc.yaml", "dvc.lock", "metrics/refusals.yaml"])
def test_the_files_of_the_project_mean_what_they_mean_to_dvc(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert repr(load_yaml(text)) == repr(to_dvc(text))


MERGED = "base: &base {a: 1, b: 2}\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (MERGED + "mine: {<<: *base, b: 3}", {"base": {"a": 1, "b": 2}, "mine": {"a": 1, "b": 3}}),
        ("deep: {in: &in {<<: &base {a: 1}, a: 2}}\nmine: {<<: *in, b: 3}",
         {"deep": {"in": {"a": 2}}, "mine": {"a": 2, "b": 3}}),
        (MERGED + "mine: {<<: *base, b: 3, b: 4}", None),
        (MERGED + "mine: {<<: *base, <<: *base}", None),
        ("a: {b: 1, 'b': 2}", None),
        ("a: 1\nb: 2\n\"a\": 3", None),
    ],
)  # fmt: skip
def test_a_key_may_replace_a_merged_one_and_not_occur_twice(text: str, value: object) -> None:
    if value is None:
        with pytest.raises(yaml.YAMLError, match="found duplicate key"):
            load_yaml(text)
    else:
        assert load_yaml(text) == to_dvc(text) == value


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
