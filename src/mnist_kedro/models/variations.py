"""Any number of digits like some that are given. Importing this module imports TensorFlow."""

from concurrent.futures import ThreadPoolExecutor

from mnist_kedro import quiet_tensorflow  # noqa: F401  (before all else that imports it)

# isort: split
import numpy as np
import tensorflow as tf

from mnist_kedro.arrays import Rows
from mnist_kedro.contracts import ManyPixels, Pixels
from mnist_kedro.machine import usable_cores
from mnist_kedro.models.augmentation import augment
from mnist_kedro.parameters import AugmentationParameters

_BLOCK = 4096  # digits that are varied by one seed


def vary(images: ManyPixels, count: int, parameters: AugmentationParameters, seed: int) -> Rows:
    """Vary digits, each in its turn and each time otherwise, until there are so many.

    They are made when they are asked for, by all processors; the same ones each time.

    Args:
        images: ``(n, 28, 28)`` uint8 in 0–255, the background 0.
        count: how many there are to be.
        parameters: the largest amounts of the changes.
        seed: of the changes.

    Returns:
        ``(count, 28, 28)`` uint8; row i is made of ``images[i % n]``.
    """
    kept: dict[int, Pixels] = {}  # the last block, for whoever reads on from within it

    def block(number: int) -> Pixels:
        if number in kept:
            return kept[number]
        rows = np.arange(number * _BLOCK, (number + 1) * _BLOCK) % len(images)
        state = tf.constant([seed, number], tf.int64)
        varied = augment(images[rows][..., np.newaxis], state, parameters)
        return np.asarray(varied)[..., 0]

    def read(start: int, stop: int) -> Pixels:
        numbers = range(start // _BLOCK, -(-stop // _BLOCK))
        with ThreadPoolExecutor(usable_cores()) as pool:  # TensorFlow lets go of the lock
            made = [*pool.map(block, numbers)]
        if not made:
            return np.empty((0, *images.shape[1:]), np.uint8)
        kept.clear()
        kept[numbers[-1]] = made[-1]
        first = start - numbers[0] * _BLOCK
        return np.concatenate(made)[first : first + stop - start]

    return Rows((count, *images.shape[1:]), np.dtype(np.uint8), read)
