"""Plot the accuracy of the models under adversarial attacks."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.metrics.prediction import probabilities_of
from mnist_kedro.parameters import AdversarialParameters
from mnist_kedro.plots.digits import digit_grid
from mnist_kedro.plots.style import (
    INK,
    PALETTE,
    RED,
    add_legend,
    annotate,
    create_figure,
    describe_test,
    model_in_sentence,
    styled,
)

_LINES = {"fgsm": ("--", "one step (FGSM)"), "pgd": ("-", "many steps (PGD)")}


@styled
def plot_adversarial_accuracy(test: LabeledImages, accuracies: pd.DataFrame) -> Figure:
    """Plot the accuracy of each model under each attack against the largest change of a pixel.

    Args:
        test: the test split.
        accuracies: a row for each ``model``, ``attack`` and ``epsilon`` (in 0–1) with ``digits``
            and ``accuracy``.
    """
    figure = create_figure(3.4)
    axes = figure.add_subplot()
    models = accuracies["model"].unique()
    for model, color in zip(models, PALETTE, strict=False):
        for attack, (line, description) in _LINES.items():
            rows = accuracies[(accuracies["model"] == model) & (accuracies["attack"] == attack)]
            axes.plot(
                rows["epsilon"],
                rows["accuracy"],
                line,
                color=color,
                marker="o",
                markersize=4,
                label=f"{model}, {description}",
            )
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("Maximum change of a pixel (ε), % of its range")
    axes.set_ylabel("Accuracy")
    add_legend(axes)
    first = accuracies[(accuracies["model"] == models[0]) & (accuracies["attack"] == "pgd")]
    halved = first[first["accuracy"] < 0.5].head(1)
    quoted = (halved if len(halved) else first.tail(1)).iloc[0]
    change, errors = quoted["epsilon"], 1 - quoted["accuracy"]
    annotate(
        figure,
        f"When each pixel changes by up to {change:.0%}, {model_in_sentence(models[0])} "
        f"misclassifies {errors:.0%} of the digits",
        f"{accuracies['digits'].iloc[0]:,} test digits under white-box attacks, which use the "
        "network's gradients.",
        describe_test(test),
    )
    return figure


@styled
def plot_adversarial_digits(
    model: Any, test: LabeledImages, adversarial: AdversarialParameters, *, name: str
) -> Figure:
    """Plot a digit of each class under increasingly strong attacks, with the predictions.

    Args:
        model: the attacked Keras model.
        test: the test split.
        adversarial: strengths and steps of the attacks (PGD).
        name: of the model.
    """
    from mnist_kedro.models.attacks import projected_gradient_descent  # noqa: PLC0415  (TensorFlow)

    rows = np.unique(np.asarray(test["labels"]), return_index=True)[1]
    images, labels = test["images"][rows], np.asarray(test["labels"])[rows]
    epsilons = [0.0, *adversarial.epsilons]
    steps, seed = adversarial.pgd_steps, adversarial.seed
    changed = np.concatenate(
        [
            projected_gradient_descent(model, images, labels, epsilon, steps, seed)
            for epsilon in epsilons
        ]
    )
    predicted = probabilities_of(model, changed).argmax(axis=1)
    true = np.tile(labels, len(epsilons))
    wrong = predicted != true
    figure = digit_grid(
        changed,
        [
            f"{label}→{prediction}" if label != prediction else str(label)
            for label, prediction in zip(true, predicted, strict=True)
        ],
        columns=len(labels),
        colors=[RED if is_wrong else INK for is_wrong in wrong],
    )
    misclassified = wrong[-len(labels) :].sum()
    annotate(
        figure,
        f"When each pixel changes by up to {epsilons[-1]:.0%}, {model_in_sentence(name)} "
        f"misclassifies {misclassified} of these {len(labels)} digits",
        "From top to bottom, pixels change by at most "
        + ", ".join(f"{epsilon:.0%}" for epsilon in epsilons)
        + " of their range (PGD). Mistakes: true digit → prediction.",
        describe_test(test),
    )
    return figure
