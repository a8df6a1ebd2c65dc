"""What all pictures have in common: sizes, colours, charts, image grids, and how they are written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.ticker import LogFormatter
from numpy.typing import NDArray

from src.core.outputs import replacing
from src.core.progress import Progress
from src.reporting.pictures.labels import short_names

WIDTH = 7.2  # inches; the report shows an inch as 100 of its pixels
DPI = 150
COLUMNS = 10  # images in a row of a grid, or half as many
GRID = 4 * COLUMNS
FONT = 9  # points
LINE = 0.15  # inches from line to line
IMAGES = 100  # in a grid, at most
TICKS = 70  # classes named along an axis, at most

# these differ in colour, in lightness and in line style
SETS: dict[str, dict[str, Any]] = {
    "training": {"color": "#0072b2", "linestyle": "--"},
    "validation": {"color": "#d55e00", "linestyle": "-"},
    "labelled": {"color": "#0072b2", "linestyle": "-"},
    "test": {"color": "#333333", "linestyle": ":"},
}
GRAY = "gray"  # an image as it is: bright where its pixels are near 1
ERRORS = "Oranges"
DIVERGING = "PuOr"
STYLE: Any = {
    "font.size": FONT,
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": FONT,
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
        text: what it shows, in words and with the figures of the run, as alternative text; without a figure, the
            sentence to show instead.
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
    cmap: str = GRAY,
    limits: tuple[float, float] = (0, 1),
) -> Figure:
    """Draw images, larger where they are few, under their captions; `limits` are the values of the ends of `cmap`."""
    if len(captions) > IMAGES:
        title += f", the first {IMAGES} of {len(captions):,}"
        images, captions = images[:IMAGES], captions[:IMAGES]
    columns = COLUMNS if len(captions) > 2 * COLUMNS else COLUMNS // 2
    widest = max(width_of(line) for caption in captions for line in caption.split("\n"))
    if widest > 0.9 * WIDTH / columns:
        columns = columns * 4 // 5
    # one axes for all images: an axes for each would take ten times as long
    inch = WIDTH / columns
    caption_height = (0.08 + LINE * (1 + max(caption.count("\n") for caption in captions))) / inch
    cell, heading = 0.9 + caption_height, 0.4
    rows = -(-len(images) // columns)
    height = heading + rows * cell * inch
    figure = Figure(figsize=(WIDTH, height))
    figure.suptitle(title, x=0.1 / WIDTH, y=1 - 0.12 / height, ha="left", va="top")
    axes = figure.add_axes((0, 0, 1, 1 - heading / height))
    size = FONT * min(1, 0.9 * inch / widest)
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(number, columns)
        top, bottom = row * cell + caption_height, (row + 1) * cell - 0.1
        extent = (column + 0.1, column + 0.9, bottom, top)
        axes.imshow(image, cmap=cmap, vmin=limits[0], vmax=limits[1], extent=extent)
        axes.text(column + 0.5, top - 0.03, caption, ha="center", va="bottom", fontsize=size, linespacing=1.1)
    axes.set(xlim=(0, columns), ylim=(rows * cell, 0))
    axes.set_axis_off()
    return figure


def names_of(labels: Iterable[object], longest: int = 12) -> dict[str, str]:
    """Return `short_names`, with the code point, such as `U+0CE7`, in place of a character that the font lacks."""
    glyphs = get_font(findfont(FontProperties())).get_charmap()
    return {
        label: "".join(one if ord(one) in glyphs else f"U+{ord(one):04X}" for one in name)
        for label, name in short_names(labels, longest).items()
    }


def width_of(text: str) -> float:
    """Return the width of a line of text, in inches."""
    font = get_font(findfont(FontProperties()))
    font.set_size(FONT, 72)  # dots per inch: a point is a dot
    font.set_text(text, flags=LoadFlags.NO_HINTING)
    return font.get_width_height()[0] / 64 / 72


def set_classes(axis: Axis, names: Mapping[str, str], length: float) -> float:
    """Label an axis of `length` inches with the names of all classes, or of some if they are very many.

    The names of x stand upright where they are too wide; then their height in inches is returned, otherwise 0.
    """
    every = -(-len(names) // TICKS)
    pitch, widest = every * length / len(names), max(map(width_of, names.values()))
    upright, size = isinstance(axis, XAxis) and widest > 0.9 * pitch, min(FONT, 0.9 * 72 * pitch)
    shown = [*names.values()][::every]
    axis.set_ticks(range(0, len(names), every), shown, rotation=90 if upright else 0, fontsize=size)
    return widest if upright else 0


class Decimal(LogFormatter):
    """Writes the ticks of a logarithmic axis as numbers such as 0.5, not as powers of ten."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a tick at `x`."""
        return f"{x:g}" if super().__call__(x, pos) else ""


def _sentence(text: str) -> Figure:
    figure = Figure(figsize=(WIDTH, 0.6))
    figure.text(0.02, 0.5, text, va="center")
    return figure
