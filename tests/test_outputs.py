import json
from pathlib import Path

import pytest

from src.core import metrics
from src.core.errors import UserError
from src.core.outputs import replacing


def test_a_failure_leaves_the_old_output_and_nothing_else(tmp_path: Path) -> None:
    output = tmp_path / "folder" / "output"
    with replacing(output) as temporary:
        temporary.write_text("old")
    with pytest.raises(RuntimeError), replacing(output) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert output.read_text() == "old"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "output"]


def test_the_temporary_path_is_not_in_the_folder_of_the_output(tmp_path: Path) -> None:
    with replacing(tmp_path / "checkpoints" / "4-0.safetensors") as temporary:
        temporary.touch()
        assert list((tmp_path / "checkpoints").iterdir()) == []
        assert temporary.parent == tmp_path


def test_what_a_killed_run_left_is_replaced(tmp_path: Path) -> None:
    output = tmp_path / "a" / "output"
    with replacing(output) as temporary:
        temporary.mkdir()
        (temporary / "left").touch()
        left = temporary
        left.rename(tmp_path / "aside")
        (tmp_path / "aside").rename(left)
    with replacing(output) as temporary:
        assert not temporary.exists()
        temporary.mkdir()
    assert list(output.iterdir()) == []


def test_metrics_have_six_decimals_and_only_numbers(tmp_path: Path) -> None:
    metrics.write(tmp_path / "m" / "x.json", {"a": 0.1234567891, "b": {"c": 3}})
    text = (tmp_path / "m" / "x.json").read_text()
    assert json.loads(text) == {"a": 0.123457, "b": {"c": 3}} == metrics.read(tmp_path / "m" / "x.json")
    with pytest.raises(ValueError, match="JSON compliant"):
        metrics.write(tmp_path / "m" / "x.json", {"a": float("nan")})
    assert (tmp_path / "m" / "x.json").read_text() == text


def test_metrics_that_git_could_not_merge_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{\n<<<<<<< HEAD\n  "errors": 1\n=======\n  "errors": 2\n>>>>>>> other\n}\n')
    with pytest.raises(UserError, match=r"x\.json, line 2: an unfinished merge"):
        metrics.read(tmp_path / "x.json")
