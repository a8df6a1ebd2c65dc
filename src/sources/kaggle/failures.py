"""What can go wrong between this project and Kaggle."""

from dataclasses import dataclass


@dataclass(eq=False)
class KaggleError(Exception):
    """A failed request. It holds nothing that the client printed, which may hold a signed URL.

    Attributes:
        kind: credentials | http | limit | upload | connection | deadline | unknown.
        status: of the HTTP reply, where `kind` is http.
        text: Kaggle's own message, or the name of an exception; may be empty.
        in_doubt: whether Kaggle may have taken a submission all the same.
    """

    kind: str
    status: int = 0
    text: str = ""
    in_doubt: bool = False

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later."""
        return self.kind == "connection" or self.status == 429 or self.status >= 500
