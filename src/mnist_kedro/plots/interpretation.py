"""Plot the filters, feature maps, attributions and features of a network."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mnist_kedro.contracts import CLASSES, IMAGE_SIDE, LabeledImages, Pixels
from mnist_kedro.metrics.projection import nearest_centroid_accuracy
from mnist_kedro.plots.style import (
    FAINT,
    INK,
    PALETTE,
    add_legend,
    annotate,
    create_figure,
    describe_test,
    model_in_sentence,
    model_title,
    styled,
)

_COLUMNS = 6
_UNITS_PER_ROW = 32
_EXPLAINED = 6  # mistakes, and correct predictions of different classes
_DIVERGING = "RdBu_r"  # color-blind readers can distinguish its ends


@styled
def plot_first_layer(model: Any, test: LabeledImages, *, name: str) -> Figure:
    """Plot the filters of a network's first layer, each above its response to one digit.

    Args:
        model: a Keras model of the catalog.
        test: the test split, whose first digit is shown.
        name: of the model.
    """
    from mnist_kedro.models.explanation import first_layer  # noqa: PLC0415  (imports TensorFlow)

    image = test["images"][0]
    filters, responses = first_layer(model, image)
    shown = min(len(filters), 2 * _COLUMNS)
    rows = 2 * math.ceil(shown / _COLUMNS)
    figure = create_figure(0.5 * rows + 0.1)
    grid = figure.add_gridspec(rows, _COLUMNS + 2)
    digit = figure.add_subplot(grid[:2, :2])
    digit.imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=255)
    _hide_frame(digit)
    for i in range(shown):
        row, column = 2 * (i // _COLUMNS), 2 + i % _COLUMNS
        _draw_heatmap(figure.add_subplot(grid[row, column]), filters[i])
        _draw_heatmap(figure.add_subplot(grid[row + 1, column]), responses[i])
    which = f"{shown} of its {len(filters)}" if shown < len(filters) else f"Its {shown}"
    annotate(
        figure,
        f"The first filters of {model_in_sentence(name)} and their responses to a digit",
        f"{which} filters, each above its response to the digit. Red: positive, blue: negative.",
        describe_test(test),
    )
    return figure


@styled
def plot_feature_maps(
    model: Any, test: LabeledImages, predictions: pd.DataFrame, *, name: str
) -> Figure:
    """Plot the output of each layer of a network for the first test digit.

    Args:
        model: a Keras model of the catalog.
        test: the test split.
        predictions: the model's, a row for each test digit.
        name: of the model.
    """
    from mnist_kedro.models.explanation import feature_maps  # noqa: PLC0415  (imports TensorFlow)

    image = test["images"][0]
    maps = feature_maps(model, image)
    figure = create_figure(0.56 * (1 + len(maps)))
    grid = figure.add_gridspec(1 + len(maps), _COLUMNS)
    digit = figure.add_subplot(grid[0, 0])
    digit.imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=255)
    _hide_frame(digit)
    _label_row(digit, "pixels\n28 × 28")
    for row, (layer, values) in enumerate(maps.items(), start=1):
        count, height, width = values.shape
        limit = float(np.abs(values).max())
        if height == width == 1:
            strip = figure.add_subplot(grid[row, :])
            _draw_heatmap(strip, _fold_units(values[:, 0, 0]), limit)
            _label_row(strip, f"{layer}\n{count} units")
            if count == CLASSES:
                for unit, value in enumerate(values[:, 0, 0]):
                    color = "white" if abs(value) > limit / 2 else INK
                    strip.text(unit, 0, str(unit), color=color, ha="center", va="center")
            continue
        most_varied = np.argsort(-values.std(axis=(1, 2)), kind="stable")[:_COLUMNS]
        for column, number in enumerate(most_varied):
            axes = figure.add_subplot(grid[row, column])
            _draw_heatmap(axes, values[number], limit)
            if column == 0:
                _label_row(axes, f"{layer}\n{count} maps\n{height} × {width}")
    annotate(
        figure,
        f"Feature maps of {model_in_sentence(name)}, from the pixels to the prediction "
        f"{predictions['prediction'].iloc[0]}",
        f"The {_COLUMNS} maps of each layer with the highest variance. Red: positive, blue: "
        "negative. In dense layers, each square is a unit.",
        describe_test(test),
    )
    return figure


def _label_row(axes: Axes, text: str) -> None:
    axes.set_ylabel(text, rotation=0, ha="right", va="center")


def _fold_units(units: NDArray[np.floating]) -> NDArray[np.floating]:
    """Arrange units in as few rows as possible; the rest of the last row is NaN."""
    columns = min(len(units), _UNITS_PER_ROW)
    rows = math.ceil(len(units) / columns)
    folded = np.full(rows * columns, np.nan)
    folded[: len(units)] = units
    return folded.reshape(rows, columns)


@styled
def plot_attributions(
    model: Any, test: LabeledImages, predictions: pd.DataFrame, *, name: str
) -> Figure:
    """Plot pixel attributions for the most confident mistakes and for correct predictions.

    The arguments are those of :func:`plot_feature_maps`.
    """
    from mnist_kedro.models.explanation import integrated_gradients  # noqa: PLC0415  (TensorFlow)

    wrong = predictions[predictions["label"] != predictions["prediction"]]
    mistakes = wrong.sort_values("confidence", ascending=False, kind="stable").head(_EXPLAINED)
    correct = predictions[predictions["label"] == predictions["prediction"]]
    hits = correct.drop_duplicates("label").sort_values("label").head(_EXPLAINED)
    rows = np.concatenate([mistakes.index, mistakes.index, hits.index]).astype(int)
    classes = np.concatenate([mistakes["prediction"], mistakes["label"], hits["label"]])
    attributions = integrated_gradients(model, test["images"][rows], classes)
    ends = [len(mistakes), 2 * len(mistakes)]
    for_predicted, for_true, for_hits = np.split(attributions, ends)
    columns = max(len(mistakes), len(hits), 1)
    figure = create_figure(3.2)
    axes = figure.subplots(5, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    _draw_attributions(axes[:3], test, mistakes, (for_predicted, for_true))
    _draw_attributions(axes[3:], test, hits, (for_hits,))
    labels = ("mistake", "for the\nprediction", "for the\ntrue digit", "correct", "for the\ndigit")
    for axis, label in zip(axes[:, 0], labels, strict=True):
        _label_row(axis, label)
    annotate(
        figure,
        f"What led {model_in_sentence(name)} to its most confident mistakes"
        if len(mistakes)
        else f"{model_title(name)} makes no mistakes",
        "Integrated gradients (blank baseline): red pixels support the class, blue ones oppose it.",
        describe_test(test),
    )
    return figure


def _draw_attributions(
    axes: NDArray[Any],
    test: LabeledImages,
    predictions: pd.DataFrame,
    attributions: Sequence[NDArray[np.floating]],
) -> None:
    """Draw digits in the first row, and their attributions in the others, one scale per digit."""
    images = test["images"][predictions.index.to_numpy()][..., 0]
    labels, predicted = predictions["label"].to_numpy(), predictions["prediction"].to_numpy()
    for column, (image, label, digit) in enumerate(zip(images, labels, predicted, strict=True)):
        top, *others = axes[:, column]
        top.set_axis_on()
        top.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        caption = str(label) if label == digit else f"{label}→{digit}"
        top.set_title(caption, loc="center", color=INK)
        _hide_frame(top)
        limit = max(np.abs(values[column]).max() for values in attributions)
        for axis, values in zip(others, attributions, strict=True):
            axis.set_axis_on()
            _draw_heatmap(axis, values[column], limit, image)


@styled
def plot_embedding(test: LabeledImages, embedding: pd.DataFrame, *, name: str) -> Figure:
    """Plot the last features of a network for some test digits, in two dimensions.

    Args:
        test: the test split.
        embedding: a row for each digit with ``label``, ``prediction``, ``x`` and ``y``.
        name: of the model.
    """
    points, labels = embedding[["x", "y"]].to_numpy(), embedding["label"].to_numpy()
    wrong = embedding[embedding["label"] != embedding["prediction"]]
    figure = create_figure(3.8)
    axes = figure.add_subplot()
    for digit in np.unique(labels):
        group = embedding[labels == digit]
        color = PALETTE[digit % len(PALETTE)]
        axes.scatter(group["x"], group["y"], s=16, color=color, marker=f"${digit}$", linewidth=0)
    axes.scatter(
        wrong["x"], wrong["y"], s=50, facecolor="none", edgecolor=INK, label="misclassified"
    )
    axes.set_xlabel("First principal component")
    axes.set_ylabel("Second principal component")
    axes.tick_params(labelleft=False, labelbottom=False)
    if len(wrong):
        add_legend(axes)
    annotate(
        figure,
        f"In two dimensions of {model_in_sentence(name)}'s features, "
        f"{nearest_centroid_accuracy(points, labels):.0%} of the digits are closest to their class",
        f"First two principal components of the last layer's inputs, for {len(embedding):,} test "
        "digits. Closest: to the mean of a class.",
        describe_test(test),
    )
    return figure


def _draw_heatmap(
    axes: Axes,
    values: NDArray[np.floating],
    limit: float | None = None,
    outline: Pixels | None = None,
) -> None:
    limit = max(float(np.abs(values).max()) if limit is None else limit, 1e-12)
    axes.imshow(values, cmap=_DIVERGING, vmin=-limit, vmax=limit)
    if outline is not None:
        pixels = np.arange(IMAGE_SIDE)
        axes.contour(pixels, pixels, outline, levels=[100], colors=FAINT, linewidths=0.6)
    _hide_frame(axes)


def _hide_frame(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
