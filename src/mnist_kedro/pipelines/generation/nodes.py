"""Nodes of the ``generation`` pipeline."""

import logging
from typing import Any

import numpy as np

from mnist_kedro.contracts import Mnist, provenance
from mnist_kedro.parameters import GenerationParameters

logger = logging.getLogger(__name__)


def generate_digits(mnist: Mnist, generation: GenerationParameters) -> dict[str, Any]:
    """Vary MNIST's digits, training digits for training and test digits for testing.

    Args:
        mnist: what is varied.
        generation: how many digits, in all, and how they are varied.

    Returns:
        ``x_train``, ``y_train``, ``x_test`` and ``y_test`` as in ``mnist``, in its proportion; the
        images are made while they are saved. And what they were made of.
    """
    from mnist_kedro.models.variations import vary  # noqa: PLC0415  (imports TensorFlow)

    share = len(mnist["y_train"]) / (len(mnist["y_train"]) + len(mnist["y_test"]))
    train = round(generation.digits * share)
    test = generation.digits - train
    logger.info(
        "Making %s training and %s test digits of those from '%s'.",
        f"{train:,}",
        f"{test:,}",
        mnist["source"],
    )
    seeds = 2 * generation.seed, 2 * generation.seed + 1  # no variation is used in both splits
    return {
        "x_train": vary(mnist["x_train"], train, generation.augmentation, seeds[0]),
        "y_train": np.resize(mnist["y_train"], train),
        "x_test": vary(mnist["x_test"], test, generation.augmentation, seeds[1]),
        "y_test": np.resize(mnist["y_test"], test),
        **{f"varied_{key}": value for key, value in provenance(mnist).items()},
        **{f"generation.{key}": value for key, value in generation.augmentation},
        "generation.seed": generation.seed,
    }
