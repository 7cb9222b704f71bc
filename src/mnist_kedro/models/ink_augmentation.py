"""Augment the ink of digits as pens and cameras do: its thickness, sharpness and evenness."""

import tensorflow as tf

from mnist_kedro.contracts import IMAGE_SIDE

_THICKENED = 0.5  # share of the digits whose strokes change their thickness
_PATCHES = 7  # along each side; between them the ink pales evenly
_PALENESS = 0.35  # largest share of the ink that is missing, at one standard deviation
_CONTRAST = 0.7  # largest logarithm of the factor between ink and paper
_PAPER = 0.08  # paler ink disappears
_MIN_PEAK = 0.2


def augment_ink(
    images: tf.Tensor, seed: tf.Tensor, thickness: float, photographed: float
) -> tf.Tensor:
    """Make strokes thicker or thinner, and let some digits look photographed.

    Args:
        images: ``(n, 28, 28, 1)`` uint8 in 0–255, the background 0.
        seed: two integers; the same seed augments the same images in the same way.
        thickness: largest change of a stroke on each of its sides, in pixels, 0–1.
        photographed: share of the images with blur, pale patches and other contrast, 0–1.

    Returns:
        Images of the same shape, dtype and range.
    """
    total = tf.shape(images)[0]
    draws = tf.random.stateless_uniform([5, total, 1, 1], seed)
    count = tf.cast(tf.round(photographed * tf.cast(total, tf.float32)), tf.int32)
    patches = tf.random.stateless_normal([count, _PATCHES**2], tf.random.fold_in(seed, 1))
    # Resizing is a linear map of the patches: its matrix consists of the resized unit vectors.
    units = tf.reshape(tf.eye(_PATCHES**2), [-1, _PATCHES, _PATCHES, 1])
    bilinear = tf.reshape(tf.image.resize(units, (IMAGE_SIDE,) * 2), [_PATCHES**2, IMAGE_SIDE**2])
    paleness = tf.reshape(tf.abs(patches @ bilinear), [count, IMAGE_SIDE, IMAGE_SIDE])
    return _augment(images, draws, paleness, thickness)


@tf.function(jit_compile=True, autograph=False)
def _augment(
    images: tf.Tensor, draws: tf.Tensor, paleness: tf.Tensor, thickness: float
) -> tf.Tensor:
    change, is_changed, blur, unevenness, contrast = tf.unstack(draws)
    ink = tf.cast(images[..., 0], tf.float32) / 255
    change = tf.where(is_changed < _THICKENED, thickness * (2 * change - 1), 0.0)
    around = [_shift(ink, *by) for by in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))]
    target = tf.where(change > 0, tf.reduce_max(around, axis=0), tf.reduce_min(around, axis=0))
    ink += tf.abs(change) * (target - ink)

    # The digits are shuffled, so the first ones are a random choice.
    count = tf.shape(paleness)[0]
    photo, blur, unevenness, contrast = (
        value[:count] for value in (ink, blur, unevenness, contrast)
    )
    photo += blur * (_blur(photo) - photo)
    photo *= tf.maximum(1 - _PALENESS * unevenness * paleness, 0)
    photo /= photo + tf.exp(_CONTRAST * (2 * contrast - 1)) * (1 - photo)
    photo /= tf.maximum(tf.reduce_max(photo, axis=(1, 2), keepdims=True), _MIN_PEAK)
    photo = tf.where(photo < _PAPER, 0.0, photo)
    seen = tf.concat([photo, ink[count:]], axis=0)
    return tf.cast(tf.round(255 * seen), images.dtype)[..., None]


def _shift(ink: tf.Tensor, down: int, right: int) -> tf.Tensor:
    """Move images by a pixel; what comes in is blank."""
    padded = tf.pad(ink, [[0, 0], [1, 1], [1, 1]])
    return padded[:, 1 - down : 1 - down + IMAGE_SIDE, 1 - right : 1 - right + IMAGE_SIDE]


def _blur(ink: tf.Tensor) -> tf.Tensor:
    """Blur images with a binomial filter of 3 × 3 pixels."""
    columns = 0.5 * ink + 0.25 * (_shift(ink, 1, 0) + _shift(ink, -1, 0))
    return 0.5 * columns + 0.25 * (_shift(columns, 0, 1) + _shift(columns, 0, -1))
