"""What a model says of digits, and of which of them."""

from typing import Any

import numpy as np

from mnist_kedro.contracts import CLASSES, LabelledImages, Pixels

PROBABILITIES = [f"p{digit}" for digit in range(CLASSES)]  # columns of tables of predictions
_BATCH = 1000


def probabilities_of(model: Any, images: Pixels) -> np.ndarray:
    """A Keras model's ``(n, 10)`` probabilities for ``(n, 28, 28, 1)`` bytes."""
    return np.asarray(model.predict(images, batch_size=_BATCH, verbose=0))


def rows_of_all(digits: LabelledImages, count: int) -> np.ndarray:
    """So many rows, from all of a split: the first half of MNIST's test digits is the easier."""
    total = len(digits["labels"])
    return np.linspace(0, total - 1, min(count, total)).round().astype(int)
