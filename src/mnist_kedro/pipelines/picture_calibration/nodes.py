"""Nodes of the ``picture_calibration`` pipeline."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.lineage import mark_as_checking, with_lineage
from mnist_kedro.machine import usable_cores
from mnist_kedro.metrics.picture_calibration import PictureCalibration, measure_calibration
from mnist_kedro.metrics.prediction import probabilities_of, rows_of_all
from mnist_kedro.paper.examples import photograph_digit
from mnist_kedro.parameters import PictureCalibrationParameters
from mnist_kedro.pictures.detector import score_digits

logger = logging.getLogger(__name__)

_SCORED_DIGITS = 5000  # more digits take longer, but hardly change the threshold


@mark_as_checking
def photograph_digits(
    digits: LabeledImages, picture_calibration: PictureCalibrationParameters
) -> LabeledImages:
    """Simulate photos of digits on paper, and prepare them like users' photos.

    Args:
        digits: the validation split or the test split.
        picture_calibration: the number of digits, and the seed of the simulation.

    Returns:
        The digits that were found in the photos; the original digits if none was found.
    """
    rows = rows_of_all(digits, picture_calibration.digits)
    images, labels = np.asarray(digits["images"][rows]), np.asarray(digits["labels"])[rows]
    seeds = np.random.SeedSequence(picture_calibration.seed).spawn(len(images))
    with ThreadPoolExecutor(usable_cores()) as pool:  # NumPy, SciPy and ONNX release the GIL
        photos = pool.map(
            lambda image, seed: photograph_digit(image[..., 0], np.random.default_rng(seed)),
            images,
            seeds,
        )
        found = {
            row: pixels[..., np.newaxis] for row, pixels in enumerate(photos) if pixels is not None
        }
    if not found:
        return {**digits, "images": images, "labels": labels}
    return {**digits, "images": np.stack([*found.values()]), "labels": labels[[*found]]}


def score_validation_digits(validation: LabeledImages) -> NDArray[np.float32]:
    """Return the digit detector's scores of up to 5,000 validation digits: ``(n,)`` in 0–1."""
    return score_digits(validation["images"][rows_of_all(validation, _SCORED_DIGITS)])


@with_lineage
def calibrate_for_pictures(
    model: Any, validation: LabeledImages, photographed_validation: LabeledImages
) -> PictureCalibration:
    """Calibrate a model on simulated photos, and choose the digit detector's threshold.

    Args:
        model: a Keras model, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities.
        validation: the validation split.
        photographed_validation: simulated photos of some validation digits.
    """
    calibration = measure_calibration(
        score_validation_digits(validation),
        np.asarray(photographed_validation["labels"]),
        probabilities_of(model, photographed_validation["images"]),
    )
    logger.debug(
        "%s classifies %.1f%% of %d photographed validation digits correctly.",
        model.name,
        100 * calibration["photographed_accuracy"],
        calibration["photographed_digits"],
    )
    return calibration
