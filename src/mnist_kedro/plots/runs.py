"""Plot the comparison of all runs."""

import textwrap

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mnist_kedro.plots.style import FAINT, PALETTE, annotate, styled

_MAX_RUNS = 20  # the latest are shown
_LINE_LENGTH = 58  # of the changes, in characters
_MAX_LINES = 2


@styled
def plot_runs_compared(runs: pd.DataFrame) -> Figure:
    """Plot the accuracy of each model with its interval, one row per run, the latest on top.

    Args:
        runs: the table of :func:`mnist_kedro.metrics.runs.describe_runs`, perhaps loaded from CSV.
    """
    runs = runs.fillna({"changed": ""})
    names = list(dict.fromkeys(runs["run"]))[-_MAX_RUNS:]
    rows = {name: row for row, name in enumerate(names)}
    figure = Figure(figsize=(11, max(2.6, 1.5 + 0.42 * len(names))))
    axes, notes = figure.subplots(1, 2, sharey=True, width_ratios=(1.25, 1))
    models = list(dict.fromkeys(runs["model"]))
    for i, model in enumerate(models):
        shown = runs[(runs["model"] == model) & runs["run"].isin(names)]
        axes.errorbar(
            shown["accuracy"],
            [rows[run] + 0.12 * (i - (len(models) - 1) / 2) for run in shown["run"]],
            xerr=(shown["accuracy"] - shown["low"], shown["high"] - shown["accuracy"]),
            fmt="o",
            markersize=5,
            color=PALETTE[i % len(PALETTE)],
            label=model,
        )
    axes.set_yticks(range(len(names)), [name[:19].replace("T", " ") for name in names])
    axes.tick_params(axis="y", labelsize=9)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("Test accuracy with 95% interval")
    axes.legend(loc="upper left")
    for name, row in rows.items():
        changed = runs.loc[runs["run"] == name, "changed"].iloc[0]
        lines = textwrap.wrap(changed or "no parameter changed", _LINE_LENGTH, max_lines=_MAX_LINES)
        notes.text(0, row, "\n".join(lines), va="center", fontsize=8, color=FAINT)
    notes.set_axis_off()
    notes.set_title("What changed since the previous run")
    best = runs.sort_values("accuracy").iloc[-1]
    tested = ", ".join(dict.fromkeys(runs["data"]))
    annotate(
        figure,
        f"The best of {runs['run'].nunique()} runs is {best['model']} of {best['run'][:10]}: "
        f"{best['accuracy']:.2%}",
        "The best of several test accuracies is too optimistic: select by validation accuracy.",
        textwrap.shorten(tested, 150, placeholder=" …"),
    )
    return figure
