"""What a network has learned, what it looks at, and how it sorts the digits."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mnist_kedro.contracts import CLASSES, IMAGE_SIDE, LabelledImages, Pixels
from mnist_kedro.metrics.projection import nearest_centroid_accuracy
from mnist_kedro.plots.style import (
    FAINT,
    INK,
    annotate,
    call,
    decapitalise,
    describe_test,
    styled,
)

_COLUMNS = 8
_UNITS_IN_A_ROW = 64
_DIVERGING = "RdBu_r"  # told apart by colour-blind readers


@styled
def plot_first_layer(
    filters: NDArray[np.floating],
    responses: NDArray[np.floating],
    image: Pixels,
    model: str,
    data: str,
) -> Figure:
    """The filters of a network's first layer, each above what it makes of one digit.

    Args:
        filters: ``(f, side, side)``.
        responses: ``(f, height, width)``.
        image: ``(28, 28, 1)`` uint8, the digit.
        model: whose they are.
        data: what the digit is from.
    """
    shown = min(len(filters), 2 * _COLUMNS)
    rows = 2 * math.ceil(shown / _COLUMNS)
    figure = Figure(figsize=(9, 0.95 * rows + 1.1))
    grid = figure.add_gridspec(rows, _COLUMNS + 2)
    digit = figure.add_subplot(grid[:2, :2])
    digit.imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=255)
    _bare(digit)
    for i in range(shown):
        row, column = 2 * (i // _COLUMNS), 2 + i % _COLUMNS
        _heat(figure.add_subplot(grid[row, column]), filters[i])
        _heat(figure.add_subplot(grid[row + 1, column]), responses[i])
    which = f"{shown} of its {len(filters)}" if shown < len(filters) else f"Its {shown}"
    annotate(
        figure,
        f"What {decapitalise(call(model))} looks for first",
        f"{which} filters, each above what it makes of the digit: red is positive, blue negative.",
        data,
    )
    return figure


@styled
def plot_feature_maps(
    maps: Mapping[str, NDArray[np.floating]],
    image: Pixels,
    prediction: int,
    model: str,
    data: str,
) -> Figure:
    """What each layer of a network makes of one digit.

    Args:
        maps: by the names of the layers, ``(maps, height, width)``; 1 × 1 of a dense layer.
        image: ``(28, 28, 1)`` uint8, the digit.
        prediction: 0–9, what the network takes it for.
        model: whose layers they are.
        data: what the digit is from.
    """
    figure = Figure(figsize=(9, 1.02 * (1 + len(maps)) + 0.9))
    grid = figure.add_gridspec(1 + len(maps), _COLUMNS)
    digit = figure.add_subplot(grid[0, 0])
    digit.imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=255)
    _bare(digit)
    _name(digit, "pixels\n28 × 28")
    for row, (layer, values) in enumerate(maps.items(), start=1):
        count, height, width = values.shape
        limit = float(np.abs(values).max())
        if height == width == 1:
            strip = figure.add_subplot(grid[row, :])
            _heat(strip, _fold(values[:, 0, 0]), limit)
            _name(strip, f"{layer}\n{count} units")
            if count == CLASSES:
                for place, value in enumerate(values[:, 0, 0]):
                    colour = "white" if abs(value) > limit / 2 else INK
                    strip.text(place, 0, str(place), color=colour, ha="center", va="center")
            continue
        liveliest = np.argsort(-values.std(axis=(1, 2)), kind="stable")[:_COLUMNS]
        for column, number in enumerate(liveliest):
            axes = figure.add_subplot(grid[row, column])
            _heat(axes, values[number], limit)
            if column == 0:
                _name(axes, f"{layer}\n{count} maps\n{height} × {width}")
    annotate(
        figure,
        f"Layer by layer, {decapitalise(call(model))} turns these pixels into a {prediction}",
        f"Of each layer the {_COLUMNS} maps that vary most over the digit: red is positive, blue "
        "negative. Dense layers have a square for each unit.",
        data,
    )
    return figure


def _name(axes: Axes, text: str) -> None:
    axes.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=8)


def _fold(units: NDArray[np.floating]) -> NDArray[np.floating]:
    """In as few rows as fit into a strip, filled up with nothing."""
    columns = min(len(units), _UNITS_IN_A_ROW)
    rows = math.ceil(len(units) / columns)
    folded = np.full(rows * columns, np.nan)
    folded[: len(units)] = units
    return folded.reshape(rows, columns)


@styled
def plot_attributions(
    test: LabelledImages,
    mistakes: pd.DataFrame,
    for_predicted: NDArray[np.floating],
    for_true: NDArray[np.floating],
    hits: pd.DataFrame,
    for_hits: NDArray[np.floating],
    model: str,
) -> Figure:
    """Which pixels spoke for what a network reads, where it is wrong and where it is right.

    Args:
        test: the test split.
        mistakes: m rows of its predictions, with ``label`` and ``prediction``.
        for_predicted: ``(m, 28, 28)`` attributions to the predicted class.
        for_true: the same to the true class.
        hits: h rows of right predictions.
        for_hits: ``(h, 28, 28)`` attributions to their class.
        model: whose predictions they are.
    """
    columns = max(len(mistakes), len(hits), 1)
    figure = Figure(figsize=(max(1.05 * columns + 0.9, 7), 6.6))
    axes = figure.subplots(5, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    _explain(axes[:3], test, mistakes, (for_predicted, for_true))
    _explain(axes[3:], test, hits, (for_hits,))
    names = (
        "misread",
        "for the\nprediction",
        "for the\ntrue digit",
        "read right",
        "for the\ndigit",
    )
    for axis, name in zip(axes[:, 0], names, strict=True):
        _name(axis, name)
    annotate(
        figure,
        f"What made {decapitalise(call(model))} misread the digits that it was surest of"
        if len(mistakes)
        else f"{call(model)} misreads nothing",
        "Integrated gradients from blank paper: red pixels speak for the class, blue ones against.",
        describe_test(test),
    )
    return figure


def _explain(
    axes: NDArray[Any],
    test: LabelledImages,
    predictions: pd.DataFrame,
    attributions: Sequence[NDArray[np.floating]],
) -> None:
    """Digits in the first row, what spoke for each class in the others, on one scale a digit."""
    images = test["images"][predictions.index.to_numpy()][..., 0]
    labels, answers = predictions["label"].to_numpy(), predictions["prediction"].to_numpy()
    for column, (image, label, answer) in enumerate(zip(images, labels, answers, strict=True)):
        top, *others = axes[:, column]
        top.set_axis_on()
        top.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        caption = str(label) if label == answer else f"{label}→{answer}"
        top.set_title(caption, loc="center", color=INK)
        _bare(top)
        limit = max(np.abs(values[column]).max() for values in attributions)
        for axis, values in zip(others, attributions, strict=True):
            axis.set_axis_on()
            _heat(axis, values[column], limit, image)


@styled
def plot_embedding(
    test: LabelledImages,
    rows: NDArray[np.integer],
    points: NDArray[np.floating],
    shares: NDArray[np.floating],
    predicted: NDArray[np.integer],
    model: str,
) -> Figure:
    """The digits where a network's last features put them, in two dimensions.

    Args:
        test: the test split.
        rows: ``(n,)``, the digits that are shown.
        points: ``(n, 2)``, where.
        shares: ``(2,)``, of the variance that each axis shows, in 0–1.
        predicted: ``(n,)`` integers in 0–9.
        model: whose features they are.
    """
    labels = np.asarray(test["labels"])[rows]
    figure = Figure(figsize=(7, 6.2))
    axes = figure.add_subplot()
    colours = sns.color_palette("colorblind", CLASSES)
    for digit in range(CLASSES):
        own = points[labels == digit]
        axes.scatter(own[:, 0], own[:, 1], s=5, color=colours[digit], alpha=0.6, linewidth=0)
    wrong = predicted != labels
    misread = points[wrong]
    axes.scatter(
        misread[:, 0], misread[:, 1], s=36, facecolor="none", edgecolor=INK, label="misread"
    )
    for digit in np.unique(labels):
        right, up = np.median(points[labels == digit], axis=0)
        axes.text(
            right,
            up,
            str(digit),
            fontsize=15,
            fontweight="bold",
            ha="center",
            va="center",
            bbox={"boxstyle": "circle", "facecolor": "white", "edgecolor": colours[digit]},
        )
    axes.set_xlabel(f"First principal component, {shares[0]:.0%} of the variance")
    axes.set_ylabel(f"Second, {shares[1]:.0%}")
    axes.tick_params(labelleft=False, labelbottom=False)
    if wrong.any():
        axes.legend(loc="upper right")
    annotate(
        figure,
        f"Two dimensions of {decapitalise(call(model))}'s features tell "
        f"{nearest_centroid_accuracy(points, labels):.0%} of the digits apart",
        f"What its last layer reads, by PCA: {len(rows):,} test digits, {wrong.sum()} misread. "
        "Apart: nearest to the mean of their own.",
        describe_test(test),
    )
    return figure


def _heat(
    axes: Axes,
    values: NDArray[np.floating],
    limit: float | None = None,
    outline: Pixels | None = None,
) -> None:
    limit = max(float(np.abs(values).max()) if limit is None else limit, 1e-12)
    axes.imshow(values, cmap=_DIVERGING, vmin=-limit, vmax=limit)
    if outline is not None:
        places = np.arange(IMAGE_SIDE)
        axes.contour(places, places, outline, levels=[100], colors=FAINT, linewidths=0.6)
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
