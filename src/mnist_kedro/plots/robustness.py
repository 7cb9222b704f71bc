"""Accuracy on corrupted digits, and confidence on images that are not digits."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mnist_kedro.contracts import LabelledImages
from mnist_kedro.metrics.out_of_distribution import area_under_roc
from mnist_kedro.plots.style import BLUE, INK, PALETTE, annotate, call, describe_test, styled

_MIDDLE = 3  # the severity that the title speaks of
_SURE = 0.99


@styled
def plot_robustness(test: LabelledImages, accuracies: pd.DataFrame) -> Figure:
    """Plot the mean accuracy of each model against severity, and the first model's by corruption.

    Args:
        test: the test split.
        accuracies: a row for each ``model``, ``corruption`` and ``severity`` with ``digits`` and
            ``accuracy``; severity 0 is uncorrupted.
    """
    models = accuracies["model"].unique()
    corrupted = accuracies[accuracies["severity"] > 0]
    clean = accuracies[accuracies["severity"] == 0].set_index("model")["accuracy"]
    means = corrupted.groupby(["model", "severity"])["accuracy"].mean()
    figure = Figure(figsize=(10, 6))
    lines, table = figure.subplots(1, 2, width_ratios=(1, 1.15))
    for model, colour in zip(models, PALETTE, strict=False):
        values = [clean[model], *means[model]]
        lines.plot(range(len(values)), values, color=colour, marker="o", markersize=4, label=model)
    lines.yaxis.set_major_formatter(PercentFormatter(1.0))
    lines.xaxis.set_major_locator(MaxNLocator(integer=True))
    lines.set_xlabel("Severity")
    lines.set_title("Accuracy, the mean over all corruptions")
    lines.legend(loc="lower left")

    first = corrupted[corrupted["model"] == models[0]]
    grid = first.pivot_table(index="corruption", columns="severity", values="accuracy")
    grid = grid.loc[grid.mean(axis=1).sort_values(ascending=False).index]
    sns.heatmap(
        100 * grid,
        annot=True,
        fmt=".0f",
        cmap=sns.light_palette(BLUE, as_cmap=True),
        vmin=10,
        vmax=100,
        cbar=False,
        linewidths=1,
        linecolor="white",
        annot_kws={"fontsize": 9},
        yticklabels=[name.replace("_", " ") for name in grid.index],
        ax=table,
    )
    table.set_title(f"Accuracy of {models[0]} under each, %")
    table.set_xlabel("Severity")
    table.set_ylabel("")
    table.tick_params(left=False, bottom=False, labelrotation=0, labelcolor=INK)
    hardest = grid[_MIDDLE].idxmin().replace("_", " ")
    annotate(
        figure,
        f"{call(models[0])} reads {means[models[0], _MIDDLE]:.1%} of digits corrupted at severity "
        f"{_MIDDLE}; {hardest} is the hardest",
        f"{len(grid)} corruptions of five severities, each of the same {first['digits'].iloc[0]:,} "
        "test digits.",
        describe_test(test),
    )
    return figure


@styled
def plot_out_of_distribution(test: LabelledImages, confidences: pd.DataFrame) -> Figure:
    """Plot the first model's confidence on digits and on out-of-distribution images.

    Args:
        test: the test split.
        confidences: a row for each image: ``model``, ``kind`` (first ``digits``) and
            ``confidence`` in 0–1.
    """
    model = confidences["model"].iloc[0]
    kinds = confidences[confidences["model"] == model].groupby("kind", sort=False)["confidence"]
    digits = kinds.get_group("digits").to_numpy()
    others = {kind: group.to_numpy() for kind, group in kinds if kind != "digits"}
    figure = Figure(figsize=(8, 1.05 * (1 + len(others)) + 1.1))
    rows = figure.subplots(1 + len(others), 1, sharex=True, sharey=True)
    edges = np.linspace(0, 1, 41)
    for axes, (kind, values), colour in zip(
        rows, {"digits": digits, **others}.items(), PALETTE, strict=False
    ):
        axes.hist(values, edges, weights=np.full(len(values), 1 / len(values)), color=colour)
        note = f"{(values > _SURE).mean():.0%} above {_SURE:.0%} confidence"
        if kind != "digits":
            note += f"; less sure than of a digit in {area_under_roc(digits, values):.0%} of pairs"
        axes.set_title(f"{kind} ({len(values):,}): {note}")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    rows[-1].set_xlabel("Confidence")
    rows[-1].xaxis.set_major_formatter(PercentFormatter(1.0))
    worst = max(others, key=lambda kind: (others[kind] > _SURE).mean())
    annotate(
        figure,
        f"{call(model)} is over {_SURE:.0%} sure of {(others[worst] > _SURE).mean():.0%} of the "
        f"{worst} pictures",
        "A model that knew what it does not know would be unsure of all but digits.",
        describe_test(test),
    )
    return figure
