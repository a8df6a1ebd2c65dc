"""Tables as CSV files that are equal, byte for byte, for equal runs."""

from pathlib import Path

import pandas as pd

from src.core.outputs import replacing


def write(path: Path, table: pd.DataFrame) -> None:
    """Write `table` with a header and without its index; floats have six decimals, and None or NaN stays empty."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6f", lineterminator="\n")
