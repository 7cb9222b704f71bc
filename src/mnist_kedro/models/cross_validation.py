"""Predict each training digit with a network that was not trained on it."""

import math

import numpy as np
from numpy.typing import NDArray

from mnist_kedro.contracts import LabeledImages, PixelStatistics
from mnist_kedro.metrics.prediction import probabilities_of
from mnist_kedro.models.fitting import fit_network
from mnist_kedro.networks import NetworkParameters
from mnist_kedro.parameters import TrainingParameters

_EPOCHS = 6  # of few digits, each of which is seen several times, so that the log stays short
_MONITORED = 1000  # digits that are predicted after each epoch, to show the progress


def cross_validate(
    train: LabeledImages,
    test: LabeledImages,
    statistics: PixelStatistics,
    training: TrainingParameters,
    network: NetworkParameters,
    folds: int,
    steps: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Train a network on all folds but one, for each fold, and predict that fold.

    Args:
        train: digits to divide into folds; in memory.
        test: further digits, which all networks predict; their predictions are averaged.
        statistics: of the training pixels.
        training: the recipe; its seed also divides the digits.
        network: which network.
        folds: number of folds, at least 2.
        steps: smallest number of training steps of each network.

    Returns:
        Probabilities of the training digits, ``(n, 10)``, and of the test digits, ``(m, 10)``.
    """
    count = len(train["labels"])
    fold_of = np.random.default_rng(training.seed).permutation(count) % folds
    batches = max(1, (count - math.ceil(count / folds)) // training.batch_size)
    repeats = max(1, round(steps / (_EPOCHS * batches)))  # of the few digits of a small data set
    epochs = math.ceil(steps / (repeats * batches))
    recipe = training.model_copy(update={"epochs": epochs, "resume": False})
    held_out = np.empty((count, 10), np.float32)
    average = np.zeros((len(test["labels"]), 10), np.float32)
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
        held_out[rows] = probabilities_of(model, train["images"][rows])
        average += probabilities_of(model, test["images"]) / folds
    return held_out, average


def _select(digits: LabeledImages, rows: NDArray[np.int64]) -> LabeledImages:
    return {**digits, "images": digits["images"][rows], "labels": digits["labels"][rows]}
