"""Evaluate predicted probabilities: proper scores, calibration and temperature scaling."""

from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import CLASSES
from mnist_kedro.metrics.classification import Classes

Probabilities = NDArray[np.floating]

_BINS = 15  # of confidence, as in Guo et al.
_MIN_PROBABILITY = np.finfo(np.float32).tiny  # 0 has no logarithm
_TEMPERATURE_BOUNDS = (0.05, 20.0)


class ProbabilityScores(TypedDict):
    """Scores of predicted probabilities; lower is better."""

    negative_log_likelihood: float  # nats per digit, ≥ 0
    brier_score: float  # in 0–2
    expected_calibration_error: float  # in 0–1


class Reliability(NamedTuple):
    """Statistics of the digits in each bin of confidence; empty bins are omitted."""

    confidence: NDArray[np.float64]  # (b,), mean of each bin
    accuracy: NDArray[np.float64]  # (b,)
    digits: NDArray[np.int64]  # (b,), number of digits in each bin, at least 1


def score_probabilities(labels: Classes, probabilities: Probabilities) -> ProbabilityScores:
    """Score probabilities against the true classes.

    Args:
        labels: ``(n,)`` integers in 0–9, n ≥ 1.
        probabilities: ``(n, 10)``, rows that sum to 1.
    """
    return ProbabilityScores(
        negative_log_likelihood=negative_log_likelihood(labels, probabilities),
        brier_score=brier_score(labels, probabilities),
        expected_calibration_error=expected_calibration_error(labels, probabilities),
    )


def negative_log_likelihood(labels: Classes, probabilities: Probabilities) -> float:
    """Compute the mean of −log of the true class's probability (the cross-entropy), in nats."""
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(true, _MIN_PROBABILITY)).mean())


def brier_score(labels: Classes, probabilities: Probabilities) -> float:
    """Compute the mean squared distance from the one-hot labels, summed over the classes: 0–2.

    This is Brier's original form for several classes (Brier 1950,
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2).
    """
    return float(((probabilities - np.eye(CLASSES)[labels]) ** 2).sum(axis=1).mean())


def expected_calibration_error(labels: Classes, probabilities: Probabilities) -> float:
    """Compute the mean absolute difference of confidence and accuracy in 15 bins of confidence.

    The bins have equal width, and are weighted by their digits (Guo et al. 2017, arXiv:1706.04599).
    The arguments are those of :func:`score_probabilities`.
    """
    bins = reliability(labels, probabilities)
    return float(np.average(np.abs(bins.accuracy - bins.confidence), weights=bins.digits))


def reliability(labels: Classes, probabilities: Probabilities) -> Reliability:
    """Compute mean confidence and accuracy in 15 bins of confidence, of equal width.

    The arguments are those of :func:`score_probabilities`.
    """
    confidences = probabilities.max(axis=1).astype(np.float64)
    hits = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidences * _BINS).astype(int), _BINS - 1)
    sums = np.array([np.bincount(bins, weights, _BINS) for weights in (None, confidences, hits)])
    digits, confidence, correct = sums[:, sums[0] > 0]
    return Reliability(confidence / digits, correct / digits, digits.astype(np.int64))


def fit_temperature(labels: Classes, probabilities: Probabilities) -> float:
    """Fit the temperature that maximizes the likelihood of the labels of the validation digits.

    One temperature for all digits (Guo et al. 2017, arXiv:1706.04599): above 1 the network is
    overconfident, below 1 underconfident. Scaling changes no prediction. The temperature is bounded
    to 0.05–20, because for a network without errors a lower one is always better.
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415  (takes 0.2 s)

    def loss(log_temperature: float) -> float:
        scaled = scale_temperature(probabilities, np.exp(log_temperature))
        return negative_log_likelihood(labels, scaled)

    result = minimize_scalar(loss, bounds=np.log(_TEMPERATURE_BOUNDS), method="bounded")
    return float(np.exp(result.x))


def scale_temperature(probabilities: Probabilities, temperature: float) -> NDArray[np.float64]:
    """Return the probabilities ``(n, 10)`` after dividing the logits by a temperature > 0."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), _MIN_PROBABILITY))
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    scaled: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return scaled
