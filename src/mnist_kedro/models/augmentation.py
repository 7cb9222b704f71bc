"""Random rotation, zoom and shift of training digits, in one transform."""

import math

import tensorflow as tf

from mnist_kedro.contracts import IMAGE_SIDE
from mnist_kedro.parameters import AugmentationParameters

_CENTRE = (IMAGE_SIDE - 1) / 2


def augment(images: tf.Tensor, seed: tf.Tensor, parameters: AugmentationParameters) -> tf.Tensor:
    """Rotate, zoom and shift each image by its own random amounts.

    The three are composed into one projective transform, so that an image is interpolated once.

    Args:
        images: ``(n, 28, 28, 1)`` uint8 in 0–255, the background 0.
        seed: two integers; the same seed varies the same images in the same way.
        parameters: the largest amounts; each is drawn uniformly from ± that amount.

    Returns:
        Images of the same shape, type and range.
    """
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=_random_transforms(tf.shape(images)[0], seed, parameters),
        output_shape=[IMAGE_SIDE, IMAGE_SIDE],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


def _random_transforms(
    count: tf.Tensor, seed: tf.Tensor, parameters: AugmentationParameters
) -> tf.Tensor:
    """``(count, 8)`` coefficients that map a pixel of the new image to one of the old."""
    angle, zoom, right, down = tf.unstack(tf.random.stateless_uniform([4, count], seed, -1.0, 1.0))
    angle *= parameters.rotation * math.pi / 180
    scale = 1.0 + parameters.zoom * zoom
    cosine, sine = tf.cos(angle) * scale, tf.sin(angle) * scale
    # The centre stays where it is, but for the shift.
    x_offset = _CENTRE * (1.0 - cosine + sine) + parameters.shift * right
    y_offset = _CENTRE * (1.0 - sine - cosine) + parameters.shift * down
    zero = tf.zeros_like(cosine)
    return tf.stack([cosine, -sine, x_offset, sine, cosine, y_offset, zero, zero], axis=1)
