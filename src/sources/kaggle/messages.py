"""The error messages for failed requests to Kaggle."""

from datetime import UTC, datetime, timedelta

from src.sources.kaggle import timing
from src.sources.kaggle.failures import KaggleError

SITE = "https://www.kaggle.com"


def page(competition: str, name: str = "") -> str:
    """Return the URL of the competition's page, or of a page below it."""
    return f"{SITE}/competitions/{competition}/{name}"


def explain(failure: KaggleError, competition: str) -> str:
    """Return what happened and what to do, in one line without a full stop."""
    text = f": {failure.text}" if failure.text else ""
    match failure.kind:
        case "credentials":
            return (
                f"no valid Kaggle credentials{text}; make a token at {SITE}/settings/api and give it in the "
                "variable KAGGLE_API_TOKEN or the file ~/.kaggle/access_token"
            )
        case "limit" if failure.text == "total":
            return (
                "no submission to this competition is left: it limits their total number, not only a "
                f"day's; see {page(competition, 'submissions')}"
            )
        case "limit":
            now = datetime.now(UTC)
            midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0)
            hours, minutes = divmod((midnight - now).seconds // 60, 60)
            return f"the day's submissions are used up; try again after midnight UTC, in {hours} h {minutes} min"
        case "upload":
            return f"Kaggle refused the upload; nothing was submitted; try again later (see {page(competition)})"
        case "deadline":
            return (
                "Kaggle did not answer in time; try again later, or give it more than "
                f"{timing.deadline() / 60:g} minutes (variable {timing.DEADLINE})"
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
                "Kaggle repeats a page of its list of submissions and does not show whether there are more, so it is "
                f"not known what was sent before, and nothing is sent; look at {page(competition, 'submissions')}"
            )
        case "disk":
            return f"the disk cannot be written{text}; make room and run again"
        case "unknown":
            return f"the Kaggle client failed{text}"
    named = f"{competition!r} (params.yaml: sources.kaggle.competition)"
    match failure.status:
        case 401:
            return f"Kaggle rejected the credentials{text}; make a new token at {SITE}/settings/api"
        case 403 | 404 if failure.request != "download":
            return (
                f"Kaggle refuses the submission (HTTP {failure.status}){text}; likely causes: the competition is "
                f"closed or takes notebooks only, its rules are not accepted ({page(competition, 'rules')}), the "
                f"account's phone number is not verified ({SITE}/settings), or it is not called {named}"
            )
        case 403:
            return (
                f"Kaggle refuses access{text}; accept the rules of the competition at {page(competition, 'rules')}, "
                f"and check that it is called {named}"
            )
        case 404:
            return f"Kaggle has no competition {named}{text}; its name is the last part of its URL"
        case 429:
            until = datetime.now(UTC) + timedelta(seconds=failure.retry_after)
            when = f"after {until:%H:%M:%S} UTC on {until:%Y-%m-%d}" if failure.retry_after else "later"
            return f"Kaggle takes no more requests for now (HTTP 429){text}; try again {when}"
        case status if status >= 500:
            return f"Kaggle has an internal error (HTTP {status}){text}; try again later"
        case status:
            return f"Kaggle refused the request (HTTP {status}){text}; see {page(competition)}"
