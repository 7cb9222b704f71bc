"""Plot the accuracy on corrupted digits, and the confidence on out-of-distribution images."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.metrics.out_of_distribution import area_under_roc
from mnist_kedro.plots.style import BLUE, INK, PALETTE, annotate, describe_test, model_title, styled

_TITLE_SEVERITY = 3  # the middle one
_HIGH_CONFIDENCE = 0.99


@styled
def plot_robustness(test: LabeledImages, accuracies: pd.DataFrame) -> Figure:
    """Plot each model's mean accuracy by severity, and the first model's accuracy by corruption.

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
    for model, color in zip(models, PALETTE, strict=False):
        values = [clean[model], *means[model]]
        lines.plot(range(len(values)), values, color=color, marker="o", markersize=4, label=model)
    lines.yaxis.set_major_formatter(PercentFormatter(1.0))
    lines.xaxis.set_major_locator(MaxNLocator(integer=True))
    lines.set_xlabel("Severity")
    lines.set_title("Mean accuracy over all corruptions")
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
    table.set_title(f"Accuracy of {models[0]} by corruption, %")
    table.set_xlabel("Severity")
    table.set_ylabel("")
    table.tick_params(left=False, bottom=False, labelrotation=0, labelcolor=INK)
    hardest = grid[_TITLE_SEVERITY].idxmin().replace("_", " ")
    annotate(
        figure,
        f"{model_title(models[0])} classifies {means[models[0], _TITLE_SEVERITY]:.1%} correctly at "
        f"corruption severity {_TITLE_SEVERITY}; {hardest} is the hardest",
        f"{len(grid)} corruptions at five severities, applied to the same "
        f"{first['digits'].iloc[0]:,} test digits.",
        describe_test(test),
    )
    return figure


@styled
def plot_out_of_distribution(test: LabeledImages, confidences: pd.DataFrame) -> Figure:
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
    for axes, (kind, values), color in zip(
        rows, {"digits": digits, **others}.items(), PALETTE, strict=False
    ):
        axes.hist(values, edges, weights=np.full(len(values), 1 / len(values)), color=color)
        note = f"{(values > _HIGH_CONFIDENCE).mean():.0%} above {_HIGH_CONFIDENCE:.0%} confidence"
        if kind != "digits":
            note += f"; lower than on a digit in {area_under_roc(digits, values):.0%} of pairs"
        axes.set_title(f"{kind} ({len(values):,}): {note}")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    rows[-1].set_xlabel("Confidence")
    rows[-1].xaxis.set_major_formatter(PercentFormatter(1.0))
    confident = {kind: (values > _HIGH_CONFIDENCE).mean() for kind, values in others.items()}
    worst = max(confident, key=lambda kind: confident[kind])
    annotate(
        figure,
        f"{model_title(model)} is over {_HIGH_CONFIDENCE:.0%} sure of {confident[worst]:.0%} of "
        f"the {worst} images",
        "A model that detected non-digit images would have low confidence on them.",
        describe_test(test),
    )
    return figure
