"""What pictures and pages call the classes."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

LONGEST = 12
"""Characters of a short name."""


def noun(labels: Iterable[object]) -> str:
    """Return what an image of these classes shows, in a word: `digit` for the numbers 0 to 9, `image` for any other."""
    return "digit" if {*map(str, labels)} == {*"0123456789"} else "image"


def short_names(labels: Iterable[object], longest: int = LONGEST) -> dict[str, str]:
    """Return the name of each label: the label, or the part of it that tells it from all others.

    A part has at most `longest` characters, with an ellipsis where something is left out. Of those that no other label
    has, the name is the beginning of the label, or else one that starts with a word, or else any. Where no single part
    tells a label apart, its words are abbreviated.
    """
    parts = {label: [*_parts(label, longest)] for label in sorted({*map(str, labels)})}
    times = Counter(part for of_label in parts.values() for part in {*of_label})
    return {label: next((part for part in own if times[part] == 1), own[0]) for label, own in parts.items()}


def _parts(label: str, longest: int) -> Iterator[str]:
    if len(label) <= longest:
        yield label
        return
    words = [word.start() for word in re.finditer(r"\w+", label)]
    for start in (0, *words, *range(len(label))):
        part = f"…{label[start:]}" if start else label
        yield part if len(part) <= longest else f"{part[: longest - 1].rstrip()}…"
    for letters in range(longest, 0, -1):
        yield re.sub(rf"([^\W\d_]{{{letters}}})[^\W\d_]+", r"\1", label)[:longest]
