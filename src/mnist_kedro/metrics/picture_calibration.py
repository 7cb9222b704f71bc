"""Calibrate the predictions of pictures, and detect pictures without a digit.

Pictures are harder to classify than MNIST's digits. Each model is therefore calibrated on
photographed validation digits: validation digits on simulated paper, prepared like a user's photos.
"""

import math
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.metrics.calibration import fit_temperature, scale_temperature
from mnist_kedro.metrics.selective import confidence_threshold

COVERAGE = 0.98  # of the candidates, on photographed validation digits
_SURE_ACCURACY = 0.995  # of the photographed validation digits that are sure
_FLAGGED = 0.007  # share of the validation digits that are flagged as non-digits
_MAX_FLAGGED = 0.014  # if corrections ask for a higher threshold

Probabilities = NDArray[np.floating]


class PictureCalibration(TypedDict):
    """The thresholds and the temperature for pictures; saved with the model."""

    digit_threshold: float  # 0–1; pictures with a lower score of the detector are non-digits
    temperature: float  # that divides the logits of photographed digits
    candidate_threshold: float  # digits with this probability or more are candidates
    confidence_threshold: float  # predictions with a lower confidence are unsure
    photographed_digits: int  # on which the model was calibrated
    photographed_accuracy: float  # on them, 0–1


class CalibratedPredictions(NamedTuple):
    """Hold predictions of pictures, and their calibration; None or NaN where it is unknown."""

    probabilities: NDArray[np.floating]  # (n, 10), calibrated
    digits: NDArray[np.intp]  # (n,), the most probable ones
    candidates: list[list[int]]  # n lists of one digit or more, the most probable first
    digit_scores: NDArray[np.floating]  # (n,) in 0–1
    is_digit: list[bool | None]  # n values; None without a calibration


def measure_calibration(
    digit_scores: NDArray[np.floating], labels: NDArray[np.integer], probabilities: Probabilities
) -> PictureCalibration:
    """Choose the temperature and the thresholds for pictures.

    The candidates are those of split conformal prediction with the score 1 − probability (Sadinle,
    Lei and Wasserman 2019, doi:10.1080/01621459.2017.1395341): on digits like these, the right one
    is a candidate in 98% of all cases.

    Args:
        digit_scores: ``(m,)`` in 0–1, the detector's scores of the validation digits.
        labels: ``(n,)`` in 0–9 of photographed validation digits, n ≥ 1.
        probabilities: ``(n, 10)``, predicted for them.
    """
    temperature = max(1.0, fit_temperature(labels, probabilities))
    calibrated = scale_temperature(probabilities, temperature)
    right = np.sort(calibrated[np.arange(len(labels)), labels])
    rank = math.floor((1 - COVERAGE) * (len(labels) + 1))  # from the lowest, 1 the first
    return PictureCalibration(
        digit_threshold=choose_digit_threshold(digit_scores),
        temperature=temperature,
        candidate_threshold=float(right[rank - 1]) if rank else 0.0,
        confidence_threshold=confidence_threshold(
            calibrated.argmax(axis=1) == labels, calibrated.max(axis=1), _SURE_ACCURACY
        ),
        photographed_digits=len(labels),
        photographed_accuracy=float(np.mean(probabilities.argmax(axis=1) == labels)),
    )


def choose_digit_threshold(digit_scores: NDArray[np.floating]) -> float:
    """Choose the threshold of the detector's score, so that 0.7% of the digits are flagged.

    Args:
        digit_scores: ``(m,)`` in 0–1, of the validation digits.
    """
    return float(np.quantile(digit_scores, _FLAGGED, method="lower"))


def tune_digit_threshold(
    threshold: float,
    digit_scores: NDArray[np.floating],
    corrected_scores: NDArray[np.floating],
    corrected_is_digit: NDArray[np.bool_],
) -> float:
    """Move the threshold of the detector's score so that it agrees with corrections.

    Args:
        threshold: that was chosen without corrections.
        digit_scores: ``(m,)`` in 0–1, of the validation digits; at most 1.4% of them are flagged.
        corrected_scores: ``(n,)`` in 0–1, of the corrections.
        corrected_is_digit: ``(n,)`` whether a correction says that it is a digit.

    Returns:
        The threshold that agrees with most corrections; of several, the one that is least changed.
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
        digit_scores: ``(n,)`` in 0–1, the detector's.
        in_mnist_form: ``(n,)`` whether a picture already had MNIST's form. The model was trained
            on such digits, so their probabilities are not scaled.
        calibration: of the model; None if the model has none.
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
