"""Nodes of the ``data_processing`` pipeline."""

import logging
import math

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import (
    CLASSES,
    LabelledImages,
    Labels,
    Mnist,
    Pixels,
    PixelStatistics,
)
from mnist_kedro.errors import InputError
from mnist_kedro.parameters import DataProcessingParameters

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
    held_out = _stratified_choice(
        mnist["y_train"], data_processing.validation_fraction, data_processing.seed
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
    return LabelledImages(
        images=images[..., np.newaxis],
        labels=labels,
        source=mnist["source"],
        canonical_mnist=mnist["canonical_mnist"],
    )


def _stratified_choice(labels: Labels, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Which digits to hold out: ``round(n · fraction)`` of them, each class by its share.

    What rounding leaves over goes to the classes that it cut most (largest remainders).
    """
    exact = np.bincount(labels, minlength=CLASSES) * fraction
    counts = np.floor(exact).astype(int)
    left_over = round(len(labels) * fraction) - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:left_over]] += 1

    random = np.random.default_rng(seed)
    held_out = np.zeros(len(labels), dtype=bool)
    for digit, count in enumerate(counts):
        of_class = np.flatnonzero(labels == digit)
        if not 0 < count < len(of_class):
            raise InputError(
                f"mnist: 'y_train' has {len(of_class)} digits of class {digit}, of which "
                f"data_processing.validation_fraction={fraction} holds out {count}; "
                "each class needs one in the training and one in the validation split."
            )
        held_out[random.choice(of_class, count, replace=False)] = True
    return held_out
