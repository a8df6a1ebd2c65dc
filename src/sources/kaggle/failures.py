"""The ways in which a request to Kaggle can fail."""

from dataclasses import dataclass


@dataclass(eq=False)
class KaggleError(Exception):
    """A failed request. It holds nothing that the client printed, which may hold a signed URL.

    Attributes:
        kind: credentials | http | storage (an HTTP reply of the host that a link of Kaggle's leads to) | limit |
            upload | connection | answer (it cannot be read) | paging | disk | deadline | unknown.
        status: of the HTTP reply, where `kind` is http, storage or limit.
        text: Kaggle's own words, cleaned, or the name of an exception; may be empty.
        in_doubt: whether Kaggle may have taken a submission all the same.
        retry_after: seconds that Kaggle asks to wait; 0 if it does not say.
        request: what was asked, a key of `client.REQUESTS`.
    """

    kind: str
    status: int = 0
    text: str = ""
    in_doubt: bool = False
    retry_after: float = 0.0
    request: str = ""

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later; a new request also gets a new link to the storage."""
        if self.kind == "http":
            return self.status in (408, 429) or self.status >= 500
        return self.kind in ("connection", "answer", "storage")
