"""The experiments since the last commit: an experiment of DVC's is a commit, whose outputs are in DVC's cache."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from src.core.errors import UserError
from src.core.yaml_1_2 import load_yaml
from src.inference import members
from src.reporting import comparison, git
from src.reporting.comparison import Change
from src.reporting.experiments import refs
from src.reporting.experiments.lock_file import Lock
from src.reporting.pictures import results

if TYPE_CHECKING:
    from dvc.repo import Repo

NONE = "There is no experiment since the last commit. Run one: dvc exp run -S recipe=mlp"

DRAWN = 30  # in a picture, the most accurate

QUEUED, RUNNING, FAILED, NOT_EVALUATED = UNFINISHED = ("Queued", "Running", "Failed", "Not evaluated")
"""The states of an experiment without scores of its own. What git has of it are the scores of the last commit."""

PARAMS, LOCK, SCORES, SUBMISSION = FILES = ("params.yaml", "dvc.lock", "metrics/evaluate.json", "metrics/submit.json")


@dataclass(frozen=True)
class Experiment:
    """An experiment, or the last commit.

    Attributes:
        name: its name; of a commit its branch, or its short hash.
        params: params.yaml.
        state: one of `UNFINISHED`; empty if it has finished.
        evaluation: metrics/evaluate.json; empty while there is none.
        public_score: None while there is none.
        files: the files of DVC's cache that hold its outputs, by path in the project; without those that DVC lacks.
    """

    name: str
    params: Mapping[str, Any]
    state: str = ""
    evaluation: Mapping[str, float] = field(default_factory=dict)
    public_score: float | None = None
    files: Mapping[str, Path] = field(default_factory=dict)

    def predicted(self) -> pd.DataFrame | None:
        """Return the out-of-fold predictions, as `read_predictions` does; None if DVC's cache lacks them."""
        file = self.files.get(comparison.PREDICTIONS.as_posix())
        return None if file is None else results.read_predictions(file)

    def curve(self) -> pd.Series | None:
        """Return the validation accuracy by epoch, the mean over the networks; None if DVC's cache lacks a file."""
        files = [
            f"plots/curves/accuracy/{network}.csv"
            for network in members.names(self.params["folds"], self.params["seeds"])
        ]
        if not all(name in self.files for name in files):
            return None
        curves = [pd.read_csv(self.files[name], index_col="epoch")["validation"] for name in files]
        return pd.concat(curves, axis=1).mean(axis=1)

    def changed(self, commit: "Experiment") -> list[Change]:
        """Return the parameters that differ from those of the commit."""
        return comparison.changes(commit.params, self.params)

    def label(self, commit: "Experiment") -> str:
        """Return the name with the changed parameters, those of its own recipe without their prefix."""
        own = f"recipes.{self.params['recipe']}."
        changed = ", ".join(written(change, own) for change in self.changed(commit))
        return f"{self.name}: {changed}" if changed else self.name


@dataclass(frozen=True)
class Experiments:
    """The last commit and the experiments that started from it.

    Attributes:
        commit: the commit.
        finished: the experiments with an accuracy, the most accurate first.
        unfinished: the others.
    """

    commit: Experiment
    finished: Sequence[Experiment]
    unfinished: Sequence[Experiment]


def collect() -> Experiments | None:
    """Return the experiments since the last commit; None if there is none.

    Raises:
        UserError: DVC cannot list them.
    """
    if not refs.traces():
        return None
    # not dvc.api.exp_show: it takes a third of a second for each experiment that it has not listed before
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    head, branch = git.ask("rev-parse", "HEAD"), git.ask("symbolic-ref", "--short", "HEAD")
    try:
        with Repo() as repo:
            listed = [*((*one, "") for one in refs.finished(head)), *_unfinished(repo, head)]
            contents = _contents([head, *(rev for rev, _, _ in listed)])
            commit = _read(repo, branch or head[:7], "", contents[head])
            found = [_read(repo, name, state, contents[rev]) for rev, name, state in listed]
            if running := repo.experiments.workspace_queue.get_running_exp():
                found.append(Experiment(running, load_yaml(Path(PARAMS).read_text(encoding="utf-8")), RUNNING))
    except DvcException as error:
        raise UserError(f"DVC cannot list the experiments: {error}") from None
    return arranged(commit, found) if found else None


def arranged(commit: Experiment, found: Sequence[Experiment]) -> Experiments:
    """Return the experiments in their order."""
    finished = [one for one in found if not one.state]
    finished.sort(key=lambda one: -one.evaluation["accuracy"])
    return Experiments(commit, finished, [one for one in found if one.state])


def written(change: Change, own: str = "") -> str:
    """Return a changed parameter as `dvc exp run -S` takes it; `own` is left out in front."""
    if change.new is None:
        return f"without {change.name.removeprefix(own)}"
    return f"{change.name.removeprefix(own)}={value_text(change.new)}"


def value_text(value: object) -> str:
    """Return a value as `dvc exp run -S` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return f"[{','.join(map(value_text, value))}]" if isinstance(value, list) else str(value)


def _unfinished(repo: "Repo", head: str) -> Iterator[tuple[str, str, str]]:
    """Yield the commit, the name and the state of each experiment in the queue or a folder of its own."""
    queue, folders = repo.experiments.celery_queue, repo.experiments.tempdir_queue
    entries = [(entry, RUNNING) for runs in (queue, folders) for entry in runs.iter_active()]
    entries += [(entry, QUEUED) for entry in queue.iter_queued()]
    entries += [(entry, FAILED) for entry, _ in queue.iter_failed()]
    for entry, state in entries:
        if entry.baseline_rev == head:
            yield entry.stash_rev, entry.name or entry.stash_rev[:7], state


def _contents(revs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the content of `FILES` in each commit; those that a commit lacks are empty."""
    prefix = git.prefix()
    texts = git.files([f"{rev}:{prefix}{file}" for rev in revs for file in FILES])
    return {
        rev: {
            file: (json.loads if file.endswith(".json") else load_yaml)(texts.get(f"{rev}:{prefix}{file}", "{}"))
            for file in FILES
        }
        for rev in revs
    }


def _read(repo: "Repo", name: str, state: str, content: Mapping[str, Any]) -> Experiment:
    params = content[PARAMS]
    lock = Lock(content[LOCK], params) if content[SCORES] else None
    if state or lock is None or not lock.evaluated():
        return Experiment(name, params, state or NOT_EVALUATED)
    stored = {path: Path(repo.cache.local.oid_to_path(md5)) for path, md5 in lock.written.items()}
    files = {path: file for path, file in stored.items() if file.is_file()}
    score = content[SUBMISSION].get("public_score") if lock.fresh("submit") else None
    return Experiment(name, params, "", content[SCORES], score, files)
