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
    scale_temperature,
)
from mnist_kedro.metrics.classification import wilson_interval
from mnist_kedro.metrics.prediction import PROBABILITIES
from mnist_kedro.metrics.reliability import SURE, reliability_of_equal_counts
from mnist_kedro.plots.style import (
    BLUE,
    FAINT,
    ORANGE,
    add_legend,
    annotate,
    create_figure,
    describe_test,
    model_title,
    styled,
)


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
    figure = create_figure(3.8)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], ":", color=FAINT, linewidth=1, label="perfect calibration")
    variants = [(f"with temperature {temperature:.2f}", probabilities, BLUE, "o")]
    explanation = "No temperature improved the probabilities of the validation digits."
    if temperature != 1.0:
        without = scale_temperature(probabilities, 1 / temperature)
        variants.append(("without temperature", without, ORANGE, "s"))
        explanation = (
            "The temperature is fitted to the validation digits and changes no prediction."
        )
    lowest = 1.0
    for name, predicted, color, marker in variants:
        bins = reliability_of_equal_counts(labels, predicted)
        variant_error = expected_calibration_error(labels, predicted)
        _draw_accuracy(axes, bins, color, marker, f"{name}: error {variant_error:.2%}")
        lowest = min(lowest, bins.confidence.min())
    axes.set_xlim(max(0.0, lowest - 0.05), 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("Mean confidence")
    axes.set_ylabel("Accuracy")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    add_legend(axes)
    annotate(
        figure,
        f"{model_title(model)}'s expected calibration error is {error:.2%}",
        f"Digits below {SURE:.0%} confidence are grouped into bins of equal size; all others form "
        f"one bin. Bars: 95% intervals. {explanation}",
        describe_test(test),
    )
    return figure


def _draw_accuracy(axes: Axes, bins: Reliability, color: str, marker: str, label: str) -> None:
    correct = np.rint(bins.accuracy * bins.digits).astype(int)
    intervals = [wilson_interval(k, n) for k, n in zip(correct, bins.digits, strict=True)]
    low, high = np.transpose(intervals)
    axes.errorbar(
        bins.confidence,
        bins.accuracy,
        yerr=np.maximum((bins.accuracy - low, high - bins.accuracy), 0),
        fmt=marker,
        color=color,
        elinewidth=0.9,
        capsize=2,
        label=label,
    )
