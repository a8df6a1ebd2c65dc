"""Names of the classes in pictures and pages."""

import re
from collections import Counter
from collections.abc import Iterable


def noun(labels: Iterable[object]) -> str:
    """Return the word for an image of these classes: `digit` for the numbers 0 to 9, `image` for any other."""
    return "digit" if {*map(str, labels)} == {*"0123456789"} else "image"


def short_names(labels: Iterable[object], longest: int = 12) -> dict[str, str]:
    """Return a name of at most `longest` characters for each label, in their order, distinct if possible.

    A name is the label itself, or else its beginning, a part of it with ellipses, or all its words abbreviated.
    """
    parts = {label: _parts(label, longest) for label in map(str, labels)}
    times = Counter(part for of_label in parts.values() for part in {*of_label})
    return {label: next((part for part in own if times[part] == 1), own[0]) for label, own in parts.items()}


def _parts(label: str, longest: int) -> list[str]:
    if len(label) <= longest:
        return [label]
    words = [word.start() for word in re.finditer(r"\w+", label)]
    ends = [f"…{label[start:]}" if start else label for start in (0, *words, *range(len(label)))]
    abbreviated = [re.sub(rf"([^\W\d_]{{{letters}}})[^\W\d_]+", r"\1", label) for letters in range(longest, 0, -1)]
    cut = [end if len(end) <= longest else f"{end[: longest - 1].rstrip()}…" for end in ends]
    return [*cut, *(name for name in abbreviated if len(name) <= longest)]
