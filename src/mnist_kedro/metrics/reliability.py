"""Compare confidence with accuracy in groups of equally many digits, for reliability diagrams."""

import numpy as np

from mnist_kedro.metrics.calibration import Probabilities, Reliability
from mnist_kedro.metrics.classification import Classes

SURE = 0.99  # Digits of at least this confidence are one bin.
_BIN_DIGITS = 25  # in a bin of other digits, at least
_MAX_BINS = 8  # of other digits


def reliability_of_equal_counts(labels: Classes, probabilities: Probabilities) -> Reliability:
    """Compute mean confidence and accuracy in bins of equally many digits.

    Bins of equal width can have so few digits that their accuracies vary by chance. Here the digits
    below 99% confidence are divided into at most 8 bins of at least 25 digits (one bin if there are
    fewer), ordered by confidence; all other digits are the last bin. Digits of the same confidence
    are in the same bin.

    Args:
        labels: ``(n,)`` integers in 0–9, n ≥ 1.
        probabilities: ``(n, 10)``, rows that sum to 1.
    """
    confidences = probabilities.max(axis=1).astype(np.float64)
    hits = probabilities.argmax(axis=1) == labels
    unsure = confidences[confidences < SURE]
    count = int(np.clip(len(unsure) // _BIN_DIGITS, 1, _MAX_BINS))
    edges = np.quantile(unsure, np.arange(1, count) / count) if len(unsure) else []
    bins = np.searchsorted([*edges, SURE], confidences, side="right")
    sums = np.array([np.bincount(bins, weights) for weights in (None, confidences, hits)])
    digits, confidence, correct = sums[:, sums[0] > 0]
    return Reliability(confidence / digits, correct / digits, digits.astype(np.int64))
