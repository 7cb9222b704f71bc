"""Plot the reliability diagram, which compares confidence with accuracy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.metrics.calibration import (
    Reliability,
    expected_calibration_error,
    reliability,
    scale_temperature,
)
from mnist_kedro.metrics.classification import wilson_interval
from mnist_kedro.metrics.prediction import PROBABILITIES
from mnist_kedro.plots.style import (
    BLUE,
    FAINT,
    ORANGE,
    annotate,
    describe_test,
    model_title,
    styled,
)

_WIDTH = 0.012  # of a bar, in units of confidence


@styled
def plot_reliability_diagram(
    test: LabeledImages, predictions: pd.DataFrame, metrics: Mapping[str, Any], *, model: str
) -> Figure:
    """Plot accuracy against confidence, with the model's temperature and without it.

    Args:
        test: the test split.
        predictions: a row for each of its digits, with ``label`` and ``p0`` … ``p9``.
        metrics: the content of ``metrics.json``, with the temperature of each model.
        model: name of the model that predicted.
    """
    labels = predictions["label"].to_numpy()
    probabilities = predictions[PROBABILITIES].to_numpy()
    temperature = metrics["models"][model]["temperature_scaling"]["temperature"]
    error = expected_calibration_error(labels, probabilities)
    figure = Figure(figsize=(7, 5.6))
    accuracy, count = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    accuracy.plot([0, 1], [0, 1], ":", color=FAINT, linewidth=1, label="perfect calibration")
    variants = [(f"temperature {temperature:.2f}", probabilities, BLUE)]
    explanation = "No temperature improved the probabilities of validation digits."
    if temperature != 1.0:
        without = scale_temperature(probabilities, 1 / temperature)
        variants.append(("without it", without, ORANGE))
        explanation = "The temperature, fitted to validation digits, changes no prediction."
    for number, (name, predicted, color) in enumerate(variants):
        bins = reliability(labels, predicted)
        variant_error = expected_calibration_error(labels, predicted)
        _draw_accuracy(accuracy, bins, color, f"{name}, error {variant_error:.2%}")
        left = bins.confidence + (number - len(variants) / 2) * _WIDTH
        count.bar(left, bins.digits, width=_WIDTH, color=color, align="edge")
    accuracy.set_ylabel("Accuracy")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0))
    accuracy.legend(loc="lower right")
    count.set_yscale("log")
    count.set_ylabel("Digits")
    count.set_xlabel("Confidence (mean of each of 15 bins)")
    count.xaxis.set_major_formatter(PercentFormatter(1.0))
    annotate(
        figure,
        f"{model_title(model)}'s calibration error is {error:.2%}",
        f"{explanation} Bars: 95% intervals.",
        describe_test(test),
    )
    return figure


def _draw_accuracy(axes: Axes, bins: Reliability, color: str, label: str) -> None:
    correct = np.rint(bins.accuracy * bins.digits).astype(int)
    intervals = [wilson_interval(k, n) for k, n in zip(correct, bins.digits, strict=True)]
    low, high = np.transpose(intervals)
    axes.errorbar(
        bins.confidence,
        bins.accuracy,
        yerr=np.maximum((bins.accuracy - low, high - bins.accuracy), 0),
        color=color,
        marker="o",
        markersize=5,
        linewidth=1.2,
        elinewidth=0.8,
        capsize=2,
        label=label,
    )
