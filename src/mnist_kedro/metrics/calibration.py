"""Can the probabilities be taken at their word? Proper scores, calibration, temperature scaling.

All digits are gone through block by block: what is computed on the way takes several times the
memory of the probabilities themselves.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import CLASSES
from mnist_kedro.metrics.classification import Classes

Probabilities = NDArray[np.floating]

_BINS = 15  # of confidence, as Guo et al. have
_SMALLEST = np.finfo(np.float32).tiny  # a probability of 0 has no logarithm
_TEMPERATURES = (0.05, 20.0)


class ProbabilityScores(TypedDict):
    """How good the probabilities are; of each score, less is better."""

    negative_log_likelihood: float  # nats a digit, ≥ 0
    brier_score: float  # in 0–2
    expected_calibration_error: float  # in 0–1


class Reliability(NamedTuple):
    """The digits by their confidence, in bins of equal width; empty ones are left out."""

    confidence: NDArray[np.float64]  # (b,), the mean of each bin
    accuracy: NDArray[np.float64]  # (b,)
    digits: NDArray[np.int64]  # (b,), at least 1 each


def score_probabilities(
    labels: Classes, probabilities: Probabilities, temperature: float = 1.0
) -> ProbabilityScores:
    """Score probabilities against the true classes.

    Args:
        labels: ``(n,)`` integers in 0–9, n ≥ 1.
        probabilities: ``(n, 10)``, each row of sum 1.
        temperature: by which they are scaled first.
    """
    scores = np.array(
        [
            (len(part[0]), negative_log_likelihood(*part), brier_score(*part))
            for part in _parts(labels, probabilities, temperature)
        ]
    )
    likelihood, distance = np.average(scores[:, 1:], axis=0, weights=scores[:, 0])
    return ProbabilityScores(
        negative_log_likelihood=float(likelihood),
        brier_score=float(distance),
        expected_calibration_error=expected_calibration_error(labels, probabilities, temperature),
    )


def _parts(
    labels: Classes, probabilities: Probabilities, temperature: float
) -> Iterator[tuple[Classes, Probabilities]]:
    for start, block in blocks(probabilities):
        scaled = block if temperature == 1 else scale_temperature(block, temperature)
        yield labels[start : start + len(block)], scaled


def negative_log_likelihood(labels: Classes, probabilities: Probabilities) -> float:
    """The mean of −log of the true class's probability (the cross-entropy), in nats."""
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(true, _SMALLEST)).mean())


def brier_score(labels: Classes, probabilities: Probabilities) -> float:
    """The mean squared distance from the certain truth, summed over the classes: 0–2.

    Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2, in his own form, for several
    classes.
    """
    return float(((probabilities - np.eye(CLASSES)[labels]) ** 2).sum(axis=1).mean())


def expected_calibration_error(
    labels: Classes, probabilities: Probabilities, temperature: float = 1.0
) -> float:
    """How far confidence and accuracy are apart, the mean over the digits.

    In 15 bins of equal width, as in Guo et al. 2017 (arXiv:1706.04599). Arguments as above.
    """
    bins = reliability(labels, probabilities, temperature)
    return float(np.average(np.abs(bins.accuracy - bins.confidence), weights=bins.digits))


def reliability(
    labels: Classes, probabilities: Probabilities, temperature: float = 1.0
) -> Reliability:
    """Mean confidence and accuracy of the digits in each bin of confidence; arguments as above."""
    parts = [_in_bins(*part) for part in _parts(labels, probabilities, temperature)]
    sums = np.sum(parts, axis=0)
    digits, confidence, right = sums[:, sums[0] > 0]
    return Reliability(confidence / digits, right / digits, digits.astype(np.int64))


def _in_bins(labels: Classes, probabilities: Probabilities) -> NDArray[np.float64]:
    """``(3, 15)``: of each bin how many digits, the sum of their confidence, how many are right."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    weights = np.ones(len(bins)), confidence, right
    return np.array([np.bincount(bins, weight, _BINS) for weight in weights])


def fit_temperature(labels: Classes, probabilities: Probabilities) -> float:
    """The temperature that makes the true classes of the validation digits most likely.

    One number for all digits (Guo et al. 2017, arXiv:1706.04599): above 1 the network is too sure
    of itself, below 1 too unsure. It changes no prediction. Kept within 0.05–20: where a network
    makes no mistake, no temperature is low enough.
    """

    def loss(log_temperature: float) -> float:
        total = 0.0
        for start, block in blocks(probabilities):
            logits = _logarithm(block) / np.exp(log_temperature)
            rows = np.arange(len(block))
            total -= _log_softmax(logits)[rows, labels[start : start + len(block)]].sum()
        return total / len(labels)

    found = minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded")
    return float(np.exp(found.x))


def scale_temperature(probabilities: Probabilities, temperature: float) -> NDArray[np.float64]:
    """The probabilities ``(n, 10)`` that the logits give when divided by the temperature, > 0."""
    return np.exp(_log_softmax(_logarithm(probabilities) / temperature))


def _logarithm(probabilities: Probabilities) -> NDArray[np.float64]:
    """The logits, up to a number for each digit, which a softmax takes away."""
    return np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST))


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return logits - logsumexp(logits, axis=1, keepdims=True)
