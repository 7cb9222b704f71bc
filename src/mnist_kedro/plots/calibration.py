"""The reliability diagram: whether confidence matches accuracy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mnist_kedro.contracts import LabelledImages
from mnist_kedro.metrics.calibration import (
    Reliability,
    expected_calibration_error,
    reliability,
)
from mnist_kedro.metrics.classification import wilson_interval
from mnist_kedro.metrics.prediction import PROBABILITIES
from mnist_kedro.plots.style import BLUE, FAINT, ORANGE, annotate, call, describe_test, styled

_BAR = 0.012  # of confidence


@styled
def plot_reliability_diagram(
    test: LabelledImages, predictions: pd.DataFrame, metrics: Mapping[str, Any], *, model: str
) -> Figure:
    """Plot accuracy against confidence, as trained and after temperature scaling.

    Args:
        test: the test split.
        predictions: a row for each of its digits, with ``label`` and ``p0`` … ``p9``.
        metrics: of the models; the temperature was chosen on the validation digits.
        model: name of the model that predicted.
    """
    labels = predictions["label"].to_numpy()
    probabilities = predictions[PROBABILITIES].to_numpy()
    temperature = metrics["models"][model]["temperature_scaling"]["temperature"]
    trained_error = expected_calibration_error(labels, probabilities)
    scaled_error = expected_calibration_error(labels, probabilities, temperature)
    figure = Figure(figsize=(7, 5.6))
    accuracy, count = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    accuracy.plot([0, 1], [0, 1], ":", color=FAINT, linewidth=1, label="as it should be")
    variants = (
        (f"as trained, error {trained_error:.2%}", 1.0, BLUE, -_BAR / 2),
        (f"temperature {temperature:.2f}, error {scaled_error:.2%}", temperature, ORANGE, _BAR / 2),
    )
    for label, divisor, colour, offset in variants:
        bins = reliability(labels, probabilities, divisor)
        _draw_accuracy(accuracy, bins, colour, label)
        count.bar(bins.confidence + offset, bins.digits, width=_BAR, color=colour)
    accuracy.set_ylabel("Accuracy")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0))
    accuracy.legend(loc="lower right")
    count.set_yscale("log")
    count.set_ylabel("Digits")
    count.set_xlabel("Confidence, the mean of each of 15 bins")
    count.xaxis.set_major_formatter(PercentFormatter(1.0))
    annotate(
        figure,
        f"{call(model)}'s confidence is {trained_error:.2%} off, scaled {scaled_error:.2%}",
        "The temperature, found on validation digits, changes no prediction. Bars: 95% intervals.",
        describe_test(test),
    )
    return figure


def _draw_accuracy(axes: Axes, bins: Reliability, colour: str, label: str) -> None:
    right = np.rint(bins.accuracy * bins.digits).astype(int)
    pairs = [wilson_interval(r, n) for r, n in zip(right, bins.digits, strict=True)]
    low, high = np.transpose(pairs)
    axes.errorbar(
        bins.confidence,
        bins.accuracy,
        yerr=np.maximum((bins.accuracy - low, high - bins.accuracy), 0),
        color=colour,
        marker="o",
        markersize=5,
        linewidth=1.2,
        elinewidth=0.8,
        capsize=2,
        label=label,
    )
