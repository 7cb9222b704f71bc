"""Pictures of digits: a plain grid, sample predictions, worst mistakes, least confident hits."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mnist_kedro.contracts import IMAGE_SIDE, LabelledImages, Pixels
from mnist_kedro.parameters import ReportingParameters
from mnist_kedro.plots.style import (
    FAINT,
    FOOTER_INCHES,
    INK,
    RED,
    TITLE_INCHES,
    annotate,
    call,
    describe_test,
    styled,
)

_CELL_WIDTH, _CELL_HEIGHT = IMAGE_SIDE + 8, IMAGE_SIDE + 12  # pixels, with room for the caption
_COLUMNS = 10
_INCHES = 0.85  # a cell's width
_SURE = 0.995  # would be rounded to 100%
_UNSURE = 0.9


@styled
def digit_grid(
    images: Pixels,
    captions: Sequence[str],
    columns: int = _COLUMNS,
    colours: Sequence[str] | None = None,
) -> Figure:
    """Draw digits, dark on white, each with its caption above it.

    Args:
        images: ``(n, 28, 28)`` or ``(n, 28, 28, 1)`` uint8 in 0–255.
        captions: n texts.
        columns: digits in a row.
        colours: n colours of the captions.
    """
    rows = max(1, math.ceil(len(images) / columns))
    paper = np.zeros((rows * _CELL_HEIGHT, columns * _CELL_WIDTH), np.uint8)
    height = rows * _CELL_HEIGHT / _CELL_WIDTH * _INCHES
    figure = Figure(figsize=(columns * _INCHES, height))
    axes = figure.add_subplot()
    axes.set_axis_off()
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        top = i // columns * _CELL_HEIGHT + _CELL_HEIGHT - IMAGE_SIDE
        left = i % columns * _CELL_WIDTH + (_CELL_WIDTH - IMAGE_SIDE) // 2
        paper[top : top + IMAGE_SIDE, left : left + IMAGE_SIDE] = image.reshape(
            IMAGE_SIDE, IMAGE_SIDE
        )
        colour = colours[i] if colours else INK
        middle = left + IMAGE_SIDE / 2
        axes.text(middle, top - 2, caption, ha="center", va="bottom", fontsize=9, color=colour)
    axes.imshow(paper, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    return figure


@styled
def plot_sample_predictions(
    test: LabelledImages, predictions: pd.DataFrame, reporting: ReportingParameters, *, model: str
) -> Figure:
    """Plot the first test digits with their predictions, correct or not.

    Args:
        test: the test split.
        predictions: a row for each of its digits, with ``label``, ``prediction``, ``confidence``.
        reporting: ``examples``, the number of digits to show.
        model: name of the model that predicted.
    """
    shown = predictions.head(reporting.examples)
    wrong = shown["label"] != shown["prediction"]
    right = f"{(~wrong).sum()} of" if wrong.any() else "All of"
    figure = _captioned_digits(
        test["images"][: len(shown)], shown, [RED if is_wrong else INK for is_wrong in wrong]
    )
    annotate(
        figure,
        f"{right} the first {len(shown)} test digits are classified correctly",
        f"{call(model)}'s prediction and confidence; for a mistake, true digit → prediction.",
        describe_test(test),
    )
    return figure


@styled
def plot_worst_mistakes(
    test: LabelledImages, predictions: pd.DataFrame, reporting: ReportingParameters, *, model: str
) -> Figure:
    """Plot the most confident mistakes, ``reporting.mistakes`` at most.

    The other arguments are those of :func:`plot_sample_predictions`.
    """
    mistakes = predictions[predictions["label"] != predictions["prediction"]]
    worst = mistakes.sort_values("confidence", ascending=False, kind="stable").head(
        reporting.mistakes
    )
    images = test["images"][worst.index.to_numpy()]
    figure = _captioned_digits(images, worst, [INK] * len(worst))
    which = "All of them" if len(worst) == len(mistakes) else f"The {len(worst)} it is surest of"
    annotate(
        figure,
        f"{call(model)} misclassifies {len(mistakes)} of {len(predictions):,} test digits",
        f"{which}: true digit → prediction, and its confidence.",
        describe_test(test),
    )
    return figure


@styled
def plot_least_confident_hits(
    test: LabelledImages, predictions: pd.DataFrame, reporting: ReportingParameters, *, model: str
) -> Figure:
    """Plot the least confident correct predictions, ``reporting.mistakes`` at most.

    The other arguments are those of :func:`plot_sample_predictions`.
    """
    hits = predictions[predictions["label"] == predictions["prediction"]]
    least = hits.sort_values("confidence", kind="stable").head(reporting.mistakes)
    images = test["images"][least.index.to_numpy()]
    figure = _captioned_digits(images, least, [INK] * len(least))
    unsure = int((hits["confidence"] < _UNSURE).sum())
    annotate(
        figure,
        f"{call(model)} is less than {_UNSURE:.0%} sure of {unsure:,} of the {len(hits):,} digits "
        "it reads right",
        f"The {len(least)} it is least sure of: the right prediction, and its confidence.",
        describe_test(test),
    )
    return figure


@styled
def plot_contact_sheet(
    pixels: Pixels, predictions: pd.DataFrame, count: int, source: str
) -> Figure:
    """Plot pictures as the network sees them, with their predictions.

    Args:
        pixels: ``(n, 28, 28, 1)`` uint8.
        predictions: n rows with ``digit``, ``confidence``, ``status`` and perhaps ``label``.
        count: the number of all pictures.
        source: where they come from.
    """
    shown = predictions.rename(columns={"digit": "prediction"})
    if "label" not in shown:
        shown["label"] = shown["prediction"]
    shown["label"] = shown["label"].fillna(shown["prediction"])
    unread = shown["prediction"].isna()
    captions = [
        "no digit" if nothing else _caption(row)
        for nothing, row in zip(unread, shown.itertuples(), strict=True)
    ]
    wrong = (shown["label"] != shown["prediction"]).fillna(value=False)
    colours = [
        FAINT if nothing else RED if is_wrong else INK
        for nothing, is_wrong in zip(unread, wrong, strict=True)
    ]
    figure = digit_grid(pixels, captions, colours=colours)
    figure.set_figheight(figure.get_figheight() + TITLE_INCHES + FOOTER_INCHES)
    which = "All" if count == len(shown) else f"From all of {count:,}"
    annotate(
        figure,
        f"A digit is read in {(~unread).sum()} of these {len(shown)} pictures",
        f"{which}, as the network sees them: its reading and confidence; red: label → reading.",
        source,
    )
    return figure


def _captioned_digits(images: Pixels, predictions: pd.DataFrame, colours: list[str]) -> Figure:
    captions = [_caption(row) for row in predictions.itertuples()]
    figure = digit_grid(images, captions, colours=colours)
    figure.set_figheight(figure.get_figheight() + TITLE_INCHES + FOOTER_INCHES)
    return figure


def _caption(row: Any) -> str:
    confidence = f"{row.confidence:.0%}" if row.confidence < _SURE else ">99%"
    if row.label == row.prediction:
        return f"{row.prediction}  {confidence}"
    return f"{row.label}→{row.prediction}  {confidence}"
