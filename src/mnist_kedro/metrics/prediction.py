"""What a model says of digits, and of which of them."""

from typing import Any

import numpy as np

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import CLASSES, LabelledImages, ManyPixels

PROBABILITIES = [f"p{digit}" for digit in range(CLASSES)]  # columns of tables of predictions
_BATCH = 1000


def probabilities_of(model: Any, images: ManyPixels) -> np.ndarray:
    """A Keras model's ``(n, 10)`` probabilities for ``(n, 28, 28, 1)`` bytes."""
    # `predict` makes a tf.data pipeline for each call: 1.4 times as long for 20,000 digits at once,
    # four times for a thousand at a time.
    probabilities = np.empty((len(images), CLASSES), np.float32)
    for start, block in blocks(images):
        for first, batch in blocks(block, _BATCH):
            found = model.predict_on_batch(batch)
            probabilities[start + first : start + first + len(batch)] = found
    return probabilities


def rows_of_all(digits: LabelledImages, count: int) -> np.ndarray:
    """So many rows, from all of a split: the first half of MNIST's test digits is the easier."""
    return spread(len(digits["labels"]), count)


def spread(total: int, count: int) -> np.ndarray:
    """So many of all rows, or all of them, as far from each other as possible."""
    return np.linspace(0, total - 1, min(count, total)).round().astype(int)
