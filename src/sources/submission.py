"""Decide whether predictions are worth a submission, and send them."""

import hashlib
import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from src.core.errors import UserError
from src.core.outputs import replacing
from src.core.params import Section, load_yaml, validate
from src.sources.interface import Source

MESSAGE = re.compile(r"validation accuracy (?P<accuracy>\d\.\d{6}|unknown), sha256 (?P<sha256>[0-9a-f]{64})")


class SubmitParams(Section):
    """Section `submit` of params.yaml.

    Attributes:
        when: `better` submits what beats the validation accuracy of every earlier submission of this pipeline;
            `always` and `never` do as they say.
    """

    when: Literal["better", "always", "never"]


class Refusals(Section):
    """How often the source has refused predictions, and the last reason, which is empty after a success.

    The number is a part of the stage's command (dvc.yaml), so that DVC runs the stage again after a refusal, although
    nothing else has changed and the stage succeeded.
    """

    refusals: Annotated[int, Field(ge=0)]
    reason: str

    @classmethod
    def read(cls, path: Path) -> "Refusals":
        """Return what `write` wrote.

        Raises:
            UserError: the file does not hold it.
        """
        try:
            return validate(load_yaml(path.read_text(encoding="utf-8")), cls, [])
        except (yaml.YAMLError, ValueError, UserError):
            raise UserError(f"{path}: expected the keys refusals and reason; `git checkout {path}`") from None

    def write(self, path: Path) -> None:
        """Write them as YAML."""
        with replacing(path) as temporary:
            temporary.write_text(yaml.safe_dump(self.model_dump(), sort_keys=False, width=1000), encoding="utf-8")


def submit(source: Source, csv: Path, accuracy: float | None, params: SubmitParams) -> float | None:
    """Submit the predictions in `csv` if `params.when` says so; return their public score.

    A file that was submitted before, byte for byte, is passed on with its earlier message, by which the source
    recognizes it: it is not sent again, and its score is returned.

    Args:
        source: where the predictions go.
        csv: the file to submit.
        accuracy: on the validation set, in [0, 1]; None where there is no validation set.
        params: when to submit.

    Returns:
        The score, or None if nothing was sent or the source cannot score.

    Raises:
        Refused: the source does not accept the predictions now, or has no score for them yet.
        UserError: `better` cannot be decided without a validation set.
    """
    if params.when == "never":
        print("not submitted: submit.when is never")
        return None
    digest = hashlib.sha256(csv.read_bytes()).hexdigest()
    sent = sorted(source.earlier(), key=lambda submission: submission.failed)
    earlier = [(found, submission.failed) for submission in sent if (found := MESSAGE.search(submission.message))]
    for found, _ in earlier:
        if found["sha256"] == digest:
            return source.submit(csv, found.string)
    if params.when == "better":
        if accuracy is None:
            raise UserError(
                "params.yaml: submit.when: better needs a validation accuracy, which split.train_fraction 1.0 leaves "
                "none of; set it to always or never"
            )
        scored = [found["accuracy"] for found, failed in earlier if not failed and found["accuracy"] != "unknown"]
        best = max(map(float, scored), default=-1.0)
        if round(accuracy, 6) <= best:
            print(f"not submitted: validation accuracy {accuracy:.6f}, an earlier submission has {best:.6f}")
            return None
    stated = "unknown" if accuracy is None else f"{accuracy:.6f}"
    return source.submit(csv, f"validation accuracy {stated}, sha256 {digest}")
