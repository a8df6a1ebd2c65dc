"""The submission: predicted labels with the header and the ids of `sample_submission.csv`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from src.core import tables
from src.data.competition import csv_files, ids


@contextmanager
def writing_submission(path: Path, sample_submission_csv: Path) -> Iterator[Callable[[NDArray[Any]], None]]:
    """Yield a function that takes the predicted labels, shape (n,), of the next n rows of `sample_submission.csv`.

    They are written with its header and its ids.

    Raises:
        UserError: an id is missing, or there is a duplicate id.
        ValueError: there are fewer or more labels than ids.
    """
    id_, prediction = csv_files.header(sample_submission_csv)
    count, done = len(ids.of_submission(sample_submission_csv)), 0
    rows = csv_files.texts(sample_submission_csv, shown=False)  # the predictions show how far they are
    with tables.writing(path) as append:

        def take(labels: NDArray[Any]) -> None:
            nonlocal done
            done += len(labels)
            if labels.ndim != 1 or done > count:
                raise ValueError(
                    f"predicted labels have shape {labels.shape}, and {count} ids come to {done} with them"
                )
            append({id_: [cells[0] for cells in islice(rows, len(labels))], prediction: labels})

        yield take
        if done < count:
            raise ValueError(f"there are {done} predicted labels and {count} ids")
