"""What becomes of accuracy when digits are changed to be misread."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from mnist_kedro.contracts import LabelledImages, Pixels
from mnist_kedro.plots.digits import digit_grid
from mnist_kedro.plots.style import (
    FOOTER_INCHES,
    INK,
    PALETTE,
    RED,
    TITLE_INCHES,
    annotate,
    call,
    decapitalise,
    describe_test,
    styled,
)

_LINES = {"fgsm": ("--", "one step (FGSM)"), "pgd": ("-", "many steps (PGD)")}


@styled
def plot_adversarial_accuracy(test: LabelledImages, accuracies: pd.DataFrame) -> Figure:
    """Accuracy of each model under each attack, against how far the pixels may be changed.

    Args:
        test: the test split.
        accuracies: a row for each ``model``, ``attack`` and ``epsilon`` (in 0–1) with ``digits``
            and ``accuracy``.
    """
    figure = Figure(figsize=(8, 4.6))
    axes = figure.add_subplot()
    models = accuracies["model"].unique()
    for model, colour in zip(models, PALETTE, strict=False):
        for attack, (line, called) in _LINES.items():
            own = accuracies[(accuracies["model"] == model) & (accuracies["attack"] == attack)]
            axes.plot(
                own["epsilon"],
                own["accuracy"],
                line,
                color=colour,
                marker="o",
                markersize=4,
                label=f"{model}, {called}",
            )
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("Largest change of a pixel, of its range")
    axes.set_ylabel("Accuracy")
    axes.legend(loc="best")
    first = accuracies[(accuracies["model"] == models[0]) & (accuracies["attack"] == "pgd")]
    halved = first[first["accuracy"] < 0.5].head(1)
    told = (halved if len(halved) else first.tail(1)).iloc[0]
    annotate(
        figure,
        f"When pixels change by {told['epsilon']:.0%}, {decapitalise(call(models[0]))} misreads "
        f"{1 - told['accuracy']:.0%} of the digits",
        f"{accuracies['digits'].iloc[0]:,} test digits, each changed by someone who knows the "
        "network and wants it to misread them.",
        describe_test(test),
    )
    return figure


@styled
def plot_adversarial_digits(
    test: LabelledImages,
    changed: Mapping[float, Pixels],
    read: Mapping[float, NDArray[np.integer]],
    labels: NDArray[np.integer],
    model: str,
) -> Figure:
    """The same digits changed more and more, and what the network reads.

    Args:
        test: the test split.
        changed: by how far a pixel may be changed (0–1), ``(n, 28, 28, 1)`` uint8.
        read: by the same, ``(n,)`` integers in 0–9.
        labels: ``(n,)`` integers in 0–9, the true classes.
        model: that they are changed for.
    """
    pictures = np.concatenate(list(changed.values()))
    predictions = np.concatenate(list(read.values()))
    true = np.tile(labels, len(changed))
    wrong = predictions != true
    figure = digit_grid(
        pictures,
        [
            f"{label}→{prediction}" if label != prediction else str(label)
            for label, prediction in zip(true, predictions, strict=True)
        ],
        columns=len(labels),
        colours=[RED if is_wrong else INK for is_wrong in wrong],
    )
    figure.set_figheight(figure.get_figheight() + TITLE_INCHES + FOOTER_INCHES)
    epsilons = list(changed)
    last = wrong[-len(labels) :].sum()
    annotate(
        figure,
        f"When pixels change by {epsilons[-1]:.0%}, {decapitalise(call(model))} misreads "
        f"{last} of these {len(labels)} digits",
        "From above, pixels change by at most "
        + ", ".join(f"{epsilon:.0%}" for epsilon in epsilons)
        + " of their range (PGD). Where it misreads: true digit → prediction.",
        describe_test(test),
    )
    return figure
