"""Arrays written and read part by part are those written and read whole."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from src.core.arrays import NpyWriter, Rows, load, parts

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
def test_a_mapped_array_and_rows_of_it_behave_as_a_copy(array: NDArray[np.generic], tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", array)
    mapped, random = np.load(tmp_path / "array.npy", mmap_mode="r"), np.random.default_rng(0)
    chosen = random.permutation(len(array))[: len(array) - len(array) // 4]
    again = random.permutation(len(chosen))[: len(chosen) // 2]
    rows = Rows(mapped, chosen)
    for found, expected in ((mapped, array), (rows, array[chosen]), (Rows(rows, again), array[chosen][again])):
        assert (len(found), found.shape, found.dtype) == (len(expected), expected.shape, expected.dtype)
        numbers = np.arange(len(expected))
        for index in (slice(1, 4), slice(None, None, -2), numbers % 2 == 1, numbers[::-1], *numbers[-1:]):
            np.testing.assert_array_equal(found[index], expected[index])
        in_parts = [*parts(found, 3)]
        assert {len(part) for part in in_parts[:-1]} <= {3}
        np.testing.assert_array_equal(np.concatenate(in_parts), expected)
        np.testing.assert_array_equal(np.concatenate([*parts(found, 3, numbers[::-1])]), expected[::-1])
        whole = load(found)
        assert whole.dtype == expected.dtype and whole.flags.writeable
        np.testing.assert_array_equal(whole, expected)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells how much memory a process holds")
def test_reading_a_file_part_by_part_holds_little_of_it(tmp_path: Path) -> None:
    def resident() -> float:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssFile"))

    with NpyWriter(tmp_path / "array.npy") as file:
        for _ in range(64):
            file.append(np.ones((1024, 1024), dtype=np.uint8))
    mapped = np.load(tmp_path / "array.npy", mmap_mode="r")
    before = resident()
    for array in (mapped, Rows(mapped, np.arange(len(mapped)))):
        highest = 0.0
        for part in parts(array, 1024):
            assert part.all()
            highest = max(highest, resident() - before)
        assert highest < 16 <= mapped.nbytes / 2**20
