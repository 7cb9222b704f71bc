"""Generate adversarial examples: digits perturbed so that a network misclassifies them."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_kedro.contracts import Pixels
from mnist_kedro.models.gradients import log_probability_gradients, split_at_pixels

_BATCH = 500
_TOTAL_STEP = 2.5  # the sum of all step sizes, in multiples of the radius


def fast_gradient_sign(
    model: keras.Model, images: Pixels, labels: NDArray[np.integer], epsilon: float
) -> Pixels:
    """Take one step against the true class (FGSM; Goodfellow et al. 2015, arXiv:1412.6572).

    Args:
        model: a network from the catalog.
        images: ``(n, 28, 28, 1)`` uint8 in 0–255.
        labels: ``(n,)`` integers in 0–9, the true classes.
        epsilon: the largest change of a pixel, as a fraction of its range, in 0–1.

    Returns:
        ``(n, 28, 28, 1)`` uint8; no pixel changes by more than ``255 * epsilon``, rounded down.
    """
    radius = _radius(epsilon)
    return _perturb(model, images, images.astype(np.float32), labels, radius, radius, 1)


def projected_gradient_descent(
    model: keras.Model,
    images: Pixels,
    labels: NDArray[np.integer],
    epsilon: float,
    steps: int,
    seed: int,
) -> Pixels:
    """Take small steps from a random start (PGD; Madry et al. 2018, arXiv:1706.06083).

    The step size is 2.5 times the radius divided by the number of steps, so that every point within
    the radius can be reached from every starting point.

    Args:
        model: a network from the catalog.
        images: ``(n, 28, 28, 1)`` uint8 in 0–255.
        labels: ``(n,)`` integers in 0–9, the true classes.
        epsilon: the largest change of a pixel, as a fraction of its range, in 0–1.
        steps: number of steps.
        seed: seed of the random start.

    Returns:
        Images as :func:`fast_gradient_sign` returns them.
    """
    radius = _radius(epsilon)
    offsets = np.random.default_rng(seed).uniform(-radius, radius, images.shape).astype(np.float32)
    step = _TOTAL_STEP * radius / steps
    return _perturb(model, images, images + offsets, labels, radius, step, steps)


def _radius(epsilon: float) -> int:
    return int(255 * epsilon)  # an integer, so that the result can be rounded to uint8


def _perturb(
    model: keras.Model,
    images: Pixels,
    start: NDArray[np.float32],
    labels: NDArray[np.integer],
    radius: int,
    step: float,
    steps: int,
) -> Pixels:
    standardize, network = split_at_pixels(model)
    perturbed = [np.empty_like(images[:0])]
    for first in range(0, len(images), _BATCH):
        batch = slice(first, first + _BATCH)
        classes = tf.constant(labels[batch], tf.int32)
        original = tf.constant(images[batch], tf.float32)
        low, high = tf.maximum(original - radius, 0), tf.minimum(original + radius, 255)
        pixels = tf.clip_by_value(start[batch], low, high)
        for _ in range(steps):
            gradients = log_probability_gradients(network, standardize(pixels), classes)
            pixels = tf.clip_by_value(pixels - step * tf.sign(gradients), low, high)
        perturbed.append(np.rint(pixels.numpy()).astype(np.uint8))
    return np.concatenate(perturbed)
