"""Compare confidence with accuracy in bins of equal counts, for reliability diagrams."""

import numpy as np

from mnist_kedro.metrics.calibration import Probabilities, Reliability
from mnist_kedro.metrics.classification import Classes

SURE = 0.99  # All digits with at least this confidence are in one bin.
_BIN_DIGITS = 25  # smallest number of digits in each of the other bins
_MAX_BINS = 8  # largest number of the other bins


def reliability_of_equal_counts(labels: Classes, probabilities: Probabilities) -> Reliability:
    """Compute the mean confidence and the accuracy in bins of equal counts.

    Bins of equal width can have so few digits that their accuracies vary by chance. Here the digits
    below 99% confidence are divided into at most 8 bins of at least 25 digits (one bin if there are
    fewer), ordered by confidence; all other digits are in the last bin. Digits of the same
    confidence are in the same bin.

    Args:
        labels: ``(n,)`` integers in 0–9, n ≥ 1.
        probabilities: ``(n, 10)``, rows that sum to 1.
    """
    confidences = probabilities.max(axis=1).astype(np.float64)
    hits = probabilities.argmax(axis=1) == labels
    unsure = confidences[confidences < SURE]
    count = int(np.clip(len(unsure) // _BIN_DIGITS, 1, _MAX_BINS))
    edges = np.quantile(unsure, np.arange(1, count) / count) if len(unsure) else np.empty(0)
    bins = np.searchsorted([*edges, SURE], confidences, side="right")
    sums = np.array([np.bincount(bins, weights) for weights in (None, confidences, hits)])
    digits, confidence, correct = sums[:, sums[0] > 0]
    return Reliability(confidence / digits, correct / digits, digits.astype(np.int64))
