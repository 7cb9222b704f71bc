"""Evaluate on MNIST's test split without the 15 known label errors."""

from typing import TypedDict

import numpy as np

from mnist_kedro.metrics.classification import Classes, wilson_interval

# Rows of the test split whose label a majority of annotators rejected (Northcutt, Athalye and
# Mueller 2021, arXiv:2103.14749, labelerrors.com).
LABEL_ERRORS = (
    *(947, 1621, 1901, 2130, 2462, 2597, 2654, 3520),
    *(3558, 5937, 6651, 6783, 8527, 9679, 9729),
)


class WithoutLabelErrors(TypedDict):
    """The metrics without the known label errors."""

    excluded: int
    accuracy: float
    accuracy_ci95: tuple[float, float]
    errors: int


def classify_without_label_errors(labels: Classes, predictions: Classes) -> WithoutLabelErrors:
    """Compute the accuracy without the known label errors.

    Args:
        labels: ``(10000,)`` integers in 0–9, of the canonical test split in its order.
        predictions: ``(10000,)`` integers in 0–9.
    """
    correct = np.delete(labels == predictions, LABEL_ERRORS)
    return WithoutLabelErrors(
        excluded=len(LABEL_ERRORS),
        accuracy=float(correct.mean()),
        accuracy_ci95=wilson_interval(int(correct.sum()), len(correct)),
        errors=int((~correct).sum()),
    )
