"""Nodes of the ``data_processing`` pipeline."""

import logging
import math

import numpy as np

from mnist_kedro.arrays import blocks, select, with_channel
from mnist_kedro.contracts import (
    LabelledImages,
    Labels,
    ManyPixels,
    Mnist,
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
    labels = np.asarray(mnist["y_train"])
    held_out = stratified_choice(
        labels,
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
    learned, validated = (np.flatnonzero(chosen) for chosen in (~held_out, held_out))
    return (
        _labelled(mnist, select(mnist["x_train"], learned), labels[learned]),
        _labelled(mnist, select(mnist["x_train"], validated), labels[validated]),
    )


def select_test_digits(mnist: Mnist) -> LabelledImages:
    """The test split, as it came."""
    return _labelled(mnist, mnist["x_test"], np.asarray(mnist["y_test"]))


def compute_pixel_statistics(train: LabelledImages) -> PixelStatistics:
    """Mean and standard deviation of the training pixels.

    Args:
        train: images ``(n, 28, 28, 1)`` uint8 in 0–255, n ≥ 1, not all of one grey.

    Returns:
        In pixel units; for MNIST about 33.3 and 78.6.

    Raises:
        InputError: when all pixels are equal, so that nothing could be learned from them.
    """
    total = total_of_squares = 0  # exact, so that blocks give what the whole would
    for _, block in blocks(train["images"]):
        total += int(block.sum(dtype=np.uint64))
        total_of_squares += int(np.square(block, dtype=np.uint16).sum(dtype=np.uint64))
    count = math.prod(train["images"].shape)
    mean = total / count
    deviation = math.sqrt(total_of_squares / count - mean**2)
    if deviation == 0:
        raise InputError(f"train: all pixels of all images are {mean:.0f}; expected digits.")
    return PixelStatistics(mean=mean, standard_deviation=deviation)


def _labelled(mnist: Mnist, images: ManyPixels, labels: Labels) -> LabelledImages:
    return LabelledImages(images=with_channel(images), labels=labels, **provenance(mnist))
