"""Plot images of digits: samples, worst mistakes, least confident hits."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mnist_kedro.contracts import IMAGE_SIDE, LabeledImages, Pixels
from mnist_kedro.parameters import ReportingParameters
from mnist_kedro.plots.style import (
    INK,
    RED,
    annotate,
    describe_test,
    model_title,
    styled,
)

_CELL_WIDTH, _CELL_HEIGHT = IMAGE_SIDE + 8, IMAGE_SIDE + 12  # pixels, with room for the caption
_COLUMNS = 10
_CELL_INCHES = 0.85  # width
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
    canvas = np.zeros((rows * _CELL_HEIGHT, columns * _CELL_WIDTH), np.uint8)
    height = rows * _CELL_HEIGHT / _CELL_WIDTH * _CELL_INCHES
    figure = Figure(figsize=(columns * _CELL_INCHES, height))
    axes = figure.add_subplot()
    axes.set_axis_off()
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        top = i // columns * _CELL_HEIGHT + _CELL_HEIGHT - IMAGE_SIDE
        left = i % columns * _CELL_WIDTH + (_CELL_WIDTH - IMAGE_SIDE) // 2
        canvas[top : top + IMAGE_SIDE, left : left + IMAGE_SIDE] = image.reshape(
            IMAGE_SIDE, IMAGE_SIDE
        )
        color = colors[i] if colors else INK
        middle = left + IMAGE_SIDE / 2
        axes.text(middle, top - 2, caption, ha="center", va="bottom", fontsize=9, color=color)
    axes.imshow(canvas, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    return figure


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
        f"{model_title(model)}'s prediction and confidence; mistakes: true digit → prediction.",
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
        f"{model_title(model)} misclassifies {len(mistakes)} of {len(predictions):,} test digits",
        f"{which} mistakes: true digit → prediction, with its confidence.",
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
    annotate(figure, finding, detail, describe_test(test), grow=True)
    return figure


def caption(row: Any) -> str:
    """Return the text above a digit: its prediction with the confidence, or its label first."""
    confidence = f"{row.confidence:.0%}" if row.confidence < _NEARLY_CERTAIN else ">99%"
    if row.label == row.prediction:
        return f"{row.prediction}  {confidence}"
    return f"{row.label}→{row.prediction}  {confidence}"
