"""Nodes that look into a network."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mnist_kedro.contracts import LabelledImages
from mnist_kedro.evaluation.prediction import rows_of_all
from mnist_kedro.evaluation.projection import principal_components
from mnist_kedro.plots.style import describe_test
from mnist_kedro.plots.understanding import (
    plot_attributions,
    plot_embedding,
    plot_feature_maps,
    plot_first_layer,
)

_EXPLAINED = 10  # mistakes; of the hits one of each digit
_EMBEDDED = 2000  # digits at most: more hide one another


def describe_layers(model: Any) -> pd.DataFrame:
    """What a network is made of: a row for each layer."""
    from mnist_kedro.datasets.keras_model_dataset import layer_table  # noqa: PLC0415  (TensorFlow)

    return layer_table(model)


def draw_first_layer(test: LabelledImages, **models: Any) -> Figure:
    """What the one model's first layer looks for."""
    from mnist_kedro.models.explanation import first_layer  # noqa: PLC0415  (TensorFlow)

    ((name, model),) = models.items()
    image = test["images"][0]
    return plot_first_layer(*first_layer(model, image), image, name, describe_test(test))


def draw_feature_maps(test: LabelledImages, predictions: pd.DataFrame, **models: Any) -> Figure:
    """What each layer of the one model makes of a digit."""
    from mnist_kedro.models.explanation import feature_maps  # noqa: PLC0415  (TensorFlow)

    ((name, model),) = models.items()
    image = test["images"][0]
    prediction = int(predictions["prediction"].iloc[0])
    maps = feature_maps(model, image)
    return plot_feature_maps(maps, image, prediction, name, describe_test(test))


def draw_attributions(test: LabelledImages, predictions: pd.DataFrame, **models: Any) -> Figure:
    """The pixels that spoke for and against the one model's surest mistakes, and for some hits."""
    from mnist_kedro.models.explanation import integrated_gradients  # noqa: PLC0415  (TensorFlow)

    ((name, model),) = models.items()
    wrong = predictions[predictions["label"] != predictions["prediction"]]
    worst = wrong.sort_values("confidence", ascending=False, kind="stable").head(_EXPLAINED)
    hits = predictions[predictions["label"] == predictions["prediction"]]
    one_of_each = hits.drop_duplicates("label").sort_values("label")
    rows = np.concatenate([worst.index, worst.index, one_of_each.index]).astype(int)
    classes = np.concatenate([worst["prediction"], worst["label"], one_of_each["label"]])
    attributions = integrated_gradients(model, test["images"][rows], classes)
    for_predicted, for_true, for_hits = np.split(attributions, [len(worst), 2 * len(worst)])
    return plot_attributions(test, worst, for_predicted, for_true, one_of_each, for_hits, name)


def draw_embedding(test: LabelledImages, predictions: pd.DataFrame, **models: Any) -> Figure:
    """Where the one model's last features put the digits."""
    from mnist_kedro.models.explanation import embed  # noqa: PLC0415  (imports TensorFlow)

    ((name, model),) = models.items()
    rows = rows_of_all(test, _EMBEDDED)
    points, shares = principal_components(embed(model, test["images"][rows]))
    predicted = predictions["prediction"].to_numpy()[rows]
    return plot_embedding(test, rows, points, shares, predicted, name)
