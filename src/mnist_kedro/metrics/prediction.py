"""Predict probabilities with a Keras model, and select rows of a split."""

from typing import Any

import numpy as np

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import CLASSES, LabeledImages, ManyPixels

PROBABILITIES = [f"p{digit}" for digit in range(CLASSES)]  # columns in tables of predictions
_BATCH = 1000


def probabilities_of(model: Any, images: ManyPixels) -> np.ndarray:
    """Predict with a Keras model: ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities."""
    # `predict` creates a tf.data pipeline in each call: it takes 1.4 times as long for 20,000
    # digits in one call, and four times as long with 1,000 digits per call.
    probabilities = np.empty((len(images), CLASSES), np.float32)
    for start, block in blocks(images):
        for first, batch in blocks(block, _BATCH):
            rows = slice(start + first, start + first + len(batch))
            probabilities[rows] = model.predict_on_batch(batch)
    return probabilities


def rows_of_all(digits: LabeledImages, count: int) -> np.ndarray:
    """Select rows spread over a split, because MNIST's first 5,000 test digits are easier."""
    return spread(len(digits["labels"]), count)


def spread(total: int, count: int) -> np.ndarray:
    """Select ``count`` evenly spaced rows, or all rows if there are fewer."""
    return np.linspace(0, total - 1, min(count, total)).round().astype(int)
