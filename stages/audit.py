"""Find duplicate and empty images, and test whether a model distinguishes test images from labelled images."""

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
    auc = adversarial.distinguish(labelled, test)
    print(f"test images against labelled images: AUC {auc.auc:.3f} ({auc.ci_low:.3f} to {auc.ci_high:.3f})")
    tables.write(findings_csv, findings)
    tables.write(adversarial_csv, pd.DataFrame([asdict(auc)]))


if __name__ == "__main__":
    cli.run(main)
