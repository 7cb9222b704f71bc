"""Compute accuracy, the confusion matrix, and precision, recall and F1 of each class."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import CLASSES

Classes = NDArray[np.integer]
_MAX_CONFUSIONS = 10


class ClassMetrics(TypedDict):
    """One-vs-rest metrics of a class; ratios are in 0–1."""

    precision: float
    recall: float
    f1: float
    support: int  # number of digits of that class


class Confusion(TypedDict):
    """The number of digits of one class that are predicted as another."""

    label: int
    prediction: int
    count: int


class Classification(TypedDict):
    """The classification metrics of a model."""

    accuracy: float
    accuracy_ci95: tuple[float, float]
    errors: int
    confusion: list[list[int]]  # [true class][predicted class]
    top_confusions: list[Confusion]
    classes: dict[str, ClassMetrics]


def classify_errors(labels: Classes, predictions: Classes) -> Classification:
    """Compute the accuracy with its 95% interval, the confusion matrix and metrics of each class.

    Args:
        labels: ``(n,)`` integers in 0–9, n ≥ 1.
        predictions: ``(n,)`` integers in 0–9.
    """
    correct = int(np.sum(labels == predictions))
    matrix = confusion_matrix(labels, predictions)
    return Classification(
        accuracy=correct / len(labels),
        accuracy_ci95=wilson_interval(correct, len(labels)),
        errors=len(labels) - correct,
        confusion=matrix.tolist(),
        top_confusions=top_confusions(matrix),
        classes=class_metrics(matrix),
    )


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95% Wilson score interval (1927, doi:10.1080/01621459.1927.10502953)."""
    from scipy.stats import binomtest  # noqa: PLC0415  (takes 0.4 s; the server does not need it)

    interval = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def confusion_matrix(labels: Classes, predictions: Classes) -> NDArray[np.int64]:
    """Count digits by true class (rows) and predicted class (columns): ``(10, 10)``."""
    cells = labels.astype(np.int64) * CLASSES + predictions
    return np.bincount(cells, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def top_confusions(confusion: NDArray[np.int64]) -> list[Confusion]:
    """Return up to ten confusions, the most frequent first."""
    errors = confusion - np.diag(np.diag(confusion))
    cells = np.argsort(-errors, axis=None, kind="stable")[:_MAX_CONFUSIONS]
    return [
        Confusion(label=int(cell) // CLASSES, prediction=int(cell) % CLASSES, count=int(count))
        for cell, count in zip(cells, errors.flat[cells], strict=True)
        if count
    ]


def class_metrics(confusion: NDArray[np.int64]) -> dict[str, ClassMetrics]:
    """Compute precision, recall, F1 and support of each class; undefined ratios are 0."""
    correct = np.diag(confusion)
    support, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    precision = correct / np.maximum(predicted, 1)
    recall = correct / np.maximum(support, 1)
    f1 = 2 * correct / np.maximum(support + predicted, 1)
    return {
        str(digit): ClassMetrics(
            precision=float(precision[digit]),
            recall=float(recall[digit]),
            f1=float(f1[digit]),
            support=int(support[digit]),
        )
        for digit in range(CLASSES)
    }
