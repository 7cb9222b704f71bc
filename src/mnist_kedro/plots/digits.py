"""Plot images of digits: samples, mistakes, and the least confident correct predictions."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from mnist_kedro.contracts import IMAGE_SIDE, LabeledImages, Pixels
from mnist_kedro.parameters import ReportingParameters
from mnist_kedro.plots.style import (
    INK,
    RED,
    WIDTH,
    annotate,
    create_figure,
    describe_test,
    model_title,
    styled,
)

_COLUMNS = 5  # the captions of more would overlap
_GAP = 8  # pixels between two digits
_CAPTION = 0.19  # height of a caption, in inches
_WALL_DIGITS = 10_000  # at most
_ENLARGED = 22  # misclassified digits that would fit into a row of it
_WALL_SIDE = 880  # pixels, of the figure's width
_NEARLY_CERTAIN = 0.995  # a higher confidence would be rounded to 100%
_UNSURE = 0.9


@styled
def digit_grid(
    images: Pixels,
    captions: Sequence[str],
    columns: int = _COLUMNS,
    colors: Sequence[str] | None = None,
) -> Figure:
    """Draw digits dark on white in a grid, each below its caption.

    Args:
        images: ``(n, 28, 28)`` or ``(n, 28, 28, 1)`` uint8 in 0–255.
        captions: n texts.
        columns: number of digits in a row.
        colors: n colors of the captions.
    """
    rows = max(1, math.ceil(len(images) / columns))
    cell_width = IMAGE_SIDE + _GAP
    pixels_per_inch = columns * cell_width / WIDTH
    room = math.ceil(_CAPTION * pixels_per_inch) if any(captions) else 0
    cell_height = cell_width + room
    canvas = np.zeros((rows * cell_height, columns * cell_width), np.uint8)
    figure = create_figure(len(canvas) / pixels_per_inch)
    axes = figure.add_subplot()
    axes.set_axis_off()
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        top = (i // columns + 1) * cell_height - IMAGE_SIDE
        left = i % columns * cell_width + _GAP // 2
        canvas[top : top + IMAGE_SIDE, left : left + IMAGE_SIDE] = image.reshape(
            IMAGE_SIDE, IMAGE_SIDE
        )
        color = colors[i] if colors else INK
        middle = left + IMAGE_SIDE / 2
        axes.text(middle, top - 2, caption, ha="center", va="bottom", color=color)
    axes.imshow(canvas, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    return figure


@styled
def plot_test_digits(test: LabeledImages, predictions: pd.DataFrame, *, model: str) -> Figure:
    """Plot every test digit, or the first 10,000 of more; misclassified ones are white on red.

    Args:
        test: the test split.
        predictions: a row for each of its digits, with ``label`` and ``prediction``.
        model: name of the model that predicted.
    """
    images = np.asarray(test["images"][:_WALL_DIGITS])[..., 0]
    shown = predictions.head(_WALL_DIGITS)
    wrong = (shown["label"] != shown["prediction"]).to_numpy()
    columns = math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    figure = create_figure(WIDTH * rows / columns)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.imshow(_draw_wall(images, wrong, columns, rows), interpolation="nearest")
    which = "All" if len(shown) == len(predictions) else f"The first {len(shown):,}"
    annotate(
        figure,
        f"{model_title(model)} misclassifies {wrong.sum():,} of {len(shown):,} test digits",
        f"{which} test digits; misclassified ones are highlighted and enlarged.",
        describe_test(test),
    )
    return figure


def _draw_wall(
    images: NDArray[np.uint8], wrong: NDArray[np.bool_], columns: int, rows: int
) -> NDArray[np.uint8]:
    """Draw ``(n, 28, 28)`` digits in a grid, black on white, and those that are wrong white on red.

    The latter are enlarged, so that a few of them among thousands can be seen.

    Returns:
        RGB pixels, 880 wide.
    """
    mosaic = 255 - tile_digits(images, columns)
    cell = _WALL_SIDE / columns  # pixels
    size = _WALL_SIDE, round(rows * cell)
    wall = Image.fromarray(mosaic).resize(size, Image.Resampling.BOX).convert("RGB")
    side = round(cell * min(max(1, columns / _ENLARGED), math.sqrt(0.2 / max(wrong.mean(), 1e-9))))
    side = max(side, math.ceil(cell))
    for number in np.flatnonzero(wrong):
        center = (number % columns + 0.5) * cell, (number // columns + 0.5) * cell
        left, top = (
            int(np.clip(round(middle - side / 2), 0, most - side))
            for middle, most in zip(center, size, strict=True)
        )
        digit = Image.fromarray(images[number]).resize((side, side), Image.Resampling.BOX)
        wall.paste(RED, (left, top, left + side, top + side))
        wall.paste("white", (left, top, left + side, top + side), mask=digit)
    return np.asarray(wall)


def tile_digits(images: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Tile ``(n, 28, 28)`` digits without gaps, row by row; the rest of the last row is 0."""
    rows = math.ceil(len(images) / columns)
    cells = np.zeros((rows * columns, IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    cells[: len(images)] = images
    lines = cells.reshape(rows, columns, IMAGE_SIDE, IMAGE_SIDE).swapaxes(1, 2)
    return lines.reshape(rows * IMAGE_SIDE, columns * IMAGE_SIDE)


@styled
def plot_sample_predictions(
    test: LabeledImages, predictions: pd.DataFrame, reporting: ReportingParameters, *, model: str
) -> Figure:
    """Plot the first test digits with their predictions, correct or not.

    Args:
        test: the test split.
        predictions: a row for each of its digits, with ``label``, ``prediction``, ``confidence``.
        reporting: ``examples`` is the number of digits to show.
        model: name of the model that predicted.
    """
    shown = predictions.head(reporting.examples)
    wrong = shown["label"] != shown["prediction"]
    correct = f"{(~wrong).sum()} of" if wrong.any() else "All of"
    return _plot_digits(
        test,
        shown,
        f"{correct} the first {len(shown)} test digits are classified correctly",
        f"{model_title(model)}'s prediction and confidence. Mistakes: true digit → prediction.",
        colors=[RED if is_wrong else INK for is_wrong in wrong],
    )


@styled
def plot_worst_mistakes(
    test: LabeledImages, predictions: pd.DataFrame, reporting: ReportingParameters, *, model: str
) -> Figure:
    """Plot the most confident mistakes, at most ``reporting.mistakes``.

    The other arguments are those of :func:`plot_sample_predictions`.
    """
    mistakes = predictions[predictions["label"] != predictions["prediction"]]
    worst = mistakes.sort_values("confidence", ascending=False, kind="stable").head(
        reporting.mistakes
    )
    which = "All" if len(worst) == len(mistakes) else f"The {len(worst)} most confident"
    return _plot_digits(
        test,
        worst,
        f"{model_title(model)} misclassifies {len(mistakes):,} of {len(predictions):,} test digits",
        f"{which} mistakes: true digit → prediction, and its confidence.",
    )


@styled
def plot_least_confident_hits(
    test: LabeledImages, predictions: pd.DataFrame, reporting: ReportingParameters, *, model: str
) -> Figure:
    """Plot the least confident correct predictions, at most ``reporting.mistakes``.

    The other arguments are those of :func:`plot_sample_predictions`.
    """
    hits = predictions[predictions["label"] == predictions["prediction"]]
    least = hits.sort_values("confidence", kind="stable").head(reporting.mistakes)
    unsure = int((hits["confidence"] < _UNSURE).sum())
    return _plot_digits(
        test,
        least,
        f"{model_title(model)} is less than {_UNSURE:.0%} sure of {unsure:,} of its {len(hits):,} "
        "correct predictions",
        f"The {len(least)} least confident correct predictions, with their confidence.",
    )


def _plot_digits(
    test: LabeledImages,
    predictions: pd.DataFrame,
    finding: str,
    detail: str,
    colors: Sequence[str] | None = None,
) -> Figure:
    """Plot some digits of the test split below their predictions."""
    captions = [caption(row) for row in predictions.itertuples()]
    figure = digit_grid(test["images"][predictions.index.to_numpy()], captions, colors=colors)
    annotate(figure, finding, detail, describe_test(test))
    return figure


def caption(row: Any) -> str:
    """Return the text above a digit: its prediction with the confidence, or its label first."""
    confidence = f"{row.confidence:.0%}" if row.confidence < _NEARLY_CERTAIN else ">99%"
    if row.label == row.prediction:
        return f"{row.prediction} {confidence}"
    return f"{row.label}→{row.prediction} {confidence}"
