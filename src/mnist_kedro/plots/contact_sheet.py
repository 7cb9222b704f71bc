"""Plot pictures, the ink that was found in them, and the predictions of a network."""

import math
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mnist_kedro.parameters import InferenceParameters
from mnist_kedro.plots.digits import caption
from mnist_kedro.plots.style import FAINT, INK, RED, WIDTH, annotate, create_figure, styled

_COLUMNS = 3
_SIDE = 84  # pixels of a picture, and of a digit beside it
_WIDTH, _HEIGHT = 2 * _SIDE + 16, _SIDE + 66  # of a cell, with room for two lines
_NAME = 15  # letters of a file's name that fit


@styled
def plot_contact_sheet(
    shown_pictures: Mapping[str, Any],
    shown_predictions: pd.DataFrame,
    inference: InferenceParameters,
) -> Figure:
    """Plot some pictures with the ink that was found, what the network sees, and its predictions.

    Args:
        shown_pictures: ``thumbnails`` ``(n, 84, 84, 3)`` and ``pixels`` ``(n, 28, 28, 1)``, both
            uint8, and ``total``, the number of all pictures.
        shown_predictions: n rows with ``file``, ``digit``, ``confidence``, ``status`` and
            optionally ``label``.
        inference: names the pictures.
    """
    shown = shown_predictions.rename(columns={"digit": "prediction"})
    if "label" not in shown:
        shown["label"] = shown["prediction"]
    shown["label"] = shown["label"].fillna(shown["prediction"])
    rejected = shown["prediction"].isna()
    rows = max(1, math.ceil(len(shown) / _COLUMNS))
    canvas = np.full((rows * _HEIGHT, _COLUMNS * _WIDTH, 3), 255, np.uint8)
    figure = create_figure(rows * _HEIGHT / _WIDTH * WIDTH / _COLUMNS)
    axes = figure.add_subplot()
    axes.set_axis_off()
    for i, row in enumerate(shown.itertuples()):
        top, left = i // _COLUMNS * _HEIGHT + 30, i % _COLUMNS * _WIDTH
        digit = np.kron(255 - shown_pictures["pixels"][i], np.ones((3, 3, 3), np.uint8))
        pair = np.concatenate([shown_pictures["thumbnails"][i], digit], axis=1)
        canvas[top : top + _SIDE, left : left + 2 * _SIDE] = pair
        text, color = _describe(row, is_rejected=bool(rejected.iloc[i]))
        axes.text(left, top - 4, text, ha="left", va="bottom", color=color)
        below = top + _SIDE + 4
        axes.text(left, below, _short(str(row.file)), ha="left", va="top", color=FAINT)
    axes.imshow(canvas, interpolation="antialiased")
    count, pictures = shown_pictures["total"], shown["file"].nunique()
    which = "All pictures" if count == pictures else f"A selection from {count:,} pictures"
    is_digit = shown["is_digit"].fillna(True).astype(bool)
    found = shown.loc[~rejected & is_digit, "file"].nunique()
    labeled = shown_predictions["label"].notna().any() if "label" in shown_predictions else False
    annotate(
        figure,
        f"A digit is found in {found} of these {pictures} pictures",
        f"{which}. Each pair shows a picture with its ink in color, and the image that the network "
        "classifies." + (" Red: label → prediction." if labeled else ""),
        str(inference.images),
    )
    return figure


def _describe(row: Any, *, is_rejected: bool) -> tuple[str, str]:
    """Return the text above a picture, and its color."""
    if is_rejected:
        return re.split(r":| \(", row.status)[0], FAINT
    if pd.notna(row.is_digit) and not row.is_digit:
        return f"no digit? {caption(row)}", FAINT
    return caption(row), INK if row.label == row.prediction else RED


def _short(file: str) -> str:
    """Shorten a file's name in the middle, so that its end is seen."""
    name = PurePosixPath(file).name
    return name if len(name) <= _NAME else f"{name[: _NAME // 2 - 1]}…{name[-_NAME // 2 :]}"
