"""Plot the risk-coverage curve: the error rate with a reject option."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.errors import InputError
from mnist_kedro.metrics.selective import Rejection, risk_coverage
from mnist_kedro.plots.style import (
    FAINT,
    PALETTE,
    add_legend,
    annotate,
    create_figure,
    describe_test,
    model_in_sentence,
    styled,
)


@styled
def plot_risk_coverage(
    test: LabeledImages, metrics: Mapping[str, Any], **predictions: pd.DataFrame
) -> Figure:
    """Plot the error rate of the classified digits against their share of all digits.

    Args:
        test: the test split.
        metrics: the content of ``metrics.json``, with the confidence threshold of each model.
        predictions: for each model, a row for each test digit with ``label``, ``prediction`` and
            ``confidence``.

    Raises:
        InputError: if the metrics are of other models.
    """
    if missing := [model for model in predictions if model not in metrics["models"]]:
        raise InputError(
            f"metrics: '{missing[0]}' is missing; run 'kedro run --pipelines evaluation', or name "
            f"the models of the metrics: --params training.models=[{','.join(metrics['models'])}]."
        )
    rejections = {model: metrics["models"][model]["rejection"] for model in predictions}
    figure = create_figure(3.4)
    axes = figure.add_subplot()
    for (model, table), color in zip(predictions.items(), PALETTE, strict=False):
        correct = (table["label"] == table["prediction"]).to_numpy()
        curve = risk_coverage(correct, table["confidence"].to_numpy())
        positive = curve.risk > 0  # a logarithmic axis cannot show zero
        axes.plot(curve.coverage[positive], curve.risk[positive], color=color, label=model)
        at_threshold = rejections[model]
        if at_threshold["errors"]:
            risk = 1 - (at_threshold["accuracy"] or 0)
            axes.plot(at_threshold["coverage"], risk, "o", color=color, markersize=7)
    first, rejection = next(iter(rejections.items()))
    target = rejection["target_accuracy"]
    axes.axhline(1 - target, color=FAINT, linewidth=1, linestyle=":")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("Digits classified, the most confident first")
    axes.set_ylabel("Error rate on these digits")
    add_legend(axes)
    annotate(
        figure,
        _finding(first, rejection),
        f"Dots: confidence threshold chosen for {target:.2%} accuracy on the validation digits. "
        f"Dotted line: {1 - target:.2%} errors.",
        describe_test(test),
    )
    return figure


def _finding(model: str, rejection: Rejection) -> str:
    if rejection["accuracy"] is None:
        return f"The confidence of {model_in_sentence(model)} is always below the threshold"
    return (
        f"With a reject option, {model_in_sentence(model)} classifies {rejection['coverage']:.1%} "
        f"of the test digits, {rejection['accuracy']:.2%} of these correctly"
    )
