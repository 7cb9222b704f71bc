"""Calibrate the predictions of pictures, and detect pictures without a digit.

Pictures are harder to classify than MNIST's digits. Each model is therefore calibrated on simulated
photos of validation digits, prepared like a user's photos.
"""

import math
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.metrics.calibration import fit_temperature, scale_temperature
from mnist_kedro.metrics.selective import confidence_threshold

COVERAGE = 0.98  # share of the candidate sets that contain the correct digit
_SURE_ACCURACY = 0.995  # target accuracy of the confident predictions
_FLAGGED = 0.007  # share of the validation digits that are flagged as non-digits
_MAX_FLAGGED = 0.014  # largest share, if corrections require a higher threshold

Probabilities = NDArray[np.floating]


class PictureCalibration(TypedDict):
    """The thresholds and the temperature for pictures; saved with the model."""

    digit_threshold: float  # 0–1; pictures with a lower score of the detector are non-digits
    temperature: float  # divides the logits of pictures
    candidate_threshold: float  # digits with this probability or more are candidates
    confidence_threshold: float  # predictions with a lower confidence are uncertain
    photographed_digits: int  # number of simulated photos used for the calibration
    photographed_accuracy: float  # accuracy on these photos, 0–1


class CalibratedPredictions(NamedTuple):
    """Calibrated predictions of n pictures; without a calibration, scores are NaN."""

    probabilities: NDArray[np.floating]  # (n, 10), calibrated
    digits: NDArray[np.intp]  # (n,), the most probable digits
    candidates: list[list[int]]  # n lists of at least one digit, the most probable first
    digit_scores: NDArray[np.floating]  # (n,) in 0–1
    is_digit: list[bool | None]  # n values; None without a calibration


def measure_calibration(
    digit_scores: NDArray[np.floating], labels: NDArray[np.integer], probabilities: Probabilities
) -> PictureCalibration:
    """Choose the temperature and the thresholds for pictures.

    The candidates are the prediction set of split conformal prediction with the score
    1 − probability (Sadinle, Lei and Wasserman 2019, doi:10.1080/01621459.2017.1395341): on similar
    pictures, the set contains the correct digit in at least 98% of all cases.

    Args:
        digit_scores: ``(m,)``, the detector's scores of the validation digits, in 0–1.
        labels: ``(n,)`` in 0–9, of simulated photos of validation digits, n ≥ 1.
        probabilities: ``(n, 10)``, predicted for these photos.
    """
    temperature = max(1.0, fit_temperature(labels, probabilities))
    calibrated = scale_temperature(probabilities, temperature)
    correct = np.sort(calibrated[np.arange(len(labels)), labels])
    rank = math.floor((1 - COVERAGE) * (len(labels) + 1))  # 1 is the lowest; 0 if n is too small
    return PictureCalibration(
        digit_threshold=choose_digit_threshold(digit_scores),
        temperature=temperature,
        candidate_threshold=float(correct[rank - 1]) if rank else 0.0,
        confidence_threshold=confidence_threshold(
            calibrated.argmax(axis=1) == labels, calibrated.max(axis=1), _SURE_ACCURACY
        ),
        photographed_digits=len(labels),
        photographed_accuracy=float(np.mean(probabilities.argmax(axis=1) == labels)),
    )


def choose_digit_threshold(digit_scores: NDArray[np.floating]) -> float:
    """Choose the detector's threshold so that it flags 0.7% of the digits as non-digits.

    Args:
        digit_scores: ``(m,)``, the detector's scores of the validation digits, in 0–1.
    """
    return float(np.quantile(digit_scores, _FLAGGED, method="lower"))


def tune_digit_threshold(
    threshold: float,
    digit_scores: NDArray[np.floating],
    corrected_scores: NDArray[np.floating],
    corrected_is_digit: NDArray[np.bool_],
) -> float:
    """Adjust the detector's threshold to the users' corrections.

    Args:
        threshold: the threshold chosen without corrections.
        digit_scores: ``(m,)``, the detector's scores of the validation digits, in 0–1.
        corrected_scores: ``(n,)``, the detector's scores of the corrections, in 0–1.
        corrected_is_digit: ``(n,)``, whether a correction is labeled as a digit.

    Returns:
        The threshold that agrees with the most corrections; among ties, the one closest to
        ``threshold``. If it is higher than ``threshold``, it flags at most 1.4% of the digits.
    """
    highest = float(np.quantile(digit_scores, _MAX_FLAGGED, method="lower"))
    between = np.sort(corrected_scores)
    between = np.concatenate([between, (between[1:] + between[:-1]) / 2, [threshold, highest]])
    candidates = np.unique(between[between <= max(highest, threshold)])
    agreed = [int(np.sum((corrected_scores >= one) == corrected_is_digit)) for one in candidates]
    best = candidates[np.array(agreed) == max(agreed)]
    return float(best[np.argmin(np.abs(best - threshold))])


def calibrate(
    probabilities: Probabilities,
    digit_scores: NDArray[np.floating],
    in_mnist_form: NDArray[np.bool_],
    calibration: PictureCalibration | None,
) -> CalibratedPredictions:
    """Calibrate the probabilities of pictures, select their candidates, and flag non-digits.

    Args:
        probabilities: ``(n, 10)``, predicted by the model.
        digit_scores: ``(n,)``, the detector's scores, in 0–1.
        in_mnist_form: ``(n,)``, whether the picture was already in MNIST's format; its
            probabilities are not scaled, because the model was trained on such images.
        calibration: the model's calibration, or None.
    """
    digits = probabilities.argmax(axis=1)
    if calibration is None:
        scores = np.full(len(digits), np.nan)
        return CalibratedPredictions(
            probabilities, digits, digits[:, np.newaxis].tolist(), scores, [None] * len(digits)
        )
    scaled = scale_temperature(probabilities, calibration["temperature"])
    final = np.where(in_mnist_form[:, np.newaxis], probabilities, scaled)
    order = np.argsort(-final, axis=1, kind="stable")
    sizes = np.maximum(1, (final >= calibration["candidate_threshold"]).sum(axis=1))
    candidates = [row[:size].tolist() for row, size in zip(order, sizes, strict=True)]
    is_digit = (digit_scores >= calibration["digit_threshold"]).tolist()
    return CalibratedPredictions(final, digits, candidates, digit_scores, is_digit)
