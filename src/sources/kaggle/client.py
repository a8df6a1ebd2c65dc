"""One request to Kaggle, by the official client, in a process of its own: `python -m src.sources.kaggle.client [LOCK]`.

The client's requests have no timeouts, and it prints, exits, and goes to the network when it is imported. So each
request runs in a child process. The child prints a line when it is ready, takes the request as JSON on stdin, discards
what the client prints, and answers with one line of JSON. Before that it prints a line a second with two numbers: the
bytes that have come, and those that are expected, 0 if that is unknown. It ends at its deadline, and when its parent
ends. With LOCK it holds that lock, and finishes a request that it has read even without its parent.
"""

import gc
import json
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from filelock import FileLock

from src.core.errors import UserError
from src.sources.kaggle.failures import KaggleError
from src.sources.kaggle.state import Taken
from src.sources.kaggle.words import cleaned, known_credentials

PAGE_SIZE = 100
SECOND = 1.0
STATUSES = ("PENDING", "COMPLETE", "ERROR")
KAGGLE_PATH = re.compile(r"/v1/[\w.]+Service/\w+$")
"""The path of a request to Kaggle itself; others go to the storage that Kaggle refers to."""


@dataclass
class Arriving:
    """The file that this process fetches.

    Attributes:
        path: where it grows; None before the request, and for one that fetches none.
        expected: its size in bytes; 0 if unknown.
    """

    path: Path | None = None
    expected: int = 0

    @property
    def size(self) -> int:
        """How many bytes have come."""
        return self.path.stat().st_size if self.path and self.path.exists() else 0


ARRIVING = Arriving()


def main() -> None:
    """Answer the request on stdin, and end the process."""
    gc.disable()  # to search the client's modules for garbage, and to forget them, takes a third of a request's time
    lock = FileLock(sys.argv[1]) if len(sys.argv) > 1 else None
    if lock:  # finish a submission that has begun, so that the next run can find it
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):  # no system has all of them
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
        lock.acquire()
    answer_to = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    print("ready", file=answer_to, flush=True)
    request = sys.stdin.readline()
    if not request:  # the parent ended, and another run may have begun before the lock was held
        return
    content = json.loads(request)
    if not lock:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    watchdog = threading.Timer(content["seconds"], os._exit, [1])
    watchdog.daemon = True
    watchdog.start()
    with answer_to:
        with _telling(answer_to):
            answered = answer(content["request"], content["arguments"])
        json.dump(answered, answer_to)
    os._exit(0)  # see above


