"""A small Kaggle on 127.0.0.1, which the unmodified client talks to through its proxy variables.

It serves one competition, takes uploads, scores them against the answers that it holds, counts the submissions, and
fails in the ways that the real service does.
"""

import csv
import io
import json
import random
import secrets
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

SECRETS = KEY, SIGNATURE, TOKEN = [secrets.token_hex(16) for _ in range(3)]
"""What no output and no file may hold: a key, the signature of an address, and an access token."""
NONSENSE = (
    [],
    7,
    "text",
    None,
    {"submissions": 3},
    {"ref": "x"},
    {"code": 500},
    {"error": {}},
    {"token": [], "createUrl": 7},
)
"""JSON that answers no request."""
DOWNLOAD = ("python", "-m", "stages.download", "data/raw", "metrics/download.json")
SUBMIT = ("python", "-m", "stages.submit", "data/predictions/submission.csv", "metrics/evaluate.json",
          "metrics/submit.json", "metrics/refusals.yaml", "metrics/submissions.csv", "0")  # fmt: skip
"""The commands of the two stages, in a folder that `lay_out` wrote."""
PAGE = 2
"""Submissions on a page of the list, few, so that a handful of them fills several."""


@dataclass
class Competition:
    """A competition of the digits' shape.

    Attributes:
        name: as in the address of its page.
        files: the content of its zip, by name.
        answers: the right label of each id whose prediction is scored.
    """

    name: str
    files: Mapping[str, bytes]
    answers: Mapping[str, str]

    @property
    def zipped(self) -> bytes:
        """The zip as it is downloaded."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, content in self.files.items():
                archive.writestr(name, content)
        return packed.getvalue()

    def score(self, uploaded: bytes) -> float | None:
        """Return the share of right predictions; None if the file does not predict what it has to."""
        header, *rows = csv.reader(io.StringIO(uploaded.decode()))
        expected, *wanted = csv.reader(io.StringIO(self.files["sample_submission.csv"].decode()))
        if header != expected or sorted(id_ for id_, _ in rows) != sorted(id_ for id_, _ in wanted):
            return None
        return sum(self.answers.get(id_) == label for id_, label in rows) / len(self.answers)


@dataclass
class Submission:
    """One submission that counts.

    Attributes:
        ref: its number.
        message: what was sent with it.
        score: its public score; None if the file was malformed.
        pending: how many times it is still shown without a result.
    """

    ref: int
    message: str
    score: float | None
    pending: int = 0


@dataclass
class Kaggle:
    """The service, as a test sees it.

    A fault stands under the name of a request (`DownloadDataFiles`, `file`, `StartSubmissionUpload`, `upload`,
    `CreateSubmission`, `ListSubmissions`, `IntrospectToken`) and is a list, from which each such request takes the
    first; the last stays. None is no fault. A number is an HTTP status. `drop` ends the connection, of a file in its
    middle; `hang` waits for `released` before it goes on; `late 500`, `late drop` and `late hang` come after the
    request has had its effect; `garbage` answers random bytes, `broken` random bytes that are no HTTP, and `nonsense`
    JSON of another shape; `short` halves a file, `html` puts a page in its place.

    Attributes:
        competition: what it serves.
        faults: what goes wrong, by request.
        requests: the names of the requests so far.
        submissions: those that count, the earliest first.
        pending: how often a new submission is shown as pending.
        error: makes new submissions end in error, for this reason.
        daily: how many submissions it takes.
        total: whether that is the limit of all days together.
        pages: how to ask for the next page of the list: by its number, by the token in the last one, or by either;
            `cut` gives the first page whatever is asked for, without a token.
        page: the most submissions on a page; fewer where fewer are asked for.
        repeats: shows the first page of the list again and again, and says that there are more.
        describes: what the list shows in the place of a message; None leaves it out.
        numbers: whether the answer to a submission gives its number.
        sends: seconds in which a file is sent.
        takes: seconds between the arrival of a submission and its effect.
        odd: entries to show before the submissions, whatever they hold.
        score: what to show as the public score in the place of the real one.
        says: the text of every refusal.
        retry_after: the header of every refusal.
        released: ends every hanging.
        chance: draws the random answers.
    """

    competition: Competition
    faults: dict[str, list[int | str | None]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    pending: int = 0
    error: str = ""
    daily: int = 1000
    total: bool = False
    pages: Literal["number", "token", "either", "cut"] = "number"
    page: int = PAGE
    repeats: bool = False
    describes: Callable[[str], str | None] = str
    numbers: bool = True
    sends: float = 0.0
    takes: float = 0.0
    odd: list[object] = field(default_factory=list)
    score: object = None
    says: object = None
    retry_after: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    chance: random.Random = field(default_factory=random.Random)
    port: int = 0
    uploads: dict[str, bytes] = field(default_factory=dict)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that bring the client here, and nowhere else."""
        proxy = f"http://127.0.0.1:{self.port}"
        return {
            "KAGGLE_API_ENVIRONMENT": "LOCALHOST", "KAGGLE_USERNAME": "somebody", "KAGGLE_KEY": KEY,
            "http_proxy": proxy, "https_proxy": proxy, "no_proxy": "", "NO_PROXY": "",
        }  # fmt: skip

    def wait_for(self, request: str, count: int = 1) -> None:
        """Wait until so many of these requests have arrived."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: self.requests.count(request) >= count, 120), f"no {request} came"

    def fail(self, faults: Mapping[str, list[int | str | None]]) -> None:
        """Let requests fail; the lists are copied, since they are used up."""
        self.faults.update({request: list(ones) for request, ones in faults.items()})

    def reset(self) -> None:
        """Forget all faults and submissions; end every hanging."""
        self.released.set()
        self.released = threading.Event()
        self.pending, self.error, self.daily = 0, "", 1000
        self.total, self.repeats, self.sends, self.takes = False, False, 0.0, 0.0
        self.pages, self.page, self.describes, self.numbers = "number", PAGE, str, True
        self.score, self.says, self.retry_after = None, None, ""
        for kept in (self.faults, self.requests, self.submissions, self.odd):
            kept.clear()


def lay_out(root: Path, kaggle: Kaggle) -> None:
    """Write what `download` and `submit` read to the new folder `root`; the predictions are right for 0.12."""
    for folder in ("data/predictions", "metrics"):
        (root / folder).mkdir(parents=True)
    source = f"source: kaggle, sources: {{kaggle: {{competition: {kaggle.competition.name}}}}}"
    (root / "params.yaml").write_text(f"{{{source}, submit: {{when: always}}, recipe: linear, folds: [4], seeds: [0]}}")
    scores = {"accuracy": 0.5, "ci_low": 0.4, "ci_high": 0.6, "images": 100}
    (root / "metrics/evaluate.json").write_text(json.dumps(scores))
    (root / "metrics/refusals.yaml").write_text("refusals: 0\nreason: ''\n")
    (root / "data/predictions/submission.csv").write_bytes(kaggle.competition.files["sample_submission.csv"])


@contextmanager
def serve(competition: Competition) -> Iterator[Kaggle]:
    """Serve the competition on a free port for as long as the context lasts."""
    kaggle = Kaggle(competition)
    zipped = competition.zipped

    class Handler(_Handler):
        service = kaggle
        file = zipped

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        kaggle.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield kaggle
        kaggle.released.set()
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    service: Kaggle
    file: bytes
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # it would delay the body of each answer by 40 ms

    def do_POST(self) -> None:
        body = json.loads(self._body())
        name = urlsplit(self.path).path.rpartition("/")[2]
        fault = self._fault(name)
        if isinstance(fault, str) and fault.startswith("late "):
            getattr(self, name)(body, silent=True)
            self._failed(fault.removeprefix("late "))
            self.close_connection = True
        elif not self._failed(fault):
            if body.get("competitionName", self.service.competition.name) != self.service.competition.name:
                self._reply({"code": 404, "message": "Not found"}, 404)
            else:
                getattr(self, name)(body)

    def do_PUT(self) -> None:
        content = self._body()
        if not self._failed(self._fault("upload")):
            self.service.uploads[urlsplit(self.path).path] = content
            self._reply({})

    def do_GET(self) -> None:
        fault = self._fault("file")
        if fault == "html":
            self._send(b"<html>this link has expired</html>", 200)
        elif fault == "short":
            self._send(self.file[: len(self.file) // 2], 200)
        elif fault == "drop" or not self._failed(fault):
            range_ = self.headers.get("Range")
            start = int(range_.removeprefix("bytes=").rstrip("-")) if range_ else 0
            self._send(self.file[start:], 206 if range_ else 200, dropped=fault == "drop")

    def DownloadDataFiles(self, body: dict[str, object]) -> None:  # noqa: N802
        self.send_response(302)
        self.send_header("Location", f"http://localhost/files/archive.zip?signature={SIGNATURE}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def IntrospectToken(self, body: dict[str, object]) -> None:  # noqa: N802
        self._reply({"active": True, "username": "somebody"})

    def StartSubmissionUpload(self, body: dict[str, object]) -> None:  # noqa: N802
        number = len(self.service.requests)
        self._reply(
            {"token": f"/upload/{number}", "createUrl": f"http://localhost/upload/{number}?signature={SIGNATURE}"}
        )

    def CreateSubmission(self, body: dict[str, str], silent: bool = False) -> None:  # noqa: N802
        service = self.service
        service.released.wait(service.takes) if service.takes else None
        if len(service.submissions) >= service.daily:
            self._reply({"code": 400, "message": "Your team has used its daily Submission allowance"}, 400)
            return
        score = service.competition.score(service.uploads[body["blobFileTokens"]])
        ref = 1000 + len(service.requests)
        service.submissions.append(Submission(ref, body["submissionDescription"], score, service.pending))
        if not silent:
            self._reply({"message": "Successfully submitted"} | ({"ref": ref} if service.numbers else {}))

    def ListSubmissions(self, body: dict[str, object]) -> None:  # noqa: N802
        service = self.service
        size = min(service.page, int(str(body.get("pageSize") or 20)))
        first = size * (int(str(body.get("page") or 1)) - 1) if service.pages in ("number", "either") else 0
        if service.pages in ("token", "either") and body.get("pageToken"):
            first = int(str(body["pageToken"]))
        if service.repeats:
            first = 0
        listed = [*service.odd, *service.submissions[::-1]]
        entries = [self._shown(one) if isinstance(one, Submission) else one for one in listed[first : first + size]]
        more = service.pages in ("token", "either") and first + size < len(listed)
        token = "more" if service.repeats else str(first + size) if more else ""
        self._reply({"submissions": entries} | ({"nextPageToken": token} if token else {}))

    def GetSubmissionLimits(self, body: dict[str, object]) -> None:  # noqa: N802
        sent = len(self.service.submissions)
        self._reply(
            {
                "numToday": sent,
                "numTotal": sent,
                "numAllowedNow": self.service.daily - sent,
                "limitedByTotal": self.service.total,
            }
        )

    def _shown(self, one: Submission) -> dict[str, object]:
        date = (datetime(2026, 1, 1) + timedelta(minutes=one.ref)).isoformat()
        shown: dict[str, object] = {"ref": one.ref, "date": f"{date}Z", "status": "PENDING"}
        if (description := self.service.describes(one.message)) is not None:
            shown |= {"description": description}
        if one.pending:
            one.pending -= 1
        elif self.service.error or one.score is None:
            shown |= {"status": "ERROR", "errorDescription": self.service.error or "the file is malformed"}
        else:
            shown |= {"status": "COMPLETE", "publicScore": self.service.score or f"{one.score:.5f}"}
        return shown

    def _fault(self, name: str) -> int | str | None:
        with self.service.arrived:
            self.service.requests.append(name)
            self.service.arrived.notify_all()
            faults = self.service.faults.get(name) or [None]
            return faults.pop(0) if len(faults) > 1 else faults[0]

    def _failed(self, fault: int | str | None) -> bool:
        """Carry out the fault; return whether it was one that ends the request."""
        if fault == "drop":
            self.close_connection = True
        elif isinstance(fault, int):
            said = {"code": fault, "message": f"what the service says about {fault}"}
            self._reply(said if self.service.says is None else self.service.says, fault)
        elif fault is not None and fault.isdigit():
            self._reply({"code": int(fault), "message": "too late"}, int(fault))
        elif fault == "garbage":
            self._send(self.service.chance.randbytes(40), 200, kind="application/json")
        elif fault == "nonsense":
            self._reply(self.service.chance.choice(NONSENSE))
        elif fault == "broken":
            self.wfile.write(self.service.chance.randbytes(60))
            self.close_connection = True
        elif fault == "hang":
            self.service.released.wait()
            return False
        return fault is not None

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _reply(self, content: object, status: int = 200) -> None:
        self._send(json.dumps(content).encode(), status, kind="application/json")

    def _send(self, content: bytes, status: int, kind: str = "application/zip", dropped: bool = False) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(content)))):
            self.send_header(name, value)
        if status >= 400 and self.service.retry_after:
            self.send_header("Retry-After", self.service.retry_after)
        if kind == "application/zip":
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("ETag", '"a-version"')
        self.end_headers()
        with suppress(ConnectionError):  # the other end may have been killed
            for part in self._parts(content[: len(content) // 2] if dropped else content, kind):
                self.wfile.write(part)
        self.close_connection = self.close_connection or dropped

    def _parts(self, content: bytes, kind: str) -> Iterator[bytes]:
        """Yield what is sent at a time: all of it, or a file slowly."""
        count = 20 if self.service.sends and kind == "application/zip" else 1
        size = -(-len(content) // count)
        for number in range(count):
            if number:
                self.service.released.wait(self.service.sends / count)
            yield content[number * size : (number + 1) * size]

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests look at what was requested."""
