"""Accuracy with its interval, the confusion matrix, and precision, recall and F1 of each class."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from mnist_kedro.contracts import CLASSES

Classes = NDArray[np.integer]
_TOP = 10


class ClassMetrics(TypedDict):
    """How well one class is told from the others; ratios in 0–1."""

    precision: float
    recall: float
    f1: float
    support: int  # test digits of that class


class Confusion(TypedDict):
    """How often digits of one class are taken for another."""

    label: int
    prediction: int
    count: int


class Classification(TypedDict):
    """How well a model classifies."""

    accuracy: float
    accuracy_ci95: tuple[float, float]
    errors: int
    confusion: list[list[int]]  # [true class][predicted class]
    top_confusions: list[Confusion]
    classes: dict[str, ClassMetrics]


def classify_errors(labels: Classes, predictions: Classes) -> Classification:
    """Compare predicted with true classes.

    Args:
        labels: ``(n,)`` integers in 0–9, n ≥ 1.
        predictions: ``(n,)`` integers in 0–9.
    """
    right = int(np.sum(labels == predictions))
    matrix = confusion_matrix(labels, predictions)
    return Classification(
        accuracy=right / len(labels),
        accuracy_ci95=wilson_interval(right, len(labels)),
        errors=len(labels) - right,
        confusion=matrix.tolist(),
        top_confusions=top_confusions(matrix),
        classes=class_metrics(matrix),
    )


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    interval = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def confusion_matrix(labels: Classes, predictions: Classes) -> NDArray[np.int64]:
    """``(10, 10)`` counts: a row for each true class, a column for each predicted one."""
    cells = labels.astype(np.int64) * CLASSES + predictions
    return np.bincount(cells, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def top_confusions(confusion: NDArray[np.int64]) -> list[Confusion]:
    """The most frequent confusions, ten at most, from the most frequent on."""
    wrong = confusion - np.diag(np.diag(confusion))
    cells = np.argsort(-wrong, axis=None, kind="stable")[:_TOP]
    return [
        Confusion(label=int(cell) // CLASSES, prediction=int(cell) % CLASSES, count=int(count))
        for cell, count in zip(cells, wrong.flat[cells], strict=True)
        if count
    ]


def class_metrics(confusion: NDArray[np.int64]) -> dict[str, ClassMetrics]:
    """Precision, recall, F1 and support of each class; a ratio over nothing counts as 0."""
    right = np.diag(confusion)
    support, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    precision = right / np.maximum(predicted, 1)
    recall = right / np.maximum(support, 1)
    f1 = 2 * right / np.maximum(support + predicted, 1)
    return {
        str(digit): ClassMetrics(
            precision=float(precision[digit]),
            recall=float(recall[digit]),
            f1=float(f1[digit]),
            support=int(support[digit]),
        )
        for digit in range(CLASSES)
    }
