"""Decide whether predictions are worth a submission, and send them."""

import hashlib
import re
from pathlib import Path
from typing import Literal

from src.core.errors import UserError
from src.core.params import Section
from src.sources.interface import Source

MESSAGE = re.compile(r"validation accuracy (?P<accuracy>\d\.\d{6}|unknown), sha256 (?P<sha256>[0-9a-f]{64})")


class SubmitParams(Section):
    """Section `submit` of params.yaml.

    Attributes:
        when: `better` submits what beats the validation accuracy of every earlier submission of this pipeline;
            `always` and `never` do as they say.
    """

    when: Literal["better", "always", "never"]


def submit(source: Source, csv: Path, accuracy: float | None, params: SubmitParams) -> float | None:
    """Submit the predictions in `csv` if `params.when` says so; return their public score.

    What was submitted before, byte for byte, goes with its earlier message, by which the source knows that it has it:
    it is not sent again, and its score is returned.

    Args:
        source: where the predictions go.
        csv: the file to submit.
        accuracy: on the validation set, in [0, 1]; None where there is no validation set.
        params: when to submit.

    Returns:
        The score, or None if nothing was sent or the source cannot score.

    Raises:
        UserError: the submission failed, or `better` cannot be decided without a validation set.
    """
    if params.when == "never":
        print("not submitted: submit.when is never")
        return None
    digest = hashlib.sha256(csv.read_bytes()).hexdigest()
    earlier = [found for text in source.messages() if (found := MESSAGE.search(text))]
    for found in earlier:
        if found["sha256"] == digest:
            return source.submit(csv, found.string)
    if params.when == "better":
        if accuracy is None:
            raise UserError(
                "params.yaml: submit.when: better needs a validation accuracy, which split.train_fraction 1.0 leaves "
                "none of; set it to always or never"
            )
        best = max((float(found["accuracy"]) for found in earlier if found["accuracy"] != "unknown"), default=-1.0)
        if round(accuracy, 6) <= best:
            print(f"not submitted: validation accuracy {accuracy:.6f}, an earlier submission has {best:.6f}")
            return None
    stated = "unknown" if accuracy is None else f"{accuracy:.6f}"
    return source.submit(csv, f"validation accuracy {stated}, sha256 {digest}")
