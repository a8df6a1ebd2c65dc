"""One request to Kaggle, by the official client, in a process of its own: `python -m src.sources.kaggle.client`.

The client has no timeouts, prints, exits, and goes to the network when it is imported. So each request runs in a child
process, which takes the request as JSON on stdin, discards what the client prints, and answers with one line of JSON.
The kernel ends it at its deadline.
"""

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from src.sources.kaggle.failures import KaggleError


def main() -> None:
    """Answer the request on stdin."""
    content = json.loads(sys.stdin.readline())
    signal.setitimer(signal.ITIMER_REAL, content["seconds"])  # its signal has no handler, so it ends the process
    answer_to = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    if content["request"] != "send":  # a submission on its way is seen through, so that the next run can find it
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer = {"value": REQUESTS[content["request"]](_authenticated(), **content["arguments"])}
    except KaggleError as failure:
        answer = {"failure": vars(failure)}
    with answer_to:
        json.dump(answer, answer_to)


def _end_with_parent() -> None:
    # the parent writes nothing more, so this returns when it has ended
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _authenticated() -> Any:
    # importing the client authenticates, prints and goes to the network: only for this source, and only when used
    from kaggle import api
    from kagglesdk.kaggle_env import get_access_token_from_env

    try:
        api.authenticate()
    except SystemExit:
        _, place = get_access_token_from_env()
        raise KaggleError("credentials", text=f"Kaggle does not know the token in {place}" if place else "") from None
    except (ValueError, KeyError) as error:
        text = f"the files in ~/.kaggle cannot be read ({type(error).__name__})"
        raise KaggleError("credentials", text=text) from None
    except Exception as error:
        raise _failure(error) from None
    return api


def _download(api: Any, competition: str, into: str) -> None:
    shutil.rmtree(into, ignore_errors=True)  # the client builds on a file that it finds, whatever that holds
    Path(into).mkdir()
    try:
        api.competition_download_files(competition, path=into, force=True, quiet=True)
    except ValueError:  # fewer bytes than announced, as when a link expires between two attempts
        raise KaggleError("connection", text="the download broke off") from None
    except Exception as error:
        raise _failure(error) from None


def _list_submissions(api: Any, competition: str) -> list[dict[str, Any]]:
    from kagglesdk.competitions.types.competition_api_service import ApiListSubmissionsRequest

    found: dict[int, dict[str, Any]] = {}
    request = ApiListSubmissionsRequest()
    request.competition_name = competition
    request.page, request.page_size = 1, 100
    try:
        with api.build_kaggle_client() as client:
            while True:
                page = client.competitions.competition_api_client.list_submissions(request)
                new = {one.ref: one for one in page.submissions or [] if one.ref not in found}
                for ref, one in new.items():
                    found[ref] = {
                        "ref": ref,
                        "message": one.description,
                        "status": one.status.name,
                        "score": float(one.public_score) if one.public_score else None,
                        "error": one.error_description,
                    }
                # the service may count its pages or name the next one
                if not new or (request.page_token and not page.next_page_token):
                    return list(found.values())
                request.page, request.page_token = request.page + 1, page.next_page_token
    except Exception as error:
        raise _failure(error) from None


def _send(api: Any, competition: str, csv: str, message: str) -> int:
    try:
        reply = api.competition_submit(csv, message, competition, quiet=True)
    except Exception as error:
        failure = _failure(error)
        if failure.status in (400, 429) and _none_left(api, competition):
            raise KaggleError("limit") from None
        asked = getattr(getattr(error, "request", None), "url", None) or ""
        failure.in_doubt = not 400 <= failure.status < 500 and not asked.endswith("/StartSubmissionUpload")
        raise failure from None
    if reply.message == api.COMPETITION_SUBMIT_UPLOAD_FAILED_MESSAGE:
        raise KaggleError("upload")
    return int(reply.ref)


def _none_left(api: Any, competition: str) -> bool:
    try:
        limits = api.competition_get_submission_limits(competition)
    except Exception:  # the failure that led here is the one to tell
        return False
    return bool(limits.num_today and not limits.num_allowed_now)


def _failure(error: Exception) -> KaggleError:
    from requests.exceptions import HTTPError, RequestException

    response = error.response if isinstance(error, HTTPError) else None
    if response is not None:
        try:
            text = str(response.json()["message"])
        except (ValueError, KeyError, TypeError):
            text = ""
        return KaggleError("http", status=response.status_code, text=" ".join(text.split()))
    kind = "connection" if isinstance(error, RequestException) else "unknown"
    return KaggleError(kind, text=type(error).__name__)


REQUESTS: dict[str, Callable[..., Any]] = {"download": _download, "submissions": _list_submissions, "send": _send}

if __name__ == "__main__":
    main()
