"""Nodes of the ``data_processing`` pipeline."""

import logging
import math

import numpy as np

from mnist_kedro.contracts import (
    LabelledImages,
    Labels,
    Mnist,
    Pixels,
    PixelStatistics,
    provenance,
)
from mnist_kedro.errors import InputError
from mnist_kedro.parameters import DataProcessingParameters
from mnist_kedro.stratification import stratified_choice

logger = logging.getLogger(__name__)


def split_training_digits(
    mnist: Mnist, data_processing: DataProcessingParameters
) -> tuple[LabelledImages, LabelledImages]:
    """Hold out a validation split with the training digits' shares of each class.

    Args:
        mnist: of which the training digits are divided.
        data_processing: the validation split's fraction, and the seed of the choice.

    Returns:
        The training and the validation split, each in the order of ``mnist``.

    Raises:
        InputError: when a class would be absent from one of the splits.
    """
    held_out = stratified_choice(
        mnist["y_train"],
        data_processing.validation_fraction,
        data_processing.seed,
        where="mnist: 'y_train'",
        parameter="data_processing.validation_fraction",
    )
    logger.info(
        "MNIST from '%s': %d digits to train on, %d to validate, %d to test.",
        mnist["source"],
        (~held_out).sum(),
        held_out.sum(),
        len(mnist["y_test"]),
    )
    return (
        _labelled(mnist, mnist["x_train"][~held_out], mnist["y_train"][~held_out]),
        _labelled(mnist, mnist["x_train"][held_out], mnist["y_train"][held_out]),
    )


def select_test_digits(mnist: Mnist) -> LabelledImages:
    """The test split, as it came."""
    return _labelled(mnist, mnist["x_test"], mnist["y_test"])


def compute_pixel_statistics(train: LabelledImages) -> PixelStatistics:
    """Mean and standard deviation of the training pixels.

    Args:
        train: images ``(n, 28, 28, 1)`` uint8 in 0–255, n ≥ 1, not all of one grey.

    Returns:
        In pixel units; for MNIST about 33.3 and 78.6.

    Raises:
        InputError: when all pixels are equal, so that nothing could be learned from them.
    """
    images = np.asarray(train["images"])
    mean = float(images.mean(dtype=np.float64))
    mean_square = float(np.square(images, dtype=np.uint16).mean(dtype=np.float64))
    deviation = math.sqrt(mean_square - mean**2)
    if deviation == 0:
        raise InputError(f"train: all pixels of all images are {mean:.0f}; expected digits.")
    return PixelStatistics(mean=mean, standard_deviation=deviation)


def _labelled(mnist: Mnist, images: Pixels, labels: Labels) -> LabelledImages:
    return LabelledImages(images=images[..., np.newaxis], labels=labels, **provenance(mnist))
