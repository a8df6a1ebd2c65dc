"""Arrays written and read part by part are those written and read whole."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from src.core.arrays import NpyWriter, Scratch, parts

ARRAYS = [
    np.arange(48, dtype=np.uint8).reshape(12, 2, 2),
    np.linspace(0, 1, 20, dtype=np.float32).reshape(10, 2),
    np.array(["b", "aaa", "é"]),
    np.arange(5),
    np.zeros((0, 3, 3), dtype=np.float32),
    np.array([], dtype=np.str_),
    np.arange(24, dtype=np.float64).reshape(4, 6)[:, ::2],
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_a_file_written_in_parts_has_the_bytes_of_one_written_whole(array: NDArray[np.generic], tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.save(whole, array)
    with NpyWriter(tmp_path / "array.npy") as file:
        for part in parts(array, 3):
            file.append(part)
    assert (tmp_path / "array.npy").read_bytes() == whole.getvalue()


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_parts_of_a_mapped_array_are_those_of_the_array(array: NDArray[np.generic], tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", array)
    mapped = np.load(tmp_path / "array.npy", mmap_mode="r")
    found = [*parts(mapped, 3)]
    assert {len(part) for part in found[:-1]} <= {3}
    np.testing.assert_array_equal(np.concatenate(found), array)
    order = np.random.default_rng(0).permutation(len(array))
    np.testing.assert_array_equal(np.concatenate([*parts(mapped, 3, order)]), array[order])


def test_scratch_gives_back_what_was_written_and_leaves_nothing(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    for part in parts(ARRAYS[0], 5):
        scratch.append(part)
    mapped = scratch.mapped()
    assert mapped.dtype == np.uint8
    np.testing.assert_array_equal(mapped, ARRAYS[0])
    assert not [*tmp_path.iterdir()]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells how much memory a process holds")
def test_reading_a_file_part_by_part_holds_little_of_it(tmp_path: Path) -> None:
    def resident() -> float:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssFile"))

    with NpyWriter(tmp_path / "array.npy") as file:
        for _ in range(64):
            file.append(np.ones((1024, 1024), dtype=np.uint8))
    mapped = np.load(tmp_path / "array.npy", mmap_mode="r")
    before = resident()
    highest = 0.0
    for part in parts(mapped, 1024):
        assert part.all()
        highest = max(highest, resident() - before)
    assert highest < 16 <= mapped.nbytes / 2**20
