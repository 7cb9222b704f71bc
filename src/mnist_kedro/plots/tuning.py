"""Plot the hyperparameter search."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.parameters import TuningParameters
from mnist_kedro.plots.style import BLUE, ORANGE, annotate, create_figure, describe_source, styled

_COLUMNS = 2
_GRAY = "#A8A8A8"


@styled
def plot_tuning_search(
    trials: pd.DataFrame, tuning: TuningParameters, validation: LabeledImages
) -> Figure:
    """Plot the validation accuracy of the trials in their order and against each searched value.

    Args:
        trials: the table of :func:`mnist_kedro.models.search.search`.
        tuning: what was searched.
        validation: the digits by which the trials were compared.
    """
    names = list(tuning.search.spaces)
    complete = trials[trials["state"] == "complete"]
    pruned = trials[trials["state"] != "complete"]
    best = complete.nlargest(1, "validation_accuracy")
    bottom, top = _accuracy_limits(complete["validation_accuracy"])

    rows, columns = -(-(len(names) + 1) // _COLUMNS), min(len(names) + 1, _COLUMNS)
    figure = create_figure(1.8 * rows)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, name in zip(panels.flat, ["trial", *names], strict=False):
        for group, color, size in ((pruned, _GRAY, 14), (complete, BLUE, 22), (best, ORANGE, 48)):
            heights = group["validation_accuracy"].clip(lower=bottom)
            axes.scatter(group[name], heights, color=color, s=size, linewidth=0, clip_on=False)
        axes.set_xlabel(name)
        if name in tuning.search.spaces and tuning.search.spaces[name].log:
            _make_logarithmic(axes)
    for axes in panels.flat[len(names) + 1 :]:
        axes.remove()
    for row in panels:
        row[0].set_ylabel("Validation accuracy")
    first = panels[0, 0]
    so_far = complete["validation_accuracy"].cummax().clip(lower=bottom)
    first.step(complete["trial"], so_far, where="post", color=BLUE)
    first.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    first.set_ylim(bottom, top)
    first.yaxis.set_major_formatter(lambda value, _: f"{value:.2%}")
    annotate(
        figure,
        f"The best of {len(trials)} trials reached a validation accuracy of "
        f"{best['validation_accuracy'].iloc[0]:.2%}",
        f"Orange: best trial. Gray: {len(pruned)} pruned trials. Points on the lower edge: at or "
        "below it. Line: best so far.",
        f"{describe_source(validation)}, {len(validation['labels']):,} validation digits",
    )
    return figure


def _accuracy_limits(accuracies: pd.Series) -> tuple[float, float]:
    """Return the range to show, without outliers far below, which would flatten all others."""
    low, high = float(np.quantile(accuracies, 0.1)), float(accuracies.max())
    room = max(high - low, 1e-3)
    return low - 0.5 * room, min(high + 0.2 * room, 1.0)


def _make_logarithmic(axes: Axes) -> None:
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 50 else (1,)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
