"""Plot pictures as a network sees them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from mnist_kedro.parameters import InferenceParameters
from mnist_kedro.plots.digits import caption, digit_grid
from mnist_kedro.plots.style import (
    FAINT,
    INK,
    RED,
    annotate,
    styled,
)


@styled
def plot_contact_sheet(
    shown_pictures: Mapping[str, Any],
    shown_predictions: pd.DataFrame,
    inference: InferenceParameters,
) -> Figure:
    """Plot some pictures as the network sees them, with its predictions.

    Args:
        shown_pictures: ``pixels`` ``(n, 28, 28, 1)`` uint8, and ``total``, the number of all
            pictures.
        shown_predictions: n rows with ``digit``, ``confidence``, ``status`` and optionally
            ``label``.
        inference: names the pictures.
    """
    shown = shown_predictions.rename(columns={"digit": "prediction"})
    if "label" not in shown:
        shown["label"] = shown["prediction"]
    shown["label"] = shown["label"].fillna(shown["prediction"])
    rejected = shown["prediction"].isna()
    captions = [
        "no digit" if is_rejected else caption(row)
        for is_rejected, row in zip(rejected, shown.itertuples(), strict=True)
    ]
    wrong = (shown["label"] != shown["prediction"]).fillna(value=False)
    colors = [
        FAINT if is_rejected else RED if is_wrong else INK
        for is_rejected, is_wrong in zip(rejected, wrong, strict=True)
    ]
    figure = digit_grid(shown_pictures["pixels"], captions, colors=colors)
    count = shown_pictures["total"]
    which = "All pictures" if count == len(shown) else f"A selection from {count:,} pictures"
    annotate(
        figure,
        f"A digit is found in {(~rejected).sum()} of these {len(shown)} pictures",
        f"{which}, as the network sees them: prediction, confidence; red: label → prediction.",
        str(inference.images),
        grow=True,
    )
    return figure
