"""Train the networks that are not up to date several at a time: `python -m src.jobs 4`.

DVC runs the stages of one pipeline one after the other (treeverse/dvc#755). Each network is a stage of its own here, so
several `dvc repro --single-item`, each in a process of its own, train them side by side.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from src.core import cli
from src.core.errors import UserError
from src.reporting import status

DVC = (sys.executable, "-m", "dvc")


def main(jobs: int) -> None:
    """Bring the inputs of training up to date, and then the networks, `jobs` at a time.

    They share the processor cores equally, unless `OMP_NUM_THREADS` gives the threads of each. If one fails, the others
    continue, and the next `dvc repro` trains it again and shows its error.

    Raises:
        UserError: the inputs or a network could not be made.
    """
    if jobs < 1:
        raise UserError(f"JOBS: {jobs} networks cannot be trained at a time; give 1 or more")
    if subprocess.run([*DVC, "repro", "--quiet", "normalize"]).returncode != 0:
        raise UserError("the inputs of training could not be made; DVC says why above")
    found = status.ask()
    if found.failure:
        raise UserError(f"it is not known which networks are up to date; {found.failure}")
    stages = [stage for stage in found.outdated if stage.startswith("train@")]
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    if stages:
        print(f"training {len(stages)} networks, {jobs} at a time", flush=True)
    with ThreadPoolExecutor(jobs) as pool:
        try:
            finished = [*pool.map(_train, stages)]
        except KeyboardInterrupt:  # a terminal's Ctrl-C reaches those that train as well, and ends them
            pool.shutdown(cancel_futures=True)
            raise UserError("interrupted; the networks that had finished are kept") from None
    if failed := [stage for stage, succeeded in zip(stages, finished, strict=True) if not succeeded]:
        raise UserError(f"not trained: {', '.join(failed)}; the others are kept, and the next run trains these alone")


def _train(stage: str) -> bool:
    """Train one network and print its last line, and its errors; return whether it succeeded."""
    last = ""
    with subprocess.Popen(
        [*DVC, "repro", "--single-item", stage], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if ": epoch " in line:
                last = line
            elif line.lower().startswith("error"):
                print(f"{stage}  {line.strip()}", flush=True)
    if process.returncode == 0:
        print(f"{stage}  {last.strip() or 'restored from the cache'}", flush=True)
    return process.returncode == 0


if __name__ == "__main__":
    cli.run(main)
