"""Find duplicate and empty images, and test whether a model distinguishes test images from labelled images."""

from pathlib import Path

import numpy as np

from src.audit import adversarial, duplicates
from src.core import cli, tables
from src.data import images


def main(split_dir: Path, findings_csv: Path, adversarial_csv: Path) -> None:
    labelled, test = (images.open_set(split_dir / name) for name in ("labelled", "test"))
    findings = duplicates.find(labelled, test)
    for finding in np.unique(findings["finding"]):
        rows = np.flatnonzero(findings["finding"] == finding)
        row, file = findings["row"][rows[0]], findings["file"][rows[0]]
        print(f"{len(rows)} images: {finding}; the first is row {row} of {file}")
    auc = adversarial.distinguish(labelled, test)
    print(f"test images against labelled images: AUC {auc.auc:.3f} ({auc.ci_low:.3f} to {auc.ci_high:.3f})")
    tables.write(findings_csv, findings)
    tables.write(adversarial_csv, {name: [value] for name, value in vars(auc).items()})


if __name__ == "__main__":
    cli.run(main)
