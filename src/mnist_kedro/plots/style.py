"""Define the style of all figures: readable at README size, safe for color-blind readers."""

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from threading import RLock
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.figure import Figure

from mnist_kedro.contracts import GIVEN
from mnist_kedro.networks import ARCHITECTURES

_STYLE_FILE = Path(__file__).parent / "figures.mplstyle"
_STYLE = mpl.rc_params_from_file(_STYLE_FILE, use_default_template=False)

# The names are of the six colors in the file, in their order.
PALETTE = BLUE, ORANGE, GREEN, PURPLE, SKY, RED = _STYLE["axes.prop_cycle"].by_key()["color"]
INK, FAINT = _STYLE["text.color"], _STYLE["xtick.color"]
_TITLE_INCHES, _FOOTER_INCHES = 0.62, 0.24
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


def annotate(figure: Figure, finding: str, detail: str, data: str, *, grow: bool = False) -> None:
    """Write the title above a figure and the data below it; the PNG file stores them as metadata.

    Args:
        figure: gets a constrained layout, which makes room for the texts.
        finding: the title, which states the finding.
        detail: how to read the figure.
        data: which digits the figure is about.
        grow: whether to make the figure higher by the texts, instead of its content lower.
    """
    if grow:
        figure.set_figheight(figure.get_figheight() + _TITLE_INCHES + _FOOTER_INCHES)
    height = figure.get_figheight()
    top, bottom = _TITLE_INCHES / height, _FOOTER_INCHES / height
    figure.set_layout_engine("constrained", rect=(0, bottom, 1, 1 - top - bottom))
    left, high, low = 0.012, 1 - 0.08 / height, 0.06 / height
    figure.text(left, high, finding, va="top", fontsize=13, fontweight="bold", gid=TITLE)
    lower = high - 0.28 / height
    figure.text(left, lower, detail, va="top", fontsize=9, color=FAINT, gid=DESCRIPTION)
    figure.text(left, low, data, va="bottom", fontsize=8, color=FAINT, gid=SOURCE)


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
