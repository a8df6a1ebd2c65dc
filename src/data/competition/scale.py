"""The scale of the pixels: which value is white."""

from src.core.errors import UserError

WHITE = 255


def find(labelled: float, test: float) -> float:
    """Return the pixel that becomes 1 when images are normalized, from the largest of `train.csv` and of `test.csv`.

    It is the larger of the two, such as 16, because one of the files may lack the brightest value. From 200 on it is
    255, so that a single bright pixel has no influence. It is at least 1, for fractions and for pixels of 0 and 1.

    Raises:
        UserError: one file's white is more than four times that of the other, or is 1 in only one of them.
    """
    lower, higher = sorted(WHITE if maximum >= 200 else max(maximum, 1.0) for maximum in (labelled, test))
    if lower < higher and (lower == 1 or 4 * lower < higher):
        raise UserError(
            f"the pixels of train.csv run from 0 to {labelled:g} and those of test.csv from 0 to {test:g}; use one "
            "scale in both files"
        )
    return higher
