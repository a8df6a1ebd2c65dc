"""Decide whether predictions are worth a submission, and send them."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from yaml import YAMLError

from src.core.errors import UserError
from src.core.outputs import replacing
from src.core.params import Section, validate
from src.core.yaml_1_2 import load_yaml
from src.sources.interface import Sent, Source

MESSAGE = re.compile(r"validation accuracy (?P<accuracy>\d\.\d{6}|unknown), sha256 (?P<sha256>[0-9a-f]{64})")


@dataclass(frozen=True)
class Outcome:
    """What became of predictions.

    Attributes:
        sha256: the hash of their file; empty if they were not given to the source.
        score: their public score; None if they were not given to the source, or it cannot score.
        earlier: the earlier submissions that the source lists, the latest first.
    """

    sha256: str = ""
    score: float | None = None
    earlier: Sequence[Sent] = ()


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
        except (YAMLError, ValueError, UserError):
            raise UserError(f"{path}: expected the keys refusals and reason; `git checkout {path}`") from None

    def write(self, path: Path) -> None:
        """Write them as YAML."""
        with replacing(path) as temporary:
            # a text in JSON is one in YAML
            content = f"refusals: {self.refusals}\nreason: {json.dumps(self.reason, ensure_ascii=False)}\n"
            temporary.write_text(content, encoding="utf-8", newline="\n")


def submit(source: Source, csv: Path, accuracy: float, params: SubmitParams) -> Outcome:
    """Submit the predictions in `csv` if `params.when` says so.

    A file that was submitted before, byte for byte, is passed on with its earlier message, by which the source
    recognizes it: it is not sent again, and its score is returned.

    Args:
        source: where the predictions go.
        csv: the file to submit.
        accuracy: on the validation images, in [0, 1].
        params: when to submit.

    Raises:
        Refused: the source does not accept the predictions now, or has no score for them yet.
    """
    if params.when == "never":
        print("not submitted: submit.when is never")
        return Outcome()
    digest = hashlib.sha256(csv.read_bytes()).hexdigest()
    listed = source.earlier()
    sent = sorted(listed, key=lambda submission: submission.failed)
    earlier = [(found, submission.failed) for submission in sent if (found := MESSAGE.search(submission.message))]
    for found, _ in earlier:
        if found["sha256"] == digest:
            return Outcome(digest, source.submit(csv, found.string), listed)
    if params.when == "better":
        scored = [found["accuracy"] for found, failed in earlier if not failed and found["accuracy"] != "unknown"]
        best = max(map(float, scored), default=-1.0)
        if round(accuracy, 6) <= best:
            print(f"not submitted: validation accuracy {accuracy:.6f}, an earlier submission has {best:.6f}")
            return Outcome(earlier=listed)
    score = source.submit(csv, f"validation accuracy {accuracy:.6f}, sha256 {digest}")
    return Outcome(digest, score, listed)
