import io
import sys

import pytest

from src.core import cli
from src.core.errors import UserError


def test_an_error_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes of one training share stderr, and would mix what each writes in parts."""
    written: list[str] = []

    class Stderr(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    def main() -> None:
        raise UserError("x: wrong")

    monkeypatch.setattr(sys, "argv", ["stage"])
    monkeypatch.setattr(sys, "stderr", Stderr())
    with pytest.raises(SystemExit) as ended:
        cli.run(main)
    assert ended.value.code == 1
    assert written == ["error: x: wrong\n"]
