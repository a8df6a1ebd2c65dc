"""Look for duplicate and empty images, and whether the test images can be told from the labelled ones."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from src.audit import adversarial, duplicates
from src.core import cli, tables
from src.data import images


def main(split_dir: Path, findings_csv: Path, adversarial_csv: Path) -> None:
    labelled, test = (images.open_set(split_dir / name) for name in ("labelled", "test"))
    findings = duplicates.find(labelled, test)
    for finding, of_kind in findings.groupby("finding"):
        print(
            f"{len(of_kind)} images: {finding}; the first is row {of_kind['row'].iloc[0]} of {of_kind['file'].iloc[0]}"
        )
    told = adversarial.distinguish(labelled, test)
    print(f"test images told from labelled ones: AUC {told.auc:.3f} ({told.ci_low:.3f} to {told.ci_high:.3f})")
    tables.write(findings_csv, findings)
    tables.write(adversarial_csv, pd.DataFrame([asdict(told)]))


if __name__ == "__main__":
    cli.run(main)
