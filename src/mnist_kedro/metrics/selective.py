"""What if a model may say that it is not sure? Accuracy against the share of digits it reads."""

from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

Hits = NDArray[np.bool_]
Confidences = NDArray[np.floating]


class RiskCoverage(NamedTuple):
    """What each threshold of confidence leads to, from the highest to the lowest."""

    threshold: NDArray[np.floating]  # (t,), each confidence that occurs, descending
    coverage: NDArray[np.float64]  # (t,), the share of digits read: in (0, 1], ascending to 1
    risk: NDArray[np.float64]  # (t,), the error rate of those: in 0–1


class Rejection(TypedDict):
    """What comes of reading only the digits that a model is sure enough of."""

    target_accuracy: float
    threshold: float  # of confidence; digits below it are left to a person
    coverage: float  # the share of the test digits that is read
    accuracy: float | None  # of those; None when none is read
    errors: int


def risk_coverage(right: Hits, confidence: Confidences) -> RiskCoverage:
    """The curve of El-Yaniv and Wiener 2010 (JMLR 11, 1605–1641).

    Args:
        right: ``(n,)`` whether the prediction is right, n ≥ 1.
        confidence: ``(n,)`` of the predictions, in 0–1.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    errors = np.cumsum(~right[order])
    # Digits of one confidence are read together or not at all.
    last_of_equals = np.flatnonzero(np.append(np.diff(sorted_confidence) != 0, True))
    read = last_of_equals + 1
    return RiskCoverage(
        sorted_confidence[last_of_equals], read / len(right), errors[last_of_equals] / read
    )


def confidence_threshold(right: Hits, confidence: Confidences, accuracy: float) -> float:
    """The least threshold with which at least this share of the digits read is right.

    To be found on the validation digits. Above 1, so that nothing is read, when there is none.

    Args:
        right: as above.
        confidence: as above.
        accuracy: asked for, in 0–1.
    """
    curve = risk_coverage(right, confidence)
    accurate = np.flatnonzero(curve.risk <= 1 - accuracy)
    return float(curve.threshold[accurate[-1]]) if len(accurate) else float(np.nextafter(1, 2))


def reject_unsure(
    right: Hits, confidence: Confidences, threshold: float, target_accuracy: float
) -> Rejection:
    """Read only the digits of at least the confidence ``threshold``; arguments as above."""
    read = confidence >= threshold
    errors = int((~right[read]).sum())
    return Rejection(
        target_accuracy=target_accuracy,
        threshold=threshold,
        coverage=float(read.mean()),
        accuracy=1 - errors / int(read.sum()) if read.any() else None,
        errors=errors,
    )
