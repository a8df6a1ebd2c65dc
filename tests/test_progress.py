"""The lines of a long computation."""

import time

import pytest

from src.core.progress import Progress


@pytest.mark.parametrize(
    ("seconds", "left"),
    [(1.2, ["", ""]), (1.25, ["about 15 s left", ""]), (5, ["about 60 s left", ""]), (30, ["about 6 min left", ""])],
)
def test_lines_of_what_takes_long_show_the_time_left(
    seconds: float, left: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with Progress("training", 16, "epoch") as progress:
        for epoch in range(1, 17):
            now += seconds
            progress.step("accuracy 0.9" if epoch in (4, 16) else "")
    lines = [f"training: epoch {epoch} of 16, " for epoch in (4, 16)]
    assert capsys.readouterr().out.splitlines() == [
        f"{line}{f'{text}, ' if text else ''}accuracy 0.9" for line, text in zip(lines, left, strict=True)
    ]
