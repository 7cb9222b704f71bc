"""The risk-coverage curve: accuracy with a reject option."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter

from mnist_kedro.contracts import LabelledImages
from mnist_kedro.metrics.selective import Rejection, risk_coverage
from mnist_kedro.plots.style import FAINT, PALETTE, annotate, call, describe_test, styled


@styled
def plot_risk_coverage(
    test: LabelledImages, metrics: Mapping[str, Any], **predictions: pd.DataFrame
) -> Figure:
    """Plot the error rate of the classified digits against their share of all digits.

    Args:
        test: the test split.
        metrics: of the models; the confidence thresholds were chosen on the validation digits.
        predictions: for each model, a row for each test digit with ``label``, ``prediction`` and
            ``confidence``.
    """
    rejections = {model: metrics["models"][model]["rejection"] for model in predictions}
    figure = Figure(figsize=(7, 4.6))
    axes = figure.add_subplot()
    for (model, table), colour in zip(predictions.items(), PALETTE, strict=False):
        right = (table["label"] == table["prediction"]).to_numpy()
        curve = risk_coverage(right, table["confidence"].to_numpy())
        some = curve.risk > 0  # none has no place on a logarithmic axis
        axes.plot(curve.coverage[some], curve.risk[some], color=colour, label=model)
        chosen = rejections[model]
        if chosen["errors"]:
            risk = 1 - (chosen["accuracy"] or 0)
            axes.plot(chosen["coverage"], risk, "o", color=colour, markersize=7)
    first, rejection = next(iter(rejections.items()))
    target = rejection["target_accuracy"]
    axes.axhline(1 - target, color=FAINT, linewidth=1, linestyle=":")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("Digits read, the surest first")
    axes.set_ylabel("Of those, misread")
    axes.legend(loc="upper left")
    annotate(
        figure,
        _finding(first, rejection),
        f"Dots: as sure as makes {target:.2%} right (dotted line) on the validation digits.",
        describe_test(test),
    )
    return figure


def _finding(model: str, rejection: Rejection) -> str:
    if rejection["accuracy"] is None:
        return f"{call(model)} is never sure enough to read by itself"
    read = f"{call(model)} reads {rejection['coverage']:.1%} of the digits by itself"
    return f"{read}, {rejection['accuracy']:.2%} of them right"
