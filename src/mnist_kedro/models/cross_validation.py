"""Train the networks of a cross-validation."""

import math
from collections.abc import Iterator

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import LabeledImages, PixelStatistics
from mnist_kedro.models.fitting import fit_network
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameters import TrainingParameters

_EPOCHS = 6  # Small datasets are repeated within an epoch, so that the log stays short.
_MONITORED = 1000  # number of digits that are evaluated after each epoch, to show the progress


def train_folds(
    train: LabeledImages,
    statistics: PixelStatistics,
    training: TrainingParameters,
    network: NetworkParameters,
    folds: int,
    steps: int,
) -> Iterator[tuple[keras.Model, NDArray[np.int64]]]:
    """Train one network per fold, on all other folds.

    Args:
        train: digits to divide into folds; all are in memory.
        statistics: statistics of the training pixels.
        training: the training parameters; the seed also determines the folds.
        network: architecture of the networks.
        folds: number of folds, at least 2.
        steps: minimum number of training steps per network.

    Yields:
        Each network, and the rows of its held-out digits.
    """
    count = len(train["labels"])
    fold_of = np.random.default_rng(training.seed).permutation(count) % folds
    batches = max(1, (count - math.ceil(count / folds)) // training.batch_size)
    repeats = max(1, round(steps / (_EPOCHS * batches)))  # above 1 for small datasets
    epochs = math.ceil(steps / (repeats * batches))
    recipe = training.model_copy(update={"epochs": epochs, "resume": False})
    for fold in range(folds):
        rest, rows = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        model, _ = fit_network(
            _select(train, np.tile(rest, repeats)),
            _select(train, rows[:_MONITORED]),
            statistics,
            recipe,
            network,
            checkpoints=None,
            name=f"label errors, network {fold + 1} of {folds}",
        )
        yield model, rows


def _select(digits: LabeledImages, rows: NDArray[np.int64]) -> LabeledImages:
    return {**digits, "images": digits["images"][rows], "labels": digits["labels"][rows]}
