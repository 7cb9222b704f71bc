"""Nodes that draw: they pick what a figure shows; how it looks is in ``plots``."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mnist_kedro.contracts import LabelledImages
from mnist_kedro.evaluation.prediction import PROBABILITIES
from mnist_kedro.parameters import ReportingParameters
from mnist_kedro.plots.balance import plot_class_balance
from mnist_kedro.plots.calibration import plot_reliability_diagram
from mnist_kedro.plots.confusion import plot_confusion_matrix
from mnist_kedro.plots.digits import (
    plot_least_confident_hits,
    plot_sample_predictions,
    plot_worst_mistakes,
)
from mnist_kedro.plots.selective import plot_risk_coverage
from mnist_kedro.plots.style import describe_source
from mnist_kedro.plots.training import plot_training_curves


def draw_training_curves(train: LabelledImages, **histories: Mapping[str, Any]) -> Figure:
    """Accuracy and loss over the epochs, of each model."""
    return plot_training_curves(histories, describe_source(train))


def draw_confusion_matrix(test: LabelledImages, **predictions: pd.DataFrame) -> Figure:
    """Which digits the one model takes for which."""
    ((model, table),) = predictions.items()
    return plot_confusion_matrix(test, table["prediction"].to_numpy(), model)


def draw_sample_predictions(
    test: LabelledImages, reporting: ReportingParameters, **predictions: pd.DataFrame
) -> Figure:
    """The first test digits with the one model's predictions."""
    ((model, table),) = predictions.items()
    return plot_sample_predictions(test, table, reporting.examples, model)


def draw_worst_mistakes(
    test: LabelledImages, reporting: ReportingParameters, **predictions: pd.DataFrame
) -> Figure:
    """The mistakes that the one model was surest of."""
    ((model, table),) = predictions.items()
    return plot_worst_mistakes(test, table, reporting.mistakes, model)


def draw_least_confident_hits(
    test: LabelledImages, reporting: ReportingParameters, **predictions: pd.DataFrame
) -> Figure:
    """What the one model reads right, but only just."""
    ((model, table),) = predictions.items()
    return plot_least_confident_hits(test, table, reporting.mistakes, model)


def draw_reliability_diagram(
    metrics: Mapping[str, Any], test: LabelledImages, **predictions: pd.DataFrame
) -> Figure:
    """Whether the one model's confidence can be taken at its word."""
    ((model, table),) = predictions.items()
    temperature = metrics["models"][model]["temperature_scaling"]["temperature"]
    return plot_reliability_diagram(test, table[PROBABILITIES].to_numpy(), temperature, model)


def draw_risk_coverage(
    metrics: Mapping[str, Any], test: LabelledImages, **predictions: pd.DataFrame
) -> Figure:
    """What is gained by leaving the digits that each model is unsure of to a person."""
    rejections = {model: metrics["models"][model]["rejection"] for model in predictions}
    return plot_risk_coverage(test, predictions, rejections)


def draw_class_balance(
    train: LabelledImages, validation: LabelledImages, test: LabelledImages
) -> Figure:
    """How often each digit occurs in each split."""
    labels = {
        "training": np.asarray(train["labels"]),
        "validation": np.asarray(validation["labels"]),
        "test": np.asarray(test["labels"]),
    }
    return plot_class_balance(labels, describe_source(test))
