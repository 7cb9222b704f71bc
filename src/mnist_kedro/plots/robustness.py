"""Plot the accuracy on corrupted digits, and the confidence on out-of-distribution images."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.metrics.out_of_distribution import area_under_roc
from mnist_kedro.metrics.robustness import (
    MIDDLE_SEVERITY,
    NONE,
    RELATED,
    UNSEEN,
    Robustness,
    summarize_robustness,
)
from mnist_kedro.plots.style import (
    BLUE,
    INK,
    PALETTE,
    TEXT_SIZE,
    WIDTH,
    add_legend,
    annotate,
    create_figure,
    describe_test,
    model_title,
    styled,
    wrap,
)

_HIGH_CONFIDENCE = 0.99


@styled
def plot_robustness(test: LabeledImages, accuracies: pd.DataFrame) -> Figure:
    """Plot each model's accuracy by severity, and the first model's accuracy by corruption.

    Args:
        test: the test split.
        accuracies: the table ``corruption_accuracies``.
    """
    summaries = summarize_robustness(accuracies)
    first = next(iter(summaries))
    corrupted = accuracies[(accuracies["model"] == first) & (accuracies["severity"] > 0)]
    corruptions = corrupted["corruption"].nunique()
    rows = 3.0, 0.6 + 0.22 * corruptions  # inches
    figure = create_figure(sum(rows))
    lines, table = figure.subplots(2, 1, height_ratios=rows)
    for model, color in zip(summaries, PALETTE, strict=False):
        _draw_means(lines, accuracies[accuracies["model"] == model], model, color)
    lines.yaxis.set_major_formatter(PercentFormatter(1.0))
    lines.xaxis.set_major_locator(MaxNLocator(integer=True))
    lines.set_xlabel("Severity")
    lines.set_ylabel("Mean accuracy")
    add_legend(lines)

    _draw_table(table, corrupted)
    table.set_title(f"Accuracy of {first} by corruption, %")
    annotate(
        figure,
        f"{model_title(first)} classifies {_quote_means(summaries[first])} "
        f"(severity {MIDDLE_SEVERITY})",
        f"{corruptions} corruptions of the same "
        f"{corrupted['digits'].iloc[0]:,} test digits. Related "
        "corruptions resemble the augmentation.",
        describe_test(test),
    )
    return figure


def _draw_means(axes: Axes, accuracies: pd.DataFrame, model: str, color: str) -> None:
    """Draw the means of each family of corruptions, starting with the clean digits."""
    (clean,) = accuracies.loc[accuracies["family"] == NONE, "accuracy"]
    for family, style in ((RELATED, "o-"), (UNSEEN, "s--")):
        means = accuracies[accuracies["family"] == family].groupby("severity")["accuracy"].mean()
        if len(means):
            axes.plot(
                [0, *means.index],
                [clean, *means],
                style,
                color=color,
                markersize=4,
                label=f"{model}, {family}",
            )


def _draw_table(axes: Axes, corrupted: pd.DataFrame) -> None:
    """Draw a model's accuracies in percent: first related corruptions, then the others."""
    grid = corrupted.pivot_table(
        index=["family", "corruption"], columns="severity", values="accuracy"
    )
    order = grid.mean(axis=1).rename("mean").reset_index()
    order = order.sort_values(["family", "mean"], ascending=[True, False])
    grid = grid.loc[list(zip(order["family"], order["corruption"], strict=True))]
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
        annot_kws={"fontsize": TEXT_SIZE},
        yticklabels=[name.replace("_", " ") for _, name in grid.index],
        ax=axes,
    )
    top = 0
    for family, rows in order["family"].value_counts(sort=False).items():
        if top:
            axes.axhline(top, color=INK, linewidth=1.5)
        axes.text(5.3, top + rows / 2, str(family), rotation=270, ha="center", va="center")
        top += rows
    axes.set_xlabel("Severity")
    axes.set_ylabel("")
    axes.tick_params(left=False, bottom=False, labelrotation=0, labelcolor=INK)


def _quote_means(summary: Robustness) -> str:
    related, unseen = summary["related"], summary["unseen"]
    if unseen is None:
        return f"{related:.1%} correctly under related corruptions"
    if related is None:
        return f"{unseen:.1%} correctly under unseen corruptions"
    return f"{related:.1%} correctly under related corruptions, and {unseen:.1%} under unseen ones"


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
    figure = create_figure(1.15 * (1 + len(others)) + 0.3)
    rows = figure.subplots(1 + len(others), 1, sharex=True, sharey=True)
    edges = np.linspace(0, 1, 41)
    for axes, (kind, values), color in zip(
        rows, {"digits": digits, **others}.items(), PALETTE, strict=False
    ):
        axes.hist(values, edges, weights=np.full(len(values), 1 / len(values)), color=color)
        note = f"{(values > _HIGH_CONFIDENCE).mean():.0%} above {_HIGH_CONFIDENCE:.0%} confidence"
        if kind != "digits" and len(values) > 1:
            note += f"; AUROC {area_under_roc(digits, values):.1%}"
        axes.set_title(wrap(f"{kind} (n = {len(values):,}): {note}", WIDTH - 0.7))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    rows[-1].set_xlabel("Confidence")
    rows[-1].xaxis.set_major_formatter(PercentFormatter(1.0))
    confident = {kind: (values > _HIGH_CONFIDENCE).mean() for kind, values in others.items()}
    worst = max(confident, key=lambda kind: confident[kind])
    annotate(
        figure,
        f"{model_title(model)} classifies {confident[worst]:.0%} of the {worst} images with over "
        f"{_HIGH_CONFIDENCE:.0%} confidence",
        "Low confidence on non-digit images is better. AUROC: how well the confidence separates "
        "them from digits.",
        describe_test(test),
    )
    return figure
