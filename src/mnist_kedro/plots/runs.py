"""Plot the comparison of all runs."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mnist_kedro.plots.style import (
    FAINT,
    PALETTE,
    TEXT_SIZE,
    WIDTH,
    add_legend,
    annotate,
    create_figure,
    styled,
    wrap,
)

_MAX_RUNS = 20  # the latest are shown
_MAX_LINES = 3  # of the changes
_LINE = 0.18  # height of a line of text, in inches
_POINT = 0.13  # height of a model's point, in inches


@styled
def plot_runs_compared(runs: pd.DataFrame) -> Figure:
    """Plot the accuracy of each model with its interval, the latest run on top.

    Only runs with the same test digits share an axis. The text above a run lists its changes.

    Args:
        runs: the table of :func:`mnist_kedro.metrics.runs.describe_runs`, perhaps loaded from CSV.
    """
    latest = list(dict.fromkeys(runs["run"]))[: -_MAX_RUNS - 1 : -1]
    shown = runs[runs["run"].isin(latest)].fillna({"changed": ""})
    colors = {model: PALETTE[i % len(PALETTE)] for i, model in enumerate(shown["model"].unique())}
    panels = [shown[shown["data"] == data] for data in dict.fromkeys(shown["data"].iloc[::-1])]
    heights = [sum(_height_of(run) for _, run in panel.groupby("run")) for panel in panels]
    figure = create_figure(sum(heights) + 0.75 * len(panels) + 0.25)
    for axes, panel, height in zip(
        figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0],
        panels,
        heights,
        strict=True,
    ):
        _draw_runs(axes, panel, height, colors)
    add_legend(
        figure.axes[0],
        [
            Line2D([], [], linestyle="", marker="o", color=colors[name], label=name)
            for name in colors
        ],
    )
    comparable = panels[0]  # with the latest run
    best = comparable.sort_values("accuracy", kind="stable").iloc[-1]
    annotate(
        figure,
        f"Best of {_count_runs(comparable)} with the latest data: {best['model']} "
        f"({best['run'][:10]}), with {best['accuracy']:.2%} of {best['test_digits']:,} test digits "
        "correct",
        "Test accuracy with 95% interval. The best of several test accuracies is too optimistic: "
        "select by validation accuracy.",
        "Each panel shows runs with the same test digits",
    )
    return figure


def _count_runs(runs: pd.DataFrame) -> str:
    count = runs["run"].nunique()
    return f"{count} run{'s' * (count > 1)}"


def _height_of(run: pd.DataFrame) -> float:
    """Return the height of a run in inches."""
    return _LINE * (_describe(run).count("\n") + 1) + _POINT * (len(run) + 1)


def _describe(run: pd.DataFrame) -> str:
    """Return the time of a run and what changed in it, in a few lines."""
    time, changed = (
        run["run"].iloc[0][:16].replace("T", " ").replace(".", ":"),
        run["changed"].iloc[0],
    )
    lines = wrap(f"{time}: {changed or 'no parameter changed'}", WIDTH - 0.3).split("\n")
    return "\n".join(lines[:_MAX_LINES]) + (" …" if len(lines) > _MAX_LINES else "")


def _draw_runs(axes: Axes, panel: pd.DataFrame, height: float, colors: dict[str, str]) -> None:
    y = height
    for _, run in sorted(panel.groupby("run"), reverse=True):
        text = _describe(run)
        axes.text(
            0,
            y,
            text,
            va="top",
            fontsize=TEXT_SIZE,
            color=FAINT,
            transform=axes.get_yaxis_transform(),
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},  # hides the grid
        )
        y -= _LINE * (text.count("\n") + 1)
        for row in run.to_dict("records"):
            y -= _POINT
            accuracy = row["accuracy"]
            interval = [[accuracy - row["low"]], [row["high"] - accuracy]]
            axes.errorbar(accuracy, y, xerr=interval, fmt="o", color=colors[row["model"]])
        y -= _POINT
    axes.set_ylim(0, height)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(wrap(panel["data"].iloc[0], WIDTH - 0.3))
