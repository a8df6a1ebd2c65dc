"""Images that occur twice, and empty ones."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.core import arrays
from src.data.competition.files import TEST, TRAIN
from src.data.images import EXCLUDED, ImageSet


def find(labelled: ImageSet, test: ImageSet) -> dict[str, NDArray[Any]]:
    """Return the duplicate and the empty images; excluded images are skipped.

    Two images are the same if hashes of 64 bits of their pixels are equal.

    Returns:
        The columns `finding`, `file`, `row` and `same_as`: the row of the training file with the same pixels, 0 for an
        empty image. Rows are counted from 1. Rows of test images follow the sample submission. A finding is

        - `empty`: all pixels have the same value;
        - `duplicate`: an earlier image with the same label, in the same fold;
        - `in two folds`: an earlier image with the same label, in another fold, so that the score is too high;
        - `two labels`: an earlier image with another label;
        - `in both files`: a test image that is also a labelled one.
    """
    included = np.flatnonzero(labelled.known_folds != EXCLUDED)
    hashes, empty = _hashes(labelled)
    labels, folds = labelled.known_labels, labelled.known_folds
    known, first, which = np.unique(hashes[included], return_index=True, return_inverse=True)
    earlier = included[first][which]
    named = np.select(
        [empty[included], earlier == included, labels[earlier] != labels[included], folds[earlier] != folds[included]],
        ["empty", "", "two labels", "in two folds"],
        "duplicate",
    )
    found = [_rows(named, TRAIN, included, earlier)]
    hashes, empty = _hashes(test)
    place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    named = np.select([empty, known[place] == hashes], ["empty", "in both files"], "")
    found.append(_rows(named, TEST, np.arange(len(test)), included[first][place]))
    return {name: np.concatenate([of_file[name] for of_file in found]) for name in found[0]}


def _hashes(image_set: ImageSet) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return a hash of the pixels of each image, shape (N,), and whether it is empty, shape (N,)."""
    hashes: list[bytes] = []
    empty: list[NDArray[np.bool_]] = []
    for part in arrays.parts(image_set.images, doing="looking for duplicates of the images"):
        hashes.extend(hashlib.blake2b(image, digest_size=8).digest() for image in part)
        empty.append(part.min(axis=(1, 2)) == part.max(axis=(1, 2)))
    return np.frombuffer(b"".join(hashes), dtype=np.uint64), np.concatenate(empty)


def _rows(
    named: NDArray[np.str_], file: str, indices: NDArray[np.int64], same_as: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    chosen = named != ""
    return {
        "finding": named[chosen],
        "file": np.full(chosen.sum(), file),
        "row": indices[chosen] + 1,
        "same_as": np.where(named[chosen] == "empty", 0, same_as[chosen] + 1),
    }
