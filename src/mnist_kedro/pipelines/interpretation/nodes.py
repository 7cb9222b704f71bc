"""Nodes of the ``interpretation`` pipeline."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mnist_kedro.contracts import LabelledImages
from mnist_kedro.metrics.prediction import rows_of_all
from mnist_kedro.metrics.projection import principal_components
from mnist_kedro.parameters import AugmentationParameters
from mnist_kedro.plots import augmentation as plots
from mnist_kedro.plots import interpretation
from mnist_kedro.plots.style import describe_source, describe_test

_EXPLAINED = 10  # mistakes; and a correct prediction of each class
_EMBEDDED = 2000  # digits at most, because more points hide one another


def describe_layers(model: Any) -> pd.DataFrame:
    """Return a table of a network's layers: name, type, output shape and parameters."""
    from mnist_kedro.datasets.keras_model_dataset import layer_table  # noqa: PLC0415  (TensorFlow)

    return layer_table(model)


def plot_augmented_digits(
    train: LabelledImages, *, augmentation: AugmentationParameters, seed: int
) -> Figure:
    """Plot a digit of each class, and how the training augments it."""
    from mnist_kedro.models.augmentation import variations  # noqa: PLC0415  (imports TensorFlow)

    rows = np.unique(np.asarray(train["labels"]), return_index=True)[1]
    images = train["images"][rows]
    augmented = variations(images, plots.VARIATIONS, augmentation, seed)
    return plots.plot_augmented_digits(images, augmented, augmentation, describe_source(train))


def plot_first_layer(model: Any, test: LabelledImages, *, name: str) -> Figure:
    """Plot the filters of a network's first layer."""
    from mnist_kedro.models.explanation import first_layer  # noqa: PLC0415  (TensorFlow)

    image = test["images"][0]
    filters, responses = first_layer(model, image)
    return interpretation.plot_first_layer(filters, responses, image, name, describe_test(test))


def plot_feature_maps(
    model: Any, test: LabelledImages, predictions: pd.DataFrame, *, name: str
) -> Figure:
    """Plot the outputs of a network's layers for the first test digit."""
    from mnist_kedro.models.explanation import feature_maps  # noqa: PLC0415  (TensorFlow)

    image = test["images"][0]
    prediction = int(predictions["prediction"].iloc[0])
    maps = feature_maps(model, image)
    return interpretation.plot_feature_maps(maps, image, prediction, name, describe_test(test))


def plot_attributions(
    model: Any, test: LabelledImages, predictions: pd.DataFrame, *, name: str
) -> Figure:
    """Plot the pixels for and against the most confident mistakes, and for correct predictions."""
    from mnist_kedro.models.explanation import integrated_gradients  # noqa: PLC0415  (TensorFlow)

    wrong = predictions[predictions["label"] != predictions["prediction"]]
    worst = wrong.sort_values("confidence", ascending=False, kind="stable").head(_EXPLAINED)
    hits = predictions[predictions["label"] == predictions["prediction"]]
    one_of_each = hits.drop_duplicates("label").sort_values("label")
    rows = np.concatenate([worst.index, worst.index, one_of_each.index]).astype(int)
    classes = np.concatenate([worst["prediction"], worst["label"], one_of_each["label"]])
    attributions = integrated_gradients(model, test["images"][rows], classes)
    for_predicted, for_true, for_hits = np.split(attributions, [len(worst), 2 * len(worst)])
    return interpretation.plot_attributions(
        test, worst, for_predicted, for_true, one_of_each, for_hits, name
    )


def plot_embedding(
    model: Any, test: LabelledImages, predictions: pd.DataFrame, *, name: str
) -> Figure:
    """Plot the last features of test digits in two dimensions."""
    from mnist_kedro.models.explanation import embed  # noqa: PLC0415  (imports TensorFlow)

    rows = rows_of_all(test, _EMBEDDED)
    points, shares = principal_components(embed(model, test["images"][rows]))
    predicted = predictions["prediction"].to_numpy()[rows]
    return interpretation.plot_embedding(test, rows, points, shares, predicted, name)
