"""Generate any number of augmented digits."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from mnist_kedro.arrays import Rows
from mnist_kedro.contracts import ManyPixels, Pixels
from mnist_kedro.machine import usable_cores
from mnist_kedro.models.augmentation import augment
from mnist_kedro.parameters import AugmentationParameters

_BLOCK = 4096  # digits that are augmented with one seed


def vary(images: ManyPixels, count: int, parameters: AugmentationParameters, seed: int) -> Rows:
    """Generate ``count`` augmented images, cycling through the input digits.

    Images are generated on access, on all cores; repeated access returns the same images.

    Args:
        images: ``(n, 28, 28)`` uint8 in 0–255, the background 0.
        count: number of images to generate.
        parameters: the largest amounts of the augmentation.
        seed: of the augmentation.

    Returns:
        ``(count, 28, 28)`` uint8; row i is an augmented ``images[i % n]``.
    """
    cache: dict[int, Pixels] = {}  # the last block, because a reader often continues within it

    def generate(number: int) -> Pixels:
        if number in cache:
            return cache[number]
        rows = np.arange(number * _BLOCK, (number + 1) * _BLOCK) % len(images)
        block_seed = tf.constant([seed, number], tf.int64)
        augmented = augment(images[rows][..., np.newaxis], block_seed, parameters)
        return np.asarray(augmented)[..., 0]

    def read(start: int, stop: int) -> Pixels:
        numbers = range(start // _BLOCK, -(-stop // _BLOCK))
        with ThreadPoolExecutor(usable_cores()) as pool:  # TensorFlow releases the GIL
            generated = [*pool.map(generate, numbers)]
        if not generated:
            return np.empty((0, *images.shape[1:]), np.uint8)
        cache.clear()
        cache[numbers[-1]] = generated[-1]
        first = start - numbers[0] * _BLOCK
        return np.concatenate(generated)[first : first + stop - start]

    return Rows((count, *images.shape[1:]), np.dtype(np.uint8), read)
