"""Nodes of the ``interpretation`` pipeline; the figures are in ``plots/``."""

from typing import Any

import pandas as pd

from mnist_kedro.lineage import with_lineage


@with_lineage
def describe_layers(model: Any) -> pd.DataFrame:
    """Return a table of a network's layers: name, type, output shape and parameters."""
    from mnist_kedro.datasets.keras_model_dataset import layer_table  # noqa: PLC0415  (TensorFlow)

    return layer_table(model)
