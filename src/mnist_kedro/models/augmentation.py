"""Random changes of training digits: an affine one, an elastic one, and blank squares."""

import math

import tensorflow as tf

from mnist_kedro.contracts import IMAGE_SIDE, Pixels
from mnist_kedro.parameters import AugmentationParameters

_CENTRE = (IMAGE_SIDE - 1) / 2
_NODES = 4  # of the elastic grid, each way


def augment(images: tf.Tensor, seed: tf.Tensor, parameters: AugmentationParameters) -> tf.Tensor:
    """Rotate, zoom, shear, shift and bend each image by its own random amounts; blank a square.

    All but the blanking are composed into one map of coordinates, so that an image is interpolated
    once.

    Args:
        images: ``(n, 28, 28, 1)`` uint8 in 0–255, the background 0.
        seed: two integers; the same seed varies the same images in the same way.
        parameters: the largest amounts; see ``conf/base/parameters_training.yml``.

    Returns:
        Images of the same shape, type and range.
    """
    moves = any(parameters.model_dump(exclude={"erasing"}).values())
    varied = images
    if moves:
        transforms = random_transforms(tf.shape(images)[0], seed, parameters)
        bending = random_bending(tf.shape(images)[0], tf.random.fold_in(seed, 1), parameters)
        varied = interpolate(images, transforms, bending)
    if parameters.erasing:
        varied = _erase(varied, tf.random.fold_in(seed, 2), parameters.erasing)
    return varied


def variations(images: Pixels, count: int, parameters: AugmentationParameters, seed: int) -> Pixels:
    """How each of some digits may look in training.

    Args:
        images: ``(n, 28, 28, 1)`` uint8.
        count: variations of each.
        parameters: as of the training.
        seed: of the variations.

    Returns:
        ``(n, count, 28, 28, 1)`` uint8.
    """
    repeated = tf.repeat(images, count, axis=0)
    varied = augment(repeated, tf.constant([seed, count], tf.int64), parameters).numpy()
    return varied.reshape(len(images), count, *images.shape[1:])


def random_transforms(
    count: tf.Tensor, seed: tf.Tensor, parameters: AugmentationParameters
) -> tf.Tensor:
    """``(6, count)`` coefficients that map a pixel of the new image to one of the old."""
    draws = tf.random.stateless_uniform([5, count], seed, -1.0, 1.0)
    angle, zoom, right, down, slant = tf.unstack(draws)
    angle *= parameters.rotation * math.pi / 180
    shear = tf.tan(slant * parameters.shear * math.pi / 180)
    scale = 1.0 + parameters.zoom * zoom
    cosine, sine = tf.cos(angle) * scale, tf.sin(angle) * scale
    # Upright strokes are slanted, then all is turned and zoomed. The centre stays where it is, but
    # for the shift.
    a, b = cosine, cosine * shear - sine
    c, d = sine, sine * shear + cosine
    x_offset = _CENTRE * (1.0 - a - b) + parameters.shift * right
    y_offset = _CENTRE * (1.0 - c - d) + parameters.shift * down
    return tf.stack([a, b, x_offset, c, d, y_offset])


def random_bending(
    count: tf.Tensor, seed: tf.Tensor, parameters: AugmentationParameters
) -> tf.Tensor:
    """``(2, count, 28, 28)`` displacements in pixels, x and y, that change smoothly over an image.

    Simard, Steinkraus and Platt 2003 (doi:10.1109/ICDAR.2003.1227801) smooth noise of every pixel
    by a Gaussian; here a grid of 4 × 4 normal displacements is interpolated, which is far cheaper.
    """
    if not parameters.elastic:
        return tf.zeros([2, 1, 1, 1])
    grids = parameters.elastic * tf.random.stateless_normal([2 * count, _NODES**2], seed)
    # To resize is a linear map of the nodes: its matrix are the resized unit vectors.
    nodes = tf.reshape(tf.eye(_NODES**2), [-1, _NODES, _NODES, 1])
    bicubic = tf.image.resize(nodes, (IMAGE_SIDE, IMAGE_SIDE), "bicubic")
    bent = grids @ tf.reshape(bicubic, [_NODES**2, IMAGE_SIDE**2])
    return tf.reshape(bent, [2, count, IMAGE_SIDE, IMAGE_SIDE])


# XLA makes one loop of it. For 256 digits that takes 1.7 ms of a processor's time; TensorFlow's own
# projective transform takes 4.0 ms, and cannot bend.
@tf.function(jit_compile=True, autograph=False)
def interpolate(images: tf.Tensor, transforms: tf.Tensor, bending: tf.Tensor) -> tf.Tensor:
    """Each pixel from where its transform and its bending say, bilinear; 0 outside the image."""
    y, x = tf.meshgrid(*2 * [tf.range(IMAGE_SIDE, dtype=tf.float32)], indexing="ij")
    a, b, x_offset, c, d, y_offset = tf.unstack(transforms[:, :, None, None])
    old_x = a * x + b * y + x_offset + bending[0]
    old_y = c * x + d * y + y_offset + bending[1]

    padded = IMAGE_SIDE + 2  # a blank pixel on each side
    flat = tf.reshape(tf.pad(images[..., 0], [[0, 0], [1, 1], [1, 1]]), (-1, padded**2))
    old_x, old_y = (tf.clip_by_value(v + 1.0, 0.0, padded - 1.001) for v in (old_x, old_y))
    left, top = tf.floor(old_x), tf.floor(old_y)
    index = tf.cast(top * padded + left, tf.int32)
    corner = [
        tf.cast(tf.gather(flat, index + step, batch_dims=1), tf.float32)
        for step in (0, 1, padded, padded + 1)
    ]
    right, down = old_x - left, old_y - top
    upper = corner[0] + right * (corner[1] - corner[0])
    lower = corner[2] + right * (corner[3] - corner[2])
    return tf.cast(upper + down * (lower - upper), images.dtype)[..., None]


def _erase(images: tf.Tensor, seed: tf.Tensor, side: float) -> tf.Tensor:
    """Blank a square of up to that side, somewhere (Zhong et al. 2017, arXiv:1708.04896)."""
    draws = tf.random.stateless_uniform([3, tf.shape(images)[0], 1], seed)
    half = side * draws[0] / 2
    pixels = tf.range(IMAGE_SIDE, dtype=tf.float32) + 0.5
    columns, rows = (tf.abs(pixels - IMAGE_SIDE * draw) < half for draw in tf.unstack(draws[1:]))
    blank = rows[:, :, None] & columns[:, None, :]
    return tf.where(blank[..., None], tf.zeros((), images.dtype), images)
