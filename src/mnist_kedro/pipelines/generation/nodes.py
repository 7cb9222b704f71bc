"""Nodes of the ``generation`` pipeline."""

import logging
from typing import Any

import numpy as np

from mnist_kedro.contracts import Mnist, provenance
from mnist_kedro.parameters import GenerationParameters

logger = logging.getLogger(__name__)


def generate_digits(mnist: Mnist, generation: GenerationParameters) -> dict[str, Any]:
    """Generate digits by augmenting MNIST, each split from its own digits.

    Args:
        mnist: the digits to augment.
        generation: total number of digits, parameters of the augmentation, and seed.

    Returns:
        ``x_train``, ``y_train``, ``x_test`` and ``y_test`` as in ``mnist``, with the same
        proportion of test digits, and the provenance. The images are generated on access.
    """
    from mnist_kedro.models.variations import vary  # noqa: PLC0415  (imports TensorFlow)

    share = len(mnist["y_train"]) / (len(mnist["y_train"]) + len(mnist["y_test"]))
    train = round(generation.digits * share)
    test = generation.digits - train
    logger.info(
        "Generating %s training and %s test digits from those of '%s'.",
        f"{train:,}",
        f"{test:,}",
        mnist["source"],
    )
    seeds = 2 * generation.seed, 2 * generation.seed + 1  # both splits never share a variation
    return {
        "x_train": vary(mnist["x_train"], train, generation.augmentation, seeds[0]),
        "y_train": np.resize(mnist["y_train"], train),
        "x_test": vary(mnist["x_test"], test, generation.augmentation, seeds[1]),
        "y_test": np.resize(mnist["y_test"], test),
        **{f"varied_{key}": value for key, value in provenance(mnist).items()},
        **{f"generation.{key}": value for key, value in generation.augmentation},
        "generation.seed": generation.seed,
    }
