"""What all pictures have in common: sizes, colours, charts, image grids, and how they are written."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from src.core.outputs import replacing
from src.core.progress import Progress

WIDTH = 7.2  # inches; the report shows an inch as 100 of its pixels
DPI = 150
COLUMNS = 10  # images in a row of a grid
WIDE_COLUMNS = 5  # images in a row where there is one image per class
GRID = 4 * COLUMNS

# these differ in colour, in lightness and in line style
SETS: dict[str, dict[str, Any]] = {
    "training": {"color": "#0072b2", "linestyle": "--"},
    "validation": {"color": "#d55e00", "linestyle": "-"},
    "labelled": {"color": "#0072b2", "linestyle": "-"},
    "test": {"color": "#333333", "linestyle": ":"},
}
GRAY = "gray_r"
ERRORS = "Oranges"
DIVERGING = "PuOr"
DECIMAL = "{x:g}"  # for the ticks of a logarithmic axis, in place of powers of ten
STYLE: Any = {
    "font.size": 9,
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "figure.titlesize": 10,
    "figure.titleweight": "bold",
    "grid.color": "#e4e4e4",
    "hatch.color": "white",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "text.parse_math": False,  # a label may contain dollar signs
}


@dataclass(frozen=True)
class Picture:
    """A picture and its description.

    Attributes:
        text: what it shows in words, with the figures of the run, for those who do not see it; without a figure the
            sentence in its place.
        figure: None where there is nothing to draw.
    """

    text: str
    figure: Figure | None = None


@contextmanager
def applied() -> Iterator[None]:
    """Within this context matplotlib has the style of this project, whatever the user's own matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def write(folder: Path, pictures: Mapping[str, Picture]) -> None:
    """Write each picture as `folder/<name>.png`, equal bytes for equal pictures.

    The description is in the file's metadata under `Description`. Where there is nothing to draw, the sentence is the
    picture, and is in the metadata under `Comment`.
    """
    with replacing(folder) as temporary, Progress("drawing", len(pictures), "picture") as progress:
        temporary.mkdir()
        for name, picture in pictures.items():
            figure = picture.figure or _sentence(picture.text)
            metadata = {"Description" if picture.figure else "Comment": picture.text}
            # the version of matplotlib in the file would change its hash
            figure.savefig(temporary / f"{name}.png", dpi=DPI, metadata={"Software": None} | metadata)
            progress.step(name)


def chart(title: str, height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure of `width` by `height` inches under a title."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(title, x=0.1 / width, ha="left")
    return figure


def image_grid(
    title: str,
    images: Sequence[NDArray[Any]] | NDArray[Any],
    captions: Sequence[str],
    columns: int = COLUMNS,
    cmap: str = GRAY,
    limits: tuple[float, float] = (0, 1),
) -> Figure:
    """Draw images in rows of `columns`, each under its caption; `limits` are the values of the ends of `cmap`."""
    # one axes for all images: an axes for each would take ten times as long
    inch = WIDTH / columns
    caption_height = (0.08 + 0.15 * (1 + max(caption.count("\n") for caption in captions))) / inch
    cell, heading = 0.9 + caption_height, 0.4
    rows = -(-len(images) // columns)
    height = heading + rows * cell * inch
    figure = Figure(figsize=(WIDTH, height))
    figure.suptitle(title, x=0.1 / WIDTH, y=1 - 0.12 / height, ha="left", va="top")
    axes = figure.add_axes((0, 0, 1, 1 - heading / height))
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(number, columns)
        top, bottom = row * cell + caption_height, (row + 1) * cell - 0.1
        extent = (column + 0.1, column + 0.9, bottom, top)
        axes.imshow(image, cmap=cmap, vmin=limits[0], vmax=limits[1], extent=extent)
        axes.text(column + 0.5, top - 0.03, caption, ha="center", va="bottom", linespacing=1.1)
    axes.set(xlim=(0, columns), ylim=(rows * cell, 0))
    axes.set_axis_off()
    return figure


def shorten(label: str) -> str:
    """Return the label, cut where it is longer than a caption."""
    return label if len(label) <= 9 else f"{label[:8]}…"


def name_classes(axes: Axes, classes: NDArray[Any]) -> None:
    """Label the x axis with the classes, shape (C,)."""
    names = [shorten(str(label)) for label in classes]
    longest = max(map(len, names))
    axes.set_xticks(range(len(names)), names, rotation=90 if longest * len(names) > 70 else 0)


def _sentence(text: str) -> Figure:
    figure = Figure(figsize=(WIDTH, 0.6))
    figure.text(0.02, 0.5, text, va="center")
    return figure
