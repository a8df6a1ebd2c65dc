"""The source `kaggle`: the official client. Credentials come from Kaggle's own places, never from params.yaml.

Each request runs in a child process (`src.sources.kaggle.client`) that ends at its deadline.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from src.core.errors import UserError
from src.core.params import Section
from src.core.progress import measured
from src.sources.interface import SCORE, Refused, Sent
from src.sources.kaggle import child, state, timing
from src.sources.kaggle.failures import KaggleError
from src.sources.kaggle.messages import explain, page
from src.sources.locking import of_child


@dataclass(frozen=True)
class Submission:
    """What Kaggle says about one submission.

    Attributes:
        ref: its number, from 1; 0 if it cannot be read.
        message: the text sent with it; where that is not known, the one that Kaggle shows.
        status: PENDING, COMPLETE or ERROR, or any other word of Kaggle's.
        score: the public score as Kaggle writes it; empty while there is none.
        error: Kaggle's reason for ERROR, or empty.
        date: when Kaggle took it, in ISO format, or empty.
    """

    ref: int
    message: str
    status: str
    score: str
    error: str
    date: str

    def age(self) -> str:
        """Return in words for how long Kaggle has had it; empty if that is unknown."""
        try:
            taken = datetime.fromisoformat(self.date.replace("Z", "+00:00"))
        except ValueError:
            return ""
        minutes = (datetime.now(UTC) - taken.replace(tzinfo=taken.tzinfo or UTC)) // timedelta(minutes=1)
        hours, rest = divmod(max(minutes, 0), 60)
        return f" for {hours} h {rest} min" if hours else f" for {rest} min"


class Source(Section):
    """A competition on kaggle.com.

    The variable `KAGGLE_DEADLINE_MINUTES` sets the most that one step may take, with all its repetitions: the download,
    looking through the earlier submissions, sending one, waiting for its score. `KAGGLE_LISTING_MINUTES` sets how long
    to look for a submission in Kaggle's list.

    Attributes:
        competition: the name in its URL.
        label: the column of `train.csv` to learn; empty where it can be found in the files.
    """

    competition: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")]
    label: str = ""

    @property
    def lock(self) -> Path:
        """The lock of this user and competition, whatever the folder: experiments run in folders of their own.

        Two Kaggle accounts of one user share it, which costs a wait and sends nothing twice.
        """
        with _refusing():
            return state.path(f"{self.competition.lower()}.lock")

    def download(self, into: Path, names: Sequence[str]) -> None:
        """Put the files `names` of the competition into the empty folder `into`.

        Raises:
            UserError: they cannot be fetched; the text says why and what to do.
        """
        # a submission needs no archive, and the stage that makes one does not depend on it
        from src.sources.archive import DamagedZipError, unpack

        end, pauses = timing.end(), timing.pauses()
        while True:
            self._ask("download", end, into=str(into))
            try:
                return unpack(into, into, names)
            except DamagedZipError as error:
                pause = next(pauses)
                if time.monotonic() + pause > end:
                    raise
                print(f"{error}; trying again in {pause:.0f} s", flush=True)
                time.sleep(pause)

    def earlier(self) -> list[Sent]:
        """Return all earlier submissions, the latest first, with the messages that were sent where they are known.

        Raises:
            Refused: Kaggle does not list them.
        """
        with _refusing():
            return [
                Sent(found.message, found.status == "ERROR", found.date, found.score) for found in self._submissions()
            ]

    def submit(self, csv: Path, message: str) -> float:
        """Return the public score of the predictions in `csv`, sending them unless Kaggle has them.

        Kaggle has them if its list shows the message, which can be edited there, or the number of a submission that
        was sent from here with it, which the state folder keeps.

        Nothing is sent again in doubt: Kaggle may have accepted a submission although the connection failed. So this
        run, or the next, first looks for the message in Kaggle's list.

        Raises:
            Refused: the submission failed; the text says why and what to do.
        """
        with _refusing():
            end = timing.end()
            if any(found.message == message for found in self._submissions(message)):
                print("these predictions were sent before: their score is looked up", flush=True)
                return self._score(csv, message)
            begun = self._intents.age(message)
            if begun is not None and begun < timing.deadline() + timing.listing():
                print(
                    "an earlier run ended while it sent these predictions; looking for "
                    f"{timing.listing():.0f} s whether Kaggle has them",
                    flush=True,
                )
                if self._listed(message, end):
                    return self._score(csv, message)
            return self._send(csv, message)

    def _send(self, csv: Path, message: str) -> float:
        end, pauses = timing.end(), timing.pauses()
        while True:
            self._intents.record(message)
            try:
                self._call("send", end, csv=str(csv), message=message)
            except KaggleError as failure:
                if failure.in_doubt:
                    return self._look_for(csv, message, failure)
                self._intents.forget(message)
                self._wait_or_give_up(failure, next(pauses), end)
            else:
                return self._score(csv, message, lost="Kaggle took the predictions")

    def _look_for(self, csv: Path, message: str, failure: KaggleError) -> float:
        """Return the score of a submission that Kaggle may have taken although it answered with a failure."""
        self._intents.record(message)
        reason = explain(failure, self.competition)
        print(f"{reason}; looking whether Kaggle has the submission", flush=True)
        end = timing.end()
        if failure.retry_after and time.monotonic() + failure.retry_after < end:
            time.sleep(failure.retry_after)
        if not self._listed(message, end):
            if failure.kind == "limit":
                raise UserError(reason)
            raise UserError(self._missing(reason))
        return self._score(csv, message)

    def _listed(self, message: str, end: float) -> "Submission | None":
        """Return the submission as soon as Kaggle lists it; None if it does not for the time that this may take."""
        end = min(end, time.monotonic() + timing.listing())
        with measured("Kaggle does not list the submission yet") as tell:
            for pause in timing.pauses(5.0):
                if found := _best(self._submissions(message), message):
                    if found.ref:  # from now on it is found whatever becomes of the message
                        self._taken.add(found.ref, message)
                    self._intents.forget(message)
                    return found
                if time.monotonic() >= end:
                    return None
                tell(0)
                time.sleep(min(pause, max(end - time.monotonic(), 0.05)))
        return None

    def _score(self, csv: Path, message: str, lost: str = "the submission is gone") -> float:
        """Return the public score of the submission with this message; `lost` is what to say if it is not listed."""
        end, pauses = timing.end(), timing.pauses()
        found = self._listed(message, end)
        with measured(f"submission {found.ref if found else 0} is pending") as tell:
            while found and found.status not in ("ERROR", "COMPLETE"):
                pause = next(pauses)
                if time.monotonic() + pause > end:
                    status = "" if found.status == "PENDING" else f" (status {found.status!r})"
                    raise UserError(
                        f"Kaggle has had submission {found.ref}{found.age()} and has no score for it{status}; look "
                        f"at {self._submissions_page}, or run again later: the score is picked up and nothing is sent "
                        "twice"
                    )
                tell(0)
                time.sleep(pause)
                found = self._listed(message, end)
        if found is None:
            raise UserError(self._missing(lost))
        if found.status == "COMPLETE":
            return self._number(found)
        raise UserError(
            f"Kaggle could not score submission {found.ref}: {found.error or 'it gives no reason'}; the same "
            f"predictions are not sent again automatically; see {self._submissions_page}; where the failure "
            f"was Kaggle's, send them by hand, and the next run takes the score: "
            f'kaggle competitions submit {self.competition} -f {csv} -m "{message}"'
        )

    def _number(self, found: Submission) -> float:
        if not SCORE.fullmatch(found.score):
            answer = repr(found.score) if found.score else "no score"
            raise UserError(
                f"Kaggle says that submission {found.ref} is complete, with {answer}, which is not a number; it "
                f"counts and is not sent again; see {self._submissions_page}"
            )
        return float(found.score)

    def _missing(self, reason: str) -> str:
        return (
            f"{reason}; Kaggle does not list the submission, so it is not known whether it counts; look at "
            f"{self._submissions_page}; the next run looks for it before it sends anything"
        )

    def _submissions(self, message: str | None = None) -> list[Submission]:
        """Return the submissions, the latest first; those down to the one with this message, if given."""
        listed = self._ask("submissions", timing.end(), message=message, taken=self._taken.messages())
        return [Submission(**found) for found in listed]

    @property
    def _submissions_page(self) -> str:
        return page(self.competition, "submissions")

    @property
    def _intents(self) -> state.Intents:
        return state.Intents(self.competition)

    @property
    def _taken(self) -> state.Taken:
        return state.Taken(self.competition)

    def _ask(self, request: str, end: float, **arguments: object) -> Any:
        """Return the answer to a request that does no harm when it is repeated, as it is after a transient failure."""
        pauses, earlier = timing.pauses(), None
        while True:
            try:
                return self._call(request, end, **arguments)
            except KaggleError as failure:
                if failure.kind == "deadline" and earlier:
                    raise UserError(explain(earlier, self.competition)) from None
                self._wait_or_give_up(failure, next(pauses), end)
                earlier = failure

    def _call(self, request: str, end: float, **arguments: object) -> Any:
        """Return the answer of one child process that runs until the moment `end` at most.

        Raises:
            KaggleError: what went wrong.
        """
        sending, seconds = request == "send", max(end - time.monotonic(), 0.01)
        arguments |= {"competition": self.competition}
        answer, status = child.ask(request, arguments, seconds, of_child(self.lock) if sending else None)
        try:
            reply = json.loads(answer)
        except ValueError:  # the child ended before it had written all of it
            kind = "deadline" if time.monotonic() >= end else "unknown"
            raise KaggleError(kind, text=f"exit status {status}", in_doubt=sending, request=request) from None
        if "failure" in reply:
            raise KaggleError(**reply["failure"] | {"request": request})
        return reply["value"]

    def _wait_or_give_up(self, failure: KaggleError, pause: float, end: float) -> None:
        """Wait before the next attempt, if one can help and there is time for it.

        Raises:
            UserError: there will be no other attempt.
        """
        pause = max(pause, failure.retry_after)
        if not failure.transient or time.monotonic() + pause > end:
            raise UserError(explain(failure, self.competition))
        print(f"{explain(failure, self.competition)}; trying again in {pause:.0f} s", flush=True)
        time.sleep(pause)


def _best(found: list[Submission], message: str) -> Submission | None:
    """Return the submission with this message; of several a complete one, then one that may become so."""
    matches = [submission for submission in found if submission.message == message]
    return min(matches, key=lambda found: (found.status != "COMPLETE", found.status == "ERROR"), default=None)


@contextmanager
def _refusing() -> Iterator[None]:
    """Mark every error as one after which a later run may succeed."""
    try:
        yield
    except UserError as error:
        raise Refused(str(error)) from None
