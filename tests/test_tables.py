"""Tables are written as pandas writes them, without pandas."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.core import tables

CELLS = [
    st.integers(-(2**40), 2**40),
    st.floats(allow_infinity=False, width=32),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
    st.booleans(),
]


@st.composite
def table(draw: st.DrawFn) -> dict[str, list[object]]:
    """Return columns of one type each, as many rows in every column."""
    rows = draw(st.integers(0, 4))
    names = draw(st.lists(st.text("abc, \"'\n", max_size=4), min_size=1, max_size=4, unique=True))
    return {name: draw(st.lists(draw(st.sampled_from(CELLS)), min_size=rows, max_size=rows)) for name in names}


@settings(deadline=None)
@given(table(), st.integers(0, 4))
def test_the_bytes_are_those_of_pandas(content: dict[str, list[object]], cut: int) -> None:
    frame = pd.DataFrame(content)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "out" / "table.csv"
        wanted = frame.to_csv(index=False, float_format="%.6f", lineterminator="\n").encode()
        for form in (content, frame, {name: np.array(column) for name, column in content.items()}):
            tables.write(path, form)
            assert path.read_bytes() == wanted
        with tables.writing(path) as append:
            append(frame[:cut])
            append({name: column[cut:] for name, column in content.items()})
        assert path.read_bytes() == wanted


def test_columns_of_different_length_are_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        tables.write(tmp_path / "table.csv", {"a": [1, 2], "b": [1]})
    assert not [*tmp_path.iterdir()]


def test_what_is_unknown_stays_empty(tmp_path: Path) -> None:
    tables.write(tmp_path / "table.csv", {"a": [None, np.nan], "b": [float("nan"), 0.5]})
    assert (tmp_path / "table.csv").read_bytes() == b"a,b\n,\n,0.500000\n"
