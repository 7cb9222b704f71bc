"""Evaluate a reject option: the accuracy at each coverage, the share of accepted digits."""

from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

Correct = NDArray[np.bool_]
Confidences = NDArray[np.floating]


class RiskCoverage(NamedTuple):
    """Coverage and risk at each confidence threshold, from the highest to the lowest."""

    threshold: NDArray[np.floating]  # (t,), the distinct confidences, descending
    coverage: NDArray[np.float64]  # (t,), the share of accepted digits, in (0, 1], ascending to 1
    risk: NDArray[np.float64]  # (t,), the error rate of the accepted digits, in 0–1


class Rejection(TypedDict):
    """The results of rejecting digits whose confidence is below a threshold."""

    target_accuracy: float
    threshold: float  # confidence threshold; digits below it are rejected
    coverage: float  # share of accepted test digits
    accuracy: float | None  # on the accepted digits; None if all are rejected
    errors: int


def risk_coverage(correct: Correct, confidence: Confidences) -> RiskCoverage:
    """Compute the risk-coverage curve (El-Yaniv and Wiener 2010, JMLR 11, 1605–1641).

    Args:
        correct: ``(n,)``, whether each prediction is correct, n ≥ 1.
        confidence: ``(n,)``, confidence of each prediction, in 0–1.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    errors = np.cumsum(~correct[order])
    # A threshold accepts either all digits of the same confidence or none of them.
    last_of_ties = np.flatnonzero(np.append(np.diff(sorted_confidence) != 0, True))
    accepted = last_of_ties + 1
    return RiskCoverage(
        sorted_confidence[last_of_ties], accepted / len(correct), errors[last_of_ties] / accepted
    )


def confidence_threshold(correct: Correct, confidence: Confidences, accuracy: float) -> float:
    """Find the lowest confidence threshold at which the accepted digits reach an accuracy.

    Args:
        correct: ``(n,)``, whether each prediction is correct, on the validation digits, n ≥ 1.
        confidence: ``(n,)``, confidence of each prediction, in 0–1.
        accuracy: the target accuracy, in 0–1.

    Returns:
        The threshold. If no threshold reaches the accuracy, it is above 1: all digits are rejected.
    """
    curve = risk_coverage(correct, confidence)
    accurate = np.flatnonzero(curve.risk <= 1 - accuracy)
    return float(curve.threshold[accurate[-1]]) if len(accurate) else float(np.nextafter(1, 2))


def reject_unsure(
    correct: Correct, confidence: Confidences, threshold: float, target_accuracy: float
) -> Rejection:
    """Reject the digits whose confidence is below ``threshold``, and evaluate the others.

    Args:
        correct: ``(n,)``, whether each prediction is correct, n ≥ 1.
        confidence: ``(n,)``, confidence of each prediction, in 0–1.
        threshold: the result of :func:`confidence_threshold`.
        target_accuracy: the accuracy for which the threshold was chosen.
    """
    accepted = confidence >= threshold
    errors = int((~correct[accepted]).sum())
    return Rejection(
        target_accuracy=target_accuracy,
        threshold=threshold,
        coverage=float(accepted.mean()),
        accuracy=1 - errors / int(accepted.sum()) if accepted.any() else None,
        errors=errors,
    )
