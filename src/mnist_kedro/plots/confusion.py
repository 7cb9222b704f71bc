"""Plot the confusion matrix."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.metrics.classification import confusion_matrix
from mnist_kedro.plots.style import (
    INK,
    RED,
    TEXT_SIZE,
    annotate,
    create_figure,
    describe_test,
    model_in_sentence,
    styled,
)


@styled
def plot_confusion_matrix(test: LabeledImages, predictions: pd.DataFrame, *, model: str) -> Figure:
    """Plot the count of each pair of true digit and prediction; only mistakes are colored.

    Args:
        test: the test split.
        predictions: a row for each of its digits, with ``label`` and ``prediction``.
        model: name of the model that predicted.
    """
    counts = confusion_matrix(predictions["label"].to_numpy(), predictions["prediction"].to_numpy())
    mistakes = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    figure = create_figure(4.15)
    axes = figure.add_subplot()
    sns.heatmap(
        mistakes,
        annot=np.where(counts > 0, counts.astype(str), ""),
        fmt="",
        cmap=sns.light_palette(RED, as_cmap=True),
        vmin=0,
        vmax=max(4, mistakes.max()),
        square=True,
        linewidths=1,
        linecolor="white",
        cbar=False,
        annot_kws={"fontsize": TEXT_SIZE, "color": INK},
        ax=axes,
    )
    axes.set_xlabel("Predicted digit")
    axes.set_ylabel("True digit")
    axes.tick_params(left=False, bottom=False, labelrotation=0)
    annotate(
        figure,
        _finding(mistakes),
        f"Each cell counts predictions of {model_in_sentence(model)}; mistakes are colored.",
        describe_test(test),
    )
    return figure


def _finding(mistakes: np.ndarray) -> str:
    if not mistakes.any():
        return "No digit is mistaken for another"
    true, predicted = np.unravel_index(np.argmax(mistakes), mistakes.shape)
    times = "once" if mistakes.max() == 1 else f"{mistakes.max():,} times"
    return f"The most frequent confusion is {true} → {predicted} ({times})"
