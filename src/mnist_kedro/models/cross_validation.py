"""Train networks so that each digit can be predicted by a network that was not trained on it."""

import math
from collections.abc import Iterator

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import LabeledImages, PixelStatistics
from mnist_kedro.models.fitting import fit_network
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameters import TrainingParameters

_EPOCHS = 6  # of few digits, each of which is seen several times, so that the log stays short
_MONITORED = 1000  # digits that are predicted after each epoch, to show the progress


def train_folds(
    train: LabeledImages,
    statistics: PixelStatistics,
    training: TrainingParameters,
    network: NetworkParameters,
    folds: int,
    steps: int,
) -> Iterator[tuple[keras.Model, NDArray[np.int64]]]:
    """Train a network for each fold of the digits, on all other folds.

    Args:
        train: digits to divide into folds; in memory.
        statistics: of the training pixels.
        training: the recipe; its seed also divides the digits.
        network: which network.
        folds: number of folds, at least 2.
        steps: smallest number of training steps of each network.

    Yields:
        Each network, and the rows of the digits that it was not trained on.
    """
    count = len(train["labels"])
    fold_of = np.random.default_rng(training.seed).permutation(count) % folds
    batches = max(1, (count - math.ceil(count / folds)) // training.batch_size)
    repeats = max(1, round(steps / (_EPOCHS * batches)))  # of the few digits of a small data set
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
