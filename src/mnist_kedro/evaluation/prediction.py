"""What a model says of digits, and of which of them."""

from typing import Any

import numpy as np

from mnist_kedro.contracts import CLASSES, LabelledImages, Pixels

PROBABILITIES = [f"p{digit}" for digit in range(CLASSES)]  # columns of tables of predictions
_BATCH = 1000


def probabilities_of(model: Any, images: Pixels) -> np.ndarray:
    """A Keras model's ``(n, 10)`` probabilities for ``(n, 28, 28, 1)`` bytes."""
    # `predict` makes a tf.data pipeline for each call: 1.4 times as long for 20,000 digits at once,
    # four times for a thousand at a time.
    starts = range(0, max(1, len(images)), _BATCH)
    return np.concatenate(
        [model.predict_on_batch(images[start : start + _BATCH]) for start in starts]
    )


def rows_of_all(digits: LabelledImages, count: int) -> np.ndarray:
    """So many rows, from all of a split: the first half of MNIST's test digits is the easier."""
    return spread(len(digits["labels"]), count)


def spread(total: int, count: int) -> np.ndarray:
    """So many of all rows, or all of them, as far from each other as possible."""
    return np.linspace(0, total - 1, min(count, total)).round().astype(int)
