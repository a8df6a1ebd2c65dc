"""The page to draw on: one HTML file with the model, the runtime and everything else that it needs."""

import base64
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from src.data.images import ImageSet
from src.demo import runtime
from src.demo.export import Description
from src.reporting import templates
from src.reporting.pictures.labels import noun, short_names

FOLDER = Path(__file__).parent
TEMPLATE = FOLDER / "demo.html.jinja"
EXAMPLES = 400
"""Labelled images in the page, about the same number of each class."""
NEAREST = 8
"""How many of them are shown at a time."""


def render(model: Description, onnx: bytes, labelled: ImageSet) -> str:
    """Return the page as HTML.

    Args:
        model: what is known of the model.
        onnx: the model.
        labelled: float32 images in [0, 1] and their labels.
    """
    examples = choose_examples(labelled.known_labels, model.classes)
    pixels = np.round(255 * labelled.images[examples]).astype(np.uint8)
    labels = np.searchsorted(model.classes, labelled.known_labels[examples]).tolist()
    names = short_names(model.classes)
    facts = {"classes": [*names], "names": [*names.values()], "labels": labels}
    return templates.render(
        TEMPLATE,
        model=model,
        noun=noun(names),
        names=names,
        examples=len(examples),
        nearest=NEAREST,
        labelled_images=len(labelled),
        facts=facts | {"side": model.side, "brightBackground": model.bright_background},
        blocks={
            "labelled": _block(pixels.tobytes()),
            "model": _block(onnx),
            "runtime": _block(runtime.wasm()),
            "notices": _block(runtime.notices().encode()),
        },
        modules={
            # its last line names a source map, which is not in the page
            "onnxruntime-web": _module(runtime.javascript().partition("//# sourceMappingURL")[0]),
            "ink": _module((FOLDER / "ink.js").read_text(encoding="utf-8")),
        },
        script=(FOLDER / "demo.js").read_text(encoding="utf-8"),
        runtime_version=runtime.VERSION,
    )


def choose_examples(labels: NDArray[np.generic], classes: Sequence[int] | Sequence[str]) -> NDArray[np.intp]:
    """Return the indices of the first images of each class, in all `EXAMPLES` or a few less, but one of each class."""
    each = max(1, EXAMPLES // len(classes))
    return np.concatenate([np.flatnonzero(labels == label)[:each] for label in classes])


def _block(content: bytes) -> str:
    """Return what `unpack` in demo.js turns back into `content`."""
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


def _module(source: str) -> str:
    """Return the URL, for an import map, of an ECMAScript module."""
    return "data:text/javascript;base64," + base64.b64encode(source.encode()).decode()
