"""Define the style of all figures: readable on phones, safe for color-blind readers."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from threading import RLock
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from mnist_kedro.contracts import GIVEN
from mnist_kedro.networks import ARCHITECTURES

_STYLE_FILE = Path(__file__).parent / "figures.mplstyle"
_STYLE = mpl.rc_params_from_file(_STYLE_FILE, use_default_template=False)

# The six colors of the style file, in order.
PALETTE = BLUE, ORANGE, GREEN, PURPLE, SKY, RED = _STYLE["axes.prop_cycle"].by_key()["color"]
INK, FAINT = _STYLE["text.color"], _STYLE["xtick.color"]
WIDTH = 4.0  # of all figures, in inches
TEXT_SIZE: float = _STYLE["font.size"]  # of all texts but titles, in points
_TITLE_SIZE = 12.0
_MARGIN = 0.06  # inches
_HINTING = 0.97  # Drawn text is up to 3% wider than its outlines.
TITLE, DESCRIPTION, SOURCE = "Title", "Description", "Source"  # keywords of the PNG standard

_P = ParamSpec("_P")


# Matplotlib's settings are global. A thread that draws or saves a figure holds this lock, so that
# the figure does not get the style of another thread's figure.
MATPLOTLIB_LOCK = RLock()


def styled(plot: Callable[_P, Figure]) -> Callable[_P, Figure]:
    """Decorate a function so that it draws its figure in the project's style."""

    @wraps(plot)
    def draw(*args: _P.args, **kwargs: _P.kwargs) -> Figure:
        with MATPLOTLIB_LOCK, mpl.rc_context(_STYLE):
            return plot(*args, **kwargs)

    return draw


def create_figure(height: float) -> Figure:
    """Create a figure of the common width; :func:`annotate` increases its height to fit the texts.

    Args:
        height: of the content, in inches.
    """
    return Figure(figsize=(WIDTH, height))


def annotate(figure: Figure, finding: str, detail: str, data: str) -> None:
    """Write the title and the description above a figure, and the data below it.

    The texts are wrapped, the figure grows by their height, and a constrained layout keeps its
    content between them. :class:`~mnist_kedro.datasets.figure_dataset.FigureDataset` saves the
    texts as metadata, too.

    Args:
        figure: gets the texts; its height is that of the content.
        finding: the title, which states the finding.
        detail: how to read the figure.
        data: which digits the figure is about.
    """
    room = figure.get_figwidth() - 2 * _MARGIN
    above = (
        (wrap(finding, room, _TITLE_SIZE, "bold"), _TITLE_SIZE, "bold", INK, TITLE),
        (wrap(detail, room), TEXT_SIZE, "normal", FAINT, DESCRIPTION),
    )
    source = wrap(data, room)
    heights = [_height_of(text, size) for text, size, *_ in above]
    top, bottom = sum(heights) + 3 * _MARGIN, _height_of(source, TEXT_SIZE) + 2 * _MARGIN
    height = figure.get_figheight() + top + bottom
    figure.set_figheight(height)
    figure.set_layout_engine(
        "constrained", rect=(0, bottom / height, 1, 1 - (top + bottom) / height)
    )
    left, y = _MARGIN / figure.get_figwidth(), height - _MARGIN
    for (text, size, weight, color, gid), lines in zip(above, heights, strict=True):
        style = {"fontsize": size, "fontweight": weight, "color": color, "linespacing": 1.25}
        figure.text(left, y / height, text, va="top", gid=gid, **style)
        y -= lines + 0.5 * _MARGIN
    style = {"fontsize": TEXT_SIZE, "color": FAINT, "linespacing": 1.25}
    figure.text(left, _MARGIN / height, source, va="bottom", gid=SOURCE, **style)


def wrap(text: str, width: float, size: float = TEXT_SIZE, weight: str = "normal") -> str:
    """Break a text into lines of at most ``width`` inches; a longer word gets a line of its own."""
    font = FontProperties(size=size, weight=weight)
    lines = [""]
    for word in text.split():
        line = f"{lines[-1]} {word}".lstrip()
        points = text_to_path.get_text_width_height_descent(line, font, ismath=False)[0]
        if points <= _HINTING * 72 * width or not lines[-1]:
            lines[-1] = line
        else:
            lines.append(word)
    return "\n".join(lines)


def _height_of(text: str, size: float) -> float:
    """Return the height of a wrapped text in inches."""
    return (text.count("\n") + 1) * size * 1.35 / 72


def add_legend(axes: Axes, handles: Sequence[Artist] | None = None) -> None:
    """Put a legend above the axes, in as many columns as fit, so that it hides no data."""
    shown = axes.get_legend_handles_labels()[0] if handles is None else handles
    longest = max((len(str(handle.get_label())) for handle in shown), default=0)
    columns = max(1, min(len(shown), int(72 * WIDTH / (6.2 * longest + 40))))
    axes.legend(handles=shown, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns)


def model_title(model: str) -> str:
    """Return the title of a model for the start of a sentence: "The CNN"."""
    return ARCHITECTURES[model].title if model in ARCHITECTURES else f"The {model}"


def model_in_sentence(model: str) -> str:
    """Return the title of a model for the middle of a sentence: "the CNN", "LeNet-5"."""
    title = model_title(model)
    return title.replace("The ", "the ", 1) if title.startswith("The ") else title


def describe_source(split: Mapping[str, Any]) -> str:
    """Describe the data of a split in a few words, and whether it is the canonical MNIST."""
    if split["canonical_mnist"]:
        return "MNIST"
    if split["source"] == "sample":
        return "Embedded sample of 5,000 MNIST digits"
    return f"{split['source']} (not the canonical MNIST)"


def describe_test(test: Mapping[str, Any]) -> str:
    """Describe the test split in a few words."""
    digits = f"{describe_source(test)}, {len(test['labels']):,} test digits"
    return digits if test["test_split"] == GIVEN else f"{digits} {test['test_split']}"
