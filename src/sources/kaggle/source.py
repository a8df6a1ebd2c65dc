"""The source `kaggle`: the official client. Credentials come from Kaggle's own places, never from params.yaml.

Each request runs in a child process (`src.sources.kaggle.client`) that ends at its deadline.
"""

import json
import os
import re
import signal
import subprocess
import sys
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
from src.sources.interface import Refused, Sent
from src.sources.kaggle import state
from src.sources.kaggle.failures import KaggleError

CLIENT = "src.sources.kaggle.client"
SITE = "https://www.kaggle.com"
DEADLINE = "KAGGLE_DEADLINE_MINUTES"
"""The variable for the most that one step may take, in minutes: it changes no data, so it is no parameter."""
DEADLINE_MINUTES = 15.0
LISTED_WITHIN = 60.0
"""Seconds to look for a submission in Kaggle's list before it is in doubt whether it was taken."""
SCORE = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?", re.ASCII)


@dataclass(frozen=True)
class Submission:
    """What Kaggle says about one submission.

    Attributes:
        ref: its number, from 1; 0 if it cannot be read.
        message: the text sent with it.
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
    looking through the earlier submissions, sending one, waiting for its score.

    Attributes:
        competition: the name in its URL.
    """

    competition: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")]

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

        end, pauses, fresh = self._end(), _pauses(), into / "incoming"
        while True:
            self._ask("download", end, into=str(fresh))
            for file in fresh.iterdir():
                file.replace(into / file.name)
            fresh.rmdir()
            try:
                return unpack(into, names)
            except DamagedZipError as error:
                pause = next(pauses)
                if time.monotonic() + pause > end:
                    raise
                print(f"{error}; trying again in {pause:.0f} s", flush=True)
                for file in into.iterdir():
                    file.unlink()
                time.sleep(pause)

    def earlier(self) -> list[Sent]:
        """Return all earlier submissions, the latest first.

        Raises:
            Refused: Kaggle does not list them.
        """
        with _refusing():
            return [Sent(found.message, found.status == "ERROR") for found in self._submissions()]

    def submit(self, csv: Path, message: str) -> float:
        """Return the public score of the predictions in `csv`, sending them unless Kaggle knows the message.

        What was sent is never sent again in doubt: a connection that breaks while Kaggle takes a submission may leave
        one behind, so after it, also in the next run, Kaggle is asked whether it has the message.

        Raises:
            Refused: the submission failed; the text says why and what to do.
        """
        with _refusing():
            end = self._end()
            if any(found.message == message for found in self._submissions(message)):
                print("these predictions were sent before: their score is looked up", flush=True)
                return self._score(csv, message)
            begun = self._intents.age(message)
            if begun is not None and begun < _deadline() + self._settling:
                print(
                    f"an earlier run ended while it sent these predictions; looking for {self._settling:.0f} s whether "
                    "Kaggle has them",
                    flush=True,
                )
                if self._listed(message, None, end):
                    return self._score(csv, message)
            return self._send(csv, message)

    def _send(self, csv: Path, message: str) -> float:
        end, pauses = self._end(), _pauses()
        while True:
            self._intents.record(message)
            try:
                ref = self._call("send", end, csv=str(csv), message=message)
            except KaggleError as failure:
                if failure.in_doubt:
                    return self._look_for(csv, message, failure)
                self._intents.forget(message)
                self._wait_or_give_up(failure, next(pauses), end)
            else:
                return self._score(csv, message, ref)

    def _look_for(self, csv: Path, message: str, failure: KaggleError) -> float:
        """Return the score of a submission that Kaggle may have taken although it answered with a failure."""
        self._intents.record(message)
        reason = self._explained(failure)
        print(f"{reason}; looking whether Kaggle has the submission", flush=True)
        end = self._end()
        if failure.retry_after and time.monotonic() + failure.retry_after < end:
            time.sleep(failure.retry_after)
        if not self._listed(message, None, end):
            if failure.kind == "limit":
                raise UserError(reason)
            raise UserError(self._missing(reason))
        return self._score(csv, message)

    def _listed(self, message: str, ref: int | None, end: float) -> "Submission | None":
        """Return the submission as soon as Kaggle lists it; None if it does not for the time that this may take."""
        end = min(end, time.monotonic() + self._settling)
        for pause in _pauses(5.0):
            if found := _best(self._submissions(message, ref), message, ref):
                self._intents.forget(message)
                return found
            if time.monotonic() >= end:
                return None
            time.sleep(min(pause, max(end - time.monotonic(), 0.05)))
        return None

    def _score(self, csv: Path, message: str, ref: int | None = None) -> float:
        """Return the public score of the submission with this number or message, once Kaggle has it."""
        end, pauses = self._end(), _pauses()
        while True:
            found = self._listed(message, ref, end)
            if found is None:
                raise UserError(self._missing("Kaggle took the predictions" if ref else "the submission is gone"))
            if found.status == "ERROR":
                raise UserError(
                    f"Kaggle could not score submission {found.ref}: {found.error or 'it gives no reason'}; the same "
                    f"predictions are not sent again by themselves; see {self._page('submissions')}; where the failure "
                    f"was Kaggle's, send them by hand, and the next run takes the score: "
                    f'kaggle competitions submit {self.competition} -f {csv} -m "{message}"'
                )
            if found.status == "COMPLETE":
                return self._number(found)
            pause = next(pauses)
            if time.monotonic() + pause > end:
                break
            time.sleep(pause)
        status = "" if found.status == "PENDING" else f" (status {found.status!r})"
        raise UserError(
            f"Kaggle has had submission {found.ref}{found.age()} and has no score for it{status}; look at "
            f"{self._page('submissions')}, or run again later: the score is picked up and nothing is sent twice"
        )

    def _number(self, found: Submission) -> float:
        if not SCORE.fullmatch(found.score):
            answer = repr(found.score) if found.score else "no score"
            raise UserError(
                f"Kaggle says that submission {found.ref} is complete, with {answer}, which is not a number; it "
                f"counts and is not sent again; see {self._page('submissions')}"
            )
        return float(found.score)

    def _missing(self, reason: str) -> str:
        return (
            f"{reason}; Kaggle does not list the submission, so it is not known whether it counts; look at "
            f"{self._page('submissions')}; the next run looks for it before it sends anything"
        )

    def _submissions(self, message: str | None = None, ref: int | None = None) -> list[Submission]:
        """Return the submissions, the latest first; those down to the one with this message or number, if given."""
        return [Submission(**found) for found in self._ask("submissions", self._end(), message=message, ref=ref)]

    @property
    def _intents(self) -> state.Intents:
        return state.Intents(state.path(f"{self.competition.lower()}.json"))

    @property
    def _settling(self) -> float:
        """Seconds in which Kaggle's list shows a submission, if it was taken."""
        return min(LISTED_WITHIN, _deadline())

    def _ask(self, request: str, end: float, **arguments: object) -> Any:
        """Return the answer to a request that does no harm when it is repeated, as it is after a transient failure."""
        pauses, earlier = _pauses(), None
        while True:
            try:
                return self._call(request, end, **arguments)
            except KaggleError as failure:
                if failure.kind == "deadline" and earlier:
                    raise UserError(self._explained(earlier)) from None
                self._wait_or_give_up(failure, next(pauses), end)
                earlier = failure

    def _call(self, request: str, end: float, **arguments: object) -> Any:
        """Return the answer of one child process that runs until the moment `end` at most.

        Raises:
            KaggleError: what went wrong.
        """
        seconds = max(end - time.monotonic(), 0.01)
        content = {"request": request, "seconds": seconds, "arguments": {"competition": self.competition} | arguments}
        # The child keeps the open lock, so that no other run starts while it still sends. In a session of its own it is
        # out of reach of a terminal's Ctrl-C.
        with subprocess.Popen(
            [sys.executable, "-m", CLIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, close_fds=False,
            start_new_session=request == "send",
        ) as child:  # fmt: skip
            assert child.stdin and child.stdout
            print(json.dumps(content), file=child.stdin, flush=True)
            answer = child.stdout.read()
        if child.returncode == -signal.SIGALRM:
            raise KaggleError("deadline", in_doubt=request == "send", request=request)
        if not answer:
            raise KaggleError(
                "unknown", text=f"exit status {child.returncode}", in_doubt=request == "send", request=request
            )
        reply = json.loads(answer)
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
            raise UserError(self._explained(failure))
        print(f"{self._explained(failure)}; trying again in {pause:.0f} s", flush=True)
        time.sleep(pause)

    def _explained(self, failure: KaggleError) -> str:
        text = f": {failure.text}" if failure.text else ""
        match failure.kind:
            case "credentials":
                return (
                    f"no valid Kaggle credentials{text}; make a token at {SITE}/settings/api and give it in the "
                    "variable KAGGLE_API_TOKEN or the file ~/.kaggle/access_token"
                )
            case "limit" if failure.text == "total":
                return (
                    "the submissions to this competition are used up for good: it limits their total, not only a "
                    f"day's; see {self._page('submissions')}"
                )
            case "limit":
                now = datetime.now(UTC)
                midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0)
                hours, minutes = divmod((midnight - now).seconds // 60, 60)
                return f"the day's submissions are used up; try again after midnight UTC, in {hours} h {minutes} min"
            case "upload":
                return f"Kaggle refused the upload; nothing was submitted; try again later (see {self._page()})"
            case "deadline":
                return (
                    f"Kaggle was not done in time; try again later, or give it more than {_deadline() / 60:g} minutes "
                    f"(variable {DEADLINE})"
                )
            case "connection":
                return f"the connection to Kaggle failed{text}; check the network"
            case "storage":
                return (
                    f"the storage with Kaggle's files refused the request (HTTP {failure.status}), as it does when a "
                    "link has expired; try again later"
                )
            case "answer":
                return f"Kaggle's answer cannot be read{text}; try again later"
            case "paging":
                return (
                    "Kaggle repeats a page of its list of submissions and says that there are more, so it is not known "
                    f"what was sent before, and nothing is sent; look at {self._page('submissions')}"
                )
            case "disk":
                return f"the disk cannot be written{text}; make room and run again"
            case "unknown":
                return f"the Kaggle client failed{text}"
        named = f"{self.competition!r} (params.yaml: sources.kaggle.competition)"
        match failure.status:
            case 401:
                return f"Kaggle rejected the credentials{text}; make a new token at {SITE}/settings/api"
            case 403 | 404 if failure.request != "download":
                return (
                    f"Kaggle refuses the submission (HTTP {failure.status}){text}; likely causes: the competition is "
                    f"closed or takes notebooks only, its rules are not accepted ({self._page('rules')}), the "
                    f"account's phone number is not verified ({SITE}/settings), or it is not called {named}"
                )
            case 403:
                return (
                    f"Kaggle refuses access{text}; accept the rules of the competition at {self._page('rules')}, and "
                    f"check that it is called {named}"
                )
            case 404:
                return f"Kaggle has no competition {named}{text}; its name is the last part of its URL"
            case 429:
                until = datetime.now(UTC) + timedelta(seconds=failure.retry_after)
                when = f"after {until:%H:%M:%S} UTC on {until:%Y-%m-%d}" if failure.retry_after else "later"
                return f"Kaggle takes no more requests for now (HTTP 429){text}; try again {when}"
            case status if status >= 500:
                return f"Kaggle fails (HTTP {status}){text}; try again later"
            case status:
                return f"Kaggle refused the request (HTTP {status}){text}; see {self._page()}"

    def _page(self, name: str = "") -> str:
        return f"{SITE}/competitions/{self.competition}/{name}"

    def _end(self) -> float:
        return time.monotonic() + _deadline()


def _best(found: list[Submission], message: str, ref: int | None) -> Submission | None:
    """Return the submission with this message or number; of several a complete one, then one that may become so."""
    matches = [submission for submission in found if submission.message == message or (ref and submission.ref == ref)]
    return min(matches, key=lambda found: (found.status != "COMPLETE", found.status == "ERROR"), default=None)


def _deadline() -> float:
    """Return the most that one step may take, in seconds.

    Raises:
        UserError: the variable does not hold minutes.
    """
    text = os.environ.get(DEADLINE) or str(DEADLINE_MINUTES)
    if SCORE.fullmatch(text) and 0 < float(text) <= 1440:
        return 60 * float(text)
    raise UserError(f"variable {DEADLINE}: expected minutes, more than 0 and at most 1440 (found: {text!r})")


@contextmanager
def _refusing() -> Iterator[None]:
    """Mark every error as one after which a later run may succeed."""
    try:
        yield
    except UserError as error:
        raise Refused(str(error)) from None


def _pauses(longest: float = 60.0) -> Iterator[float]:
    """Yield the seconds to wait after each attempt: they double from 1 to `longest`."""
    pause = 1.0
    while True:
        yield pause
        pause = min(2 * pause, longest)
