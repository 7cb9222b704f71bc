"""Plot accuracy and loss over the epochs of training."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    LogLocator,
    MaxNLocator,
    NullFormatter,
    PercentFormatter,
    StrMethodFormatter,
)

from mnist_kedro.contracts import CLASSES, LabeledImages
from mnist_kedro.plots.style import (
    FAINT,
    PALETTE,
    add_legend,
    annotate,
    create_figure,
    describe_source,
    styled,
)


@styled
def plot_training_curves(train: LabeledImages, **histories: Mapping[str, Any]) -> Figure:
    """Plot the accuracy and loss of each model on the training and validation digits.

    Args:
        train: the training split.
        histories: a :class:`~mnist_kedro.models.fitting.TrainingHistory` for each model.
    """
    figure = create_figure(5.2)
    accuracy_axes, loss_axes = figure.subplots(2, 1, sharex=True)
    for axes, key, title in (
        (accuracy_axes, "accuracy", "Accuracy"),
        (loss_axes, "loss", "Loss (cross-entropy)"),
    ):
        for history, color in zip(histories.values(), PALETTE, strict=False):
            epochs = range(1, history["epochs"] + 1)
            marker = "o" if len(epochs) <= 20 else None
            axes.plot(epochs, history[key], "--", color=color, alpha=0.8)
            axes.plot(
                epochs, history[f"validation_{key}"], color=color, marker=marker, markersize=4
            )
        axes.set_ylabel(title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    loss_axes.set_xlabel("Epoch")
    accuracy_axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    loss_axes.set_yscale("log")
    loss_axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    loss_axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    loss_axes.yaxis.set_minor_formatter(NullFormatter())
    _add_legend(accuracy_axes, list(histories))

    first = next(iter(histories.values()))
    same = len({history["epochs"] for history in histories.values()}) == 1
    finals = ", ".join(
        f"{name} {history['validation_accuracy'][-1]:.2%}"
        + ("" if same else f" ({_count_epochs(history['epochs'])})")
        for name, history in histories.items()
    )
    after = f" after {_count_epochs(first['epochs'])}" if same else ""
    annotate(
        figure,
        f"Validation accuracy{after}: {finals}",
        ("" if same else f"{next(iter(histories))}: ")
        + f"{first['training_digits']:,} training digits, {_describe_augmentation(first)}."
        f"{_describe_smoothing(first)}",
        describe_source(train),
    )
    return figure


def _describe_augmentation(history: Mapping[str, Any]) -> str:
    augmented, epochs = history["augmented_epochs"], history["epochs"]
    if augmented == 0:
        return "not augmented"
    harder = "which makes them harder to classify than validation digits"
    if augmented == epochs:
        return f"augmented in each epoch, {harder}"
    return f"augmented in the first {_count_epochs(augmented)}, {harder}"


def _describe_smoothing(history: Mapping[str, Any]) -> str:
    smoothing = history.get("label_smoothing", 0)  # earlier versions of this project had none
    if not smoothing:
        return ""
    targets = np.full(CLASSES, smoothing / CLASSES)
    targets[0] += 1 - smoothing
    entropy = -(targets * np.log(targets)).sum()
    return f" With label smoothing, the training loss is at least {entropy:.2f}."


def _count_epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"


def _add_legend(axes: Axes, names: list[str]) -> None:
    models = [
        Line2D([], [], color=color, label=name) for name, color in zip(names, PALETTE, strict=False)
    ]
    splits = [
        Line2D([], [], color=FAINT, label="validation", marker="o", markersize=4),
        Line2D([], [], color=FAINT, label="training", linestyle="--"),
    ]
    add_legend(axes, [*models, *splits])
