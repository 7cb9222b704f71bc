"""Digits changed just so that a network misreads them. Importing this module imports TensorFlow."""

from mnist_kedro import quiet_tensorflow  # noqa: F401  (before all else that imports it)

# isort: split
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_kedro.contracts import Pixels
from mnist_kedro.models.gradients import log_probability_gradients, split_at_pixels

_BATCH = 500
_STEPS_TO_THE_BORDER = 2.5  # times the radius, all steps together


def fast_gradient_sign(
    model: keras.Model, images: Pixels, labels: NDArray[np.integer], epsilon: float
) -> Pixels:
    """One step against the true class (FGSM; Goodfellow et al. 2015, arXiv:1412.6572).

    Args:
        model: as the catalog has it.
        images: ``(n, 28, 28, 1)`` uint8 in 0–255.
        labels: ``(n,)`` integers in 0–9, the true classes.
        epsilon: how far each pixel may be changed, a share in 0–1 of its range.

    Returns:
        Pictures that differ from ``images`` by ``255 * epsilon`` at most, rounded down.
    """
    radius = _radius(epsilon)
    return _descend(model, images, images.astype(np.float32), labels, radius, radius, 1)


def projected_gradient_descent(
    model: keras.Model,
    images: Pixels,
    labels: NDArray[np.integer],
    epsilon: float,
    steps: int,
    seed: int,
) -> Pixels:
    """Small steps from a random point nearby (PGD; Madry et al. 2018, arXiv:1706.06083).

    A step is 2.5 times the radius divided by their number, so that each point within the radius can
    be reached from each other one. Other arguments and the result are as above.

    Args:
        model: as the catalog has it.
        images: the digits.
        labels: their true classes.
        epsilon: how far each pixel may be changed.
        steps: how many.
        seed: of the random start.
    """
    radius = _radius(epsilon)
    away = np.random.default_rng(seed).uniform(-radius, radius, images.shape).astype(np.float32)
    step = _STEPS_TO_THE_BORDER * radius / steps
    return _descend(model, images, images + away, labels, radius, step, steps)


def _radius(epsilon: float) -> int:
    return int(255 * epsilon)  # in bytes: a picture stays a picture


def _descend(
    model: keras.Model,
    images: Pixels,
    start: NDArray[np.float32],
    labels: NDArray[np.integer],
    radius: int,
    step: float,
    steps: int,
) -> Pixels:
    standardise, network = split_at_pixels(model)
    found = [np.empty_like(images[:0])]
    for first in range(0, len(images), _BATCH):
        part = slice(first, first + _BATCH)
        classes = tf.constant(labels[part], tf.int32)
        original = tf.constant(images[part], tf.float32)
        low, high = tf.maximum(original - radius, 0), tf.minimum(original + radius, 255)
        pixels = tf.clip_by_value(start[part], low, high)
        for _ in range(steps):
            gradients = log_probability_gradients(network, standardise(pixels), classes)
            pixels = tf.clip_by_value(pixels - step * tf.sign(gradients), low, high)
        found.append(np.rint(pixels.numpy()).astype(np.uint8))
    return np.concatenate(found)
