"""Nodes that write it all up."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mnist_kedro.datasets.figure_dataset import Picture
from mnist_kedro.reports import render_model_card, render_report


def describe_layers(model: Any) -> pd.DataFrame:
    """What a network is made of: a row for each layer."""
    from mnist_kedro.datasets.keras_model_dataset import layer_table  # noqa: PLC0415  (TensorFlow)

    return layer_table(model)


def write_report(
    metrics: Mapping[str, Any],
    corruption_accuracies: pd.DataFrame,
    out_of_distribution_confidences: pd.DataFrame,
    layers: pd.DataFrame,
    run: Mapping[str, Any],
    **pictures: Picture,
) -> str:
    """The report, as one page of HTML."""
    return render_report(
        metrics, corruption_accuracies, out_of_distribution_confidences, layers, run, pictures
    )


def write_model_card(
    metrics: Mapping[str, Any],
    corruption_accuracies: pd.DataFrame,
    out_of_distribution_confidences: pd.DataFrame,
    layers: pd.DataFrame,
    run: Mapping[str, Any],
) -> str:
    """The model card, in Markdown."""
    return render_model_card(
        metrics, corruption_accuracies, out_of_distribution_confidences, layers, run
    )
