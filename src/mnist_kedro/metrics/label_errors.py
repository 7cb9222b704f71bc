"""Accuracy on MNIST's test digits but those whose labels are known to be wrong."""

from typing import TypedDict

import numpy as np

from mnist_kedro.metrics.classification import Classes, wilson_interval

# Rows of the test split whose label a majority of annotators called wrong (Northcutt, Athalye and
# Mueller 2021, arXiv:2103.14749, labelerrors.com).
LABEL_ERRORS = (
    *(947, 1621, 1901, 2130, 2462, 2597, 2654, 3520),
    *(3558, 5937, 6651, 6783, 8527, 9679, 9729),
)


class WithoutLabelErrors(TypedDict):
    """How well a model classifies the digits whose labels are not in doubt."""

    excluded: int
    accuracy: float
    accuracy_ci95: tuple[float, float]
    errors: int


def classify_without_label_errors(labels: Classes, predictions: Classes) -> WithoutLabelErrors:
    """Leave out the test digits whose labels are known to be wrong.

    Args:
        labels: ``(10000,)`` integers in 0–9, of the canonical MNIST's test split in its order.
        predictions: ``(10000,)`` integers in 0–9.
    """
    right = np.delete(labels == predictions, LABEL_ERRORS)
    return WithoutLabelErrors(
        excluded=len(LABEL_ERRORS),
        accuracy=float(right.mean()),
        accuracy_ci95=wilson_interval(int(right.sum()), len(right)),
        errors=int((~right).sum()),
    )