def answer(request: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `value` of a request, or the attributes of the `KaggleError` that is its `failure`."""
    try:
        return {"value": REQUESTS[request](_authenticated(), **arguments)}
    except KaggleError as failure:
        return {"failure": vars(failure)}
    except (Exception, SystemExit) as error:
        return {"failure": vars(KaggleError("unknown", text=type(error).__name__, in_doubt=request == "send"))}


@contextmanager
def _telling(line: TextIO) -> Iterator[None]:
    """Within this context print a line each second with how much has come."""
    answered = threading.Event()

    def tell() -> None:
        while not answered.wait(SECOND):
            with suppress(OSError):  # the parent may have ended, and the request is to be finished
                print(ARRIVING.size, ARRIVING.expected, file=line, flush=True)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        answered.set()
        teller.join()


def _end_with_parent() -> None:
    # the parent writes nothing more, so this returns when it has ended
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _authenticated() -> Any:
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY"):
        if name in os.environ:  # a line end that came along from a file would make the header invalid
            os.environ[name] = os.environ[name].strip()
    # importing the client authenticates, prints and goes to the network: only for this source, and only when used
    try:
        from kaggle import api
        from kagglesdk.kaggle_env import get_access_token_from_env
        from requests.exceptions import InvalidHeader
    except OSError as error:
        text = f"{error.filename or 'the folder ~/.kaggle'}: {error.strerror}; set HOME or KAGGLE_CONFIG_DIR"
        raise KaggleError("credentials", text=text) from None
    try:
        api.authenticate()
    except SystemExit:
        _, place = get_access_token_from_env()
        raise KaggleError("credentials", text=f"Kaggle does not know the token in {place}" if place else "") from None
    except InvalidHeader:
        raise KaggleError("credentials", text="the token holds a line end or another control character") from None
    except (ValueError, KeyError) as error:
        if hasattr(error, "response"):  # those of requests, about what came over the network
            raise _failure(error) from None
        text = f"the files in ~/.kaggle cannot be read ({type(error).__name__})"
        raise KaggleError("credentials", text=text) from None
    except Exception as error:
        raise _failure(error) from None
    return api


def _download(api: Any, competition: str, into: str) -> None:
    from kagglesdk.competitions.types.competition_api_service import ApiDownloadDataFilesRequest

    folder = Path(into)
    shutil.rmtree(folder, ignore_errors=True)  # the client builds on a file that it finds, whatever that holds
    folder.mkdir()
    request = ApiDownloadDataFilesRequest()
    request.competition_name = competition
    with _failures(), api.build_kaggle_client() as client:
        response = client.competitions.competition_api_client.download_data_files(request)
        ARRIVING.path = file = folder / f"{competition}.zip"
        ARRIVING.expected = int(response.headers.get("Content-Length") or 0)
        if ARRIVING.expected > shutil.disk_usage(folder).free:
            raise KaggleError("disk", text="no space left for the download")
        try:
            # resume only once, so that a persistent failure is reported while there is time to start again
            api.download_file(response, str(file), client.http_client(), quiet=True, max_retries=1)
        except ValueError:  # fewer bytes than announced, as when a link expires between two attempts
            raise KaggleError("connection", text="the download broke off") from None


def _list_submissions(api: Any, competition: str, message: str | None, taken: dict[str, str]) -> list[dict[str, Any]]:
    """Return all submissions, the latest first; with `message`, those down to the one looked for.

    Args:
        api: the client.
        competition: the name in its URL.
        message: of the submission looked for; None for all.
        taken: the messages of known submissions by number, which count in place of what the list says.
    """
    from kagglesdk.competitions.types.competition_api_service import ApiListSubmissionsRequest

    request = ApiListSubmissionsRequest()
    request.competition_name = competition
    credentials = known_credentials()
    with _failures(), api.build_kaggle_client() as client:
        call = client.http_client().call

        def ask(size: int, number: int, token: str) -> tuple[list[Any], str]:
            request.page_size, request.page, request.page_token = size, number, token or None
            page = call("competitions.CompetitionApiService", "ListSubmissions", request, _Json)
            return page.get("submissions") or [], str(page.get("nextPageToken") or "")

        # A full page repeated without a token may be complete, where the service pages by token only, or truncated,
        # where it does not page. With pages one smaller, the former gives a token or heeds the number of the page; the
        # latter repeats its page. Larger pages would not distinguish them, since the service may limit their size.
        for size in (PAGE_SIZE, PAGE_SIZE - 1):
            found = _read_pages(ask, size, message, lambda entry: _readable(entry, credentials, taken))
            if found is not None:
                return found
    raise KaggleError("paging")


def _read_pages(
    ask: Callable[[int, int, str], tuple[list[Any], str]],
    size: int,
    message: str | None,
    readable: Callable[[Any], dict[str, Any]],
) -> list[dict[str, Any]] | None:
    """Return the submissions on all pages of this size; None if a full page is repeated without a token.

    Raises:
        KaggleError: a token, or a page with a next token, is repeated.
    """
    found: dict[int | str, dict[str, Any]] = {}
    tokens: set[str] = set()
    number, token = 1, ""
    while True:  # the service may page by number or by token
        shown, following = ask(size, number, token)
        new = {_identity(entry): readable(entry) for entry in shown}
        repeated = bool(new) and all(key in found for key in new)
        found = found | {key: entry for key, entry in new.items() if key not in found}
        if any(entry["status"] != "ERROR" and entry["message"] == message for entry in new.values()):
            return list(found.values())
        if (repeated and following) or following in tokens:
            raise KaggleError("paging")
        if repeated and len(shown) >= size:
            return None
        if not following and (not new or repeated or token):
            return list(found.values())
        if following:
            tokens.add(following)
        number, token = number + 1, following


class _Json:
    """A response type that is plain JSON: one malformed entry must not invalidate the others."""

    @classmethod
    def prepare_from(cls, response: Any) -> dict[str, Any]:
        content = response.json()
        if not isinstance(content, dict) or not isinstance(content.get("submissions") or [], list):
            raise ValueError("not a list of submissions")
        if "submissions" not in content and content.keys() - {"nextPageToken"}:  # such as an error with status 200
            raise ValueError("not a list of submissions")
        return content


def _identity(entry: Any) -> int | str:
    """Return the number of a submission, by which a repeated page is recognized; the whole entry if it has none."""
    ref = entry.get("ref") if isinstance(entry, dict) else None
    return ref if type(ref) is int else json.dumps(entry, sort_keys=True)


def _readable(entry: Any, credentials: set[str], taken: dict[str, str]) -> dict[str, Any]:
    """Return the fields of one submission that are used; what cannot be read is empty."""
    entry = entry if isinstance(entry, dict) else {}
    ref = entry.get("ref")
    message = taken.get(str(ref), entry.get("description"))
    status = str(entry.get("status") or "PENDING")  # the value that the format leaves out
    score = entry.get("publicScore")
    return {
        "ref": ref if type(ref) is int else 0,
        "message": message if isinstance(message, str) else "",
        "status": next((known for known in STATUSES if status.upper().endswith(known)), cleaned(status, credentials)),
        "score": "" if score is None else cleaned(score, credentials),
        "error": cleaned(entry.get("errorDescription") or "", credentials),
        "date": cleaned(entry.get("date") or "", credentials),
    }


def _send(api: Any, competition: str, csv: str, message: str) -> None:
    """Submit the file, and remember its number, if the answer gives it."""
    from kaggle.api.kaggle_api_extended import ResumableUploadResult
    from kagglesdk.competitions.types import competition_api_service as types

    file = Path(csv)
    start = types.ApiStartSubmissionUploadRequest()
    start.competition_name, start.file_name = competition, file.name
    start.content_length = file.stat().st_size
    start.last_modified_epoch_seconds = int(file.stat().st_mtime)
    with api.build_kaggle_client() as client:
        service = client.competitions.competition_api_client
        with _failures():
            place = service.start_submission_upload(start)
        if api.upload_complete(csv, place.create_url, quiet=True) != ResumableUploadResult.COMPLETE:
            raise KaggleError("upload")
        with _failures():
            create = types.ApiCreateSubmissionRequest()
            create.competition_name, create.submission_description = competition, message
            create.blob_file_tokens = place.token
        try:
            ref = service.create_submission(create).ref
        except Exception as error:
            failure = _failure(error)
            # only these say that nothing was taken; even "too many requests" may come after it
            failure.in_doubt = failure.kind != "http" or failure.status in (408, 429) or failure.status >= 500
            if failure.status in (400, 403, 429) and (which := _used_up(api, competition)):
                failure.kind, failure.text = "limit", which
            raise failure from None
    # here, since the process that asked may have ended; without the record the message in Kaggle's list counts
    with suppress(OSError, UserError):
        if type(ref) is int and ref > 0:
            Taken(competition).add(ref, message)


def _used_up(api: Any, competition: str) -> str:
    """Return which limit leaves no submission, `day` or `total`; empty if none does."""
    try:
        limits = api.competition_get_submission_limits(competition)
        if limits.num_allowed_now or not (limits.num_today or limits.num_total):
            return ""
        return "total" if limits.limited_by_total else "day"
    except Exception:  # the original failure is reported instead
        return ""


@contextmanager
def _failures() -> Iterator[None]:
    """Turn what the client raises into a `KaggleError`."""
    try:
        yield
    except KaggleError:
        raise
    except Exception as error:
        raise _failure(error) from None


def _failure(error: Exception) -> KaggleError:
    from requests.exceptions import HTTPError, InvalidJSONError, RequestException

    response = error.response if isinstance(error, HTTPError) else None
    if response is not None:
        status, text = _words(response)
        kind = "http" if KAGGLE_PATH.search(urlsplit(response.url).path) else "storage"
        return KaggleError(
            kind, status=status, text=text if kind == "http" else "",
            retry_after=_seconds(response.headers.get("Retry-After", "")),
        )  # fmt: skip
    if isinstance(error, InvalidJSONError) or not isinstance(error, OSError):
        return KaggleError("answer", text=type(error).__name__)
    if isinstance(error, RequestException) or error.errno is None or isinstance(error, ConnectionError):
        return KaggleError("connection", text=type(error).__name__)
    return KaggleError("disk", text=error.strerror or "")


def _words(response: Any) -> tuple[int, str]:
    """Return the status of a failed request, and Kaggle's message, which comes in several forms."""
    status, said = response.status_code, ""
    try:
        content = response.json()
        inner = content.get("error") or content
        said = inner if isinstance(inner, str) else inner.get("message") or content.get("message") or ""
        if status < 400:
            status = int(content["code"])
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return status, cleaned(said, known_credentials())


def _seconds(retry_after: str) -> float:
    """Return the seconds of a header `Retry-After`, which holds them or a date; 0 for anything else."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0


REQUESTS: dict[str, Callable[..., Any]] = {"download": _download, "submissions": _list_submissions, "send": _send}

if __name__ == "__main__":
    main()
