"""The scale of the pixels: which value is white."""

from src.core.errors import UserError

WHITE = 255


def find(labelled: float, test: float) -> float:
    """Return the pixel that becomes 1 when images are normalized, from the largest of `train.csv` and of `test.csv`.

    It is the larger of them, such as 16: a few images may lack the brightest value. From 200 on it is 255, so that one
    bright pixel decides nothing; and it is 1 at least, for fractions and for images of 0 and 1.

    Raises:
        UserError: one file's scale is more than four times the other's, or only one of them ends at 1.
    """
    lower, higher = sorted(WHITE if maximum >= 200 else max(maximum, 1.0) for maximum in (labelled, test))
    if lower < higher and (lower == 1 or 4 * lower < higher):
        raise UserError(
            f"the pixels of train.csv run from 0 to {labelled:g} and those of test.csv from 0 to {test:g}; bring both "
            "files to one scale"
        )
    return higher
