"""The source `kaggle`: the official client. Credentials come from Kaggle's own places, never from params.yaml.

Each request runs in a child process (`src.sources.kaggle.client`) that ends at its deadline.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from src.core.errors import UserError
from src.core.params import Section
from src.sources.kaggle.failures import KaggleError

CLIENT = "src.sources.kaggle.client"
SITE = "https://www.kaggle.com"
LISTED_WITHIN = 60.0
"""Seconds to look for a submission in Kaggle's list before it is in doubt whether it was taken."""


@dataclass(frozen=True)
class Submission:
    """What Kaggle says of one submission.

    Attributes:
        ref: its number, from 1.
        message: the text sent with it.
        status: PENDING, COMPLETE or ERROR.
        score: the public score; None while there is none.
        error: Kaggle's reason for ERROR, or empty.
    """

    ref: int
    message: str
    status: str
    score: float | None
    error: str


class Source(Section):
    """A competition on kaggle.com.

    Attributes:
        competition: the name in its URL.
        deadline_minutes: the most that one step may take, with all its repetitions: the download, looking through the
            earlier submissions, sending one, waiting for its score.
    """

    competition: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")]
    deadline_minutes: Annotated[float, Field(gt=0, le=1440)]

    def download(self, into: Path, names: Sequence[str]) -> None:
        """Put the competition's zip, which holds the files `names`, into the empty folder `into`.

        Raises:
            UserError: it is not to be had; the text says why and what to do.
        """
        fresh = into / "incoming"
        self._ask("download", into=str(fresh))
        for file in fresh.iterdir():
            file.rename(into / file.name)
        fresh.rmdir()

    def messages(self) -> list[str]:
        """Return the messages of all earlier submissions that did not end in error, the latest first."""
        return [found.message for found in self._submissions() if found.status != "ERROR"]

    def submit(self, csv: Path, message: str) -> float:
        """Return the public score of the predictions in `csv`, sending them unless Kaggle knows the message.

        What was sent is never sent again in doubt: a connection that breaks while Kaggle takes a submission may leave
        one behind, so after it Kaggle is asked whether it has the message.

        Raises:
            UserError: the submission failed; the text says why and what to do.
        """
        if any(found.message == message for found in self._submissions()):
            print("these predictions were sent before: their score is looked up", flush=True)
            return self._score(message)
        return self._score(message, self._send(csv, message))

    def _send(self, csv: Path, message: str) -> int | None:
        """Return the number that Kaggle gave to the submission; None if it is in doubt whether there is one."""
        end, pauses = self._end(), _pauses()
        while True:
            try:
                return self._call("send", end, csv=str(csv), message=message) or None
            except KaggleError as failure:
                if failure.in_doubt:
                    print(f"{self._explained(failure)}; looking whether Kaggle has the submission", flush=True)
                    return None
                self._wait_or_give_up(failure, next(pauses), end)

    def _score(self, message: str, ref: int | None = None) -> float:
        """Return the public score of the submission with this number or message, once Kaggle has it."""
        start, end = time.monotonic(), self._end()
        for pause in _pauses():
            found = next((sent for sent in self._submissions() if sent.message == message or sent.ref == ref), None)
            if found is None and time.monotonic() + pause > min(end, start + LISTED_WITHIN):
                raise UserError(
                    "Kaggle does not list the submission, so it is not known whether it counts; look at "
                    f"{self._page('submissions')}; the next run looks for it before it sends anything"
                )
            if found and found.status == "ERROR":
                raise UserError(
                    f"Kaggle could not score the submission: {found.error or 'it gives no reason'}; the same "
                    f"predictions are not sent again; see {self._page('submissions')}"
                )
            if found and found.status == "COMPLETE" and found.score is not None:
                return found.score
            if time.monotonic() + pause > end:
                break
            time.sleep(pause)
        raise UserError(
            f"Kaggle has the submission, but no score for it after {self.deadline_minutes:g} minutes; look at "
            f"{self._page('submissions')}, or run again later: the score is picked up and nothing is sent twice"
        )

    def _submissions(self) -> list["Submission"]:
        return [Submission(**found) for found in self._ask("submissions")]

    def _ask(self, request: str, **arguments: str) -> Any:
        """Return the answer to a request that does no harm when it is repeated, as it is after a transient failure."""
        end, pauses, earlier = self._end(), _pauses(), None
        while True:
            try:
                return self._call(request, end, **arguments)
            except KaggleError as failure:
                if failure.kind == "deadline" and earlier:
                    raise UserError(self._explained(earlier)) from None
                self._wait_or_give_up(failure, next(pauses), end)
                earlier = failure

    def _call(self, request: str, end: float, **arguments: str) -> Any:
        """Return the answer of one child process that runs until the moment `end` at most.

        Raises:
            KaggleError: what went wrong.
        """
        seconds = max(end - time.monotonic(), 0.01)
        content = {"request": request, "seconds": seconds, "arguments": {"competition": self.competition} | arguments}
        # the child keeps the open lock, so that no other run starts while it still sends
        with subprocess.Popen(
            [sys.executable, "-m", CLIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, close_fds=False
        ) as child:
            assert child.stdin and child.stdout
            print(json.dumps(content), file=child.stdin, flush=True)
            answer = child.stdout.read()
        if child.returncode == -signal.SIGALRM:
            raise KaggleError("deadline", in_doubt=request == "send")
        if not answer:
            raise KaggleError("unknown", text=f"exit status {child.returncode}", in_doubt=request == "send")
        reply = json.loads(answer)
        if "failure" in reply:
            raise KaggleError(**reply["failure"])
        return reply["value"]

    def _wait_or_give_up(self, failure: "KaggleError", pause: float, end: float) -> None:
        """Wait before the next attempt, if one can help and there is time for it.

        Raises:
            UserError: there will be no other attempt.
        """
        if not failure.transient or time.monotonic() + pause > end:
            raise UserError(self._explained(failure))
        print(f"{self._explained(failure)}; trying again in {pause:.0f} s", flush=True)
        time.sleep(pause)

    def _explained(self, failure: "KaggleError") -> str:
        text = f": {failure.text}" if failure.text else ""
        match failure.kind:
            case "credentials":
                return (
                    f"no valid Kaggle credentials{text}; make a token at {SITE}/settings/api and give it in the "
                    "variable KAGGLE_API_TOKEN or the file ~/.kaggle/access_token"
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
                    f"Kaggle was not done in time; try again later, or give it more than {self.deadline_minutes:g} "
                    "minutes (params.yaml: sources.kaggle.deadline_minutes)"
                )
            case "connection":
                return f"the connection to Kaggle failed{text}; check the network"
            case "unknown":
                return f"the Kaggle client failed{text}"
        match failure.status:
            case 401:
                return f"Kaggle rejected the credentials; make a new token at {SITE}/settings/api"
            case 403:
                return f"Kaggle refuses access; accept the rules of the competition at {self._page('rules')}"
            case 404:
                return (
                    f"Kaggle has no competition {self.competition!r} (params.yaml: sources.kaggle.competition); "
                    "its name is the last part of its URL"
                )
            case 429:
                return "Kaggle takes no more requests for now (HTTP 429); try again later"
            case status if status >= 500:
                return f"Kaggle fails (HTTP {status}); try again later"
            case status:
                return f"Kaggle refused the request (HTTP {status}){text}; see {self._page()}"

    def _page(self, name: str = "") -> str:
        return f"{SITE}/competitions/{self.competition}/{name}"

    def _end(self) -> float:
        return time.monotonic() + 60 * self.deadline_minutes


def _pauses() -> Iterator[float]:
    """Yield the seconds to wait after each attempt: they double from 1 to 60."""
    pause = 1.0
    while True:
        yield pause
        pause = min(2 * pause, 60.0)
