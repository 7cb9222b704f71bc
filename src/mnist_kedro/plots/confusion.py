"""Which digits are taken for which."""

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from mnist_kedro.contracts import LabelledImages
from mnist_kedro.evaluation.classification import confusion_matrix
from mnist_kedro.plots.style import INK, RED, annotate, call, describe_test, styled


@styled
def plot_confusion_matrix(test: LabelledImages, predicted: np.ndarray, model: str) -> Figure:
    """Counts of each true digit and prediction; only the mistakes are coloured.

    Args:
        test: the test split.
        predicted: ``(n,)`` integers in 0–9, the prediction for each of its digits.
        model: whose predictions they are.
    """
    labels = np.asarray(test["labels"])
    counts = confusion_matrix(labels, predicted)
    mistakes = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    figure = Figure(figsize=(7, 6.2))
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
        annot_kws={"fontsize": 9, "color": INK},
        ax=axes,
    )
    axes.set_xlabel("Predicted digit")
    axes.set_ylabel("True digit")
    axes.tick_params(left=False, bottom=False, labelrotation=0)
    annotate(
        figure,
        _finding(mistakes),
        f"{call(model)}'s predictions, counted; the mistakes are coloured.",
        describe_test(test),
    )
    return figure


def _finding(mistakes: np.ndarray) -> str:
    if not mistakes.any():
        return "No digit is mistaken for another"
    true, predicted = np.unravel_index(np.argmax(mistakes), mistakes.shape)
    return f"The most frequent confusion is {true} taken for {predicted}, {mistakes.max()} times"
