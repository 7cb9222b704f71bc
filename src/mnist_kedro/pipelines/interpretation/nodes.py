"""Nodes of the ``interpretation`` pipeline; the figures are in ``plots/``."""

from typing import Any

import numpy as np
import pandas as pd

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.lineage import with_lineage
from mnist_kedro.metrics.prediction import rows_of_all
from mnist_kedro.metrics.projection import principal_components

_EMBEDDED = 2000  # largest number of digits; more points would hide one another


@with_lineage
def describe_layers(model: Any) -> pd.DataFrame:
    """Return a table of a network's layers: name, type, output shape and parameters."""
    from mnist_kedro.datasets.keras_model_dataset import layer_table  # noqa: PLC0415  (TensorFlow)

    return layer_table(model)


@with_lineage
def embed_test_digits(model: Any, test: LabeledImages, predictions: pd.DataFrame) -> pd.DataFrame:
    """Project the inputs of a network's last layer onto their first two principal components.

    Args:
        model: a Keras model from the catalog.
        test: the test split.
        predictions: the model's predictions, with ``label`` and ``prediction`` of each test digit.

    Returns:
        A row for each of at most 2,000 test digits, spread over the split: ``digit`` (its row in
        the split), ``label``, ``prediction``, ``x`` and ``y``.
    """
    from mnist_kedro.models.explanation import embed  # noqa: PLC0415  (imports TensorFlow)

    rows = rows_of_all(test, _EMBEDDED)
    points = principal_components(embed(model, np.asarray(test["images"][rows])))
    table = predictions.loc[rows, ["label", "prediction"]].reset_index(drop=True)
    table.insert(0, "digit", rows)
    return table.assign(x=points[:, 0], y=points[:, 1])
