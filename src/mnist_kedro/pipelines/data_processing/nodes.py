"""Nodes of the ``data_processing`` pipeline."""

import logging
import math

import numpy as np

from mnist_kedro.arrays import blocks, select, with_channel
from mnist_kedro.contracts import (
    LabeledImages,
    Labels,
    ManyPixels,
    Mnist,
    PixelStatistics,
    provenance,
)
from mnist_kedro.errors import InputError
from mnist_kedro.lineage import lineage_of, short_digest, with_lineage
from mnist_kedro.parameters import DataProcessingParameters
from mnist_kedro.stratification import stratified_choice

logger = logging.getLogger(__name__)


def split_training_digits(
    mnist: Mnist, data_processing: DataProcessingParameters
) -> tuple[LabeledImages, LabeledImages]:
    """Split the training digits into a training and a validation split, stratified by class.

    Args:
        mnist: the ingested digits.
        data_processing: the fraction of the validation split, and the seed of the selection.

    Returns:
        The training and the validation split, each in the order of ``mnist``.

    Raises:
        InputError: if a class would be missing in one of the splits.
    """
    labels = np.asarray(mnist["y_train"])
    held_out = stratified_choice(
        labels,
        data_processing.validation_fraction,
        data_processing.seed,
        where="mnist: 'y_train'",
        parameter="data_processing.validation_fraction",
    )
    logger.debug(
        "MNIST from '%s': %d training, %d validation and %d test digits.",
        mnist["source"],
        (~held_out).sum(),
        held_out.sum(),
        len(mnist["y_test"]),
    )
    split = short_digest(*lineage_of(mnist).values(), np.packbits(held_out).tobytes())
    train, validation = (
        _labeled_images(mnist, select(mnist["x_train"], rows), labels[rows], split)
        for rows in map(np.flatnonzero, (~held_out, held_out))
    )
    return train, validation


def select_test_digits(mnist: Mnist) -> LabeledImages:
    """Return the test digits, in the order of ``mnist``."""
    return _labeled_images(mnist, mnist["x_test"], np.asarray(mnist["y_test"]))


@with_lineage
def compute_pixel_statistics(train: LabeledImages) -> PixelStatistics:
    """Compute the mean and the standard deviation of the training pixels.

    Args:
        train: images ``(n, 28, 28, 1)`` uint8 in 0–255, n ≥ 1.

    Returns:
        Both in gray levels; for MNIST about 33.3 and 78.6.

    Raises:
        InputError: if all pixels are equal, because a network could not learn from them.
    """
    total = total_of_squares = 0  # integers, so that the sums do not depend on the blocks
    for _, block in blocks(train["images"]):
        total += int(block.sum(dtype=np.uint64))
        total_of_squares += int(np.square(block, dtype=np.uint16).sum(dtype=np.uint64))
    count = math.prod(train["images"].shape)
    mean = total / count
    deviation = math.sqrt(total_of_squares / count - mean**2)
    if deviation == 0:
        raise InputError(f"train: all pixels of all images are {mean:.0f}; expected digits.")
    return PixelStatistics(mean=mean, standard_deviation=deviation)


def _labeled_images(
    mnist: Mnist, images: ManyPixels, labels: Labels, split: str | None = None
) -> LabeledImages:
    digits = LabeledImages(images=with_channel(images), labels=labels, **provenance(mnist))
    if split is not None:
        digits["split"] = split
    return digits
