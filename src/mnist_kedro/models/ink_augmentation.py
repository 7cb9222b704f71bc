"""Augment the ink of digits: simulate pens, paper and cameras."""

import tensorflow as tf

from mnist_kedro.contracts import IMAGE_SIDE
from mnist_kedro.parameters import AugmentationParameters

_THICKENED = 0.5  # share of the digits whose stroke thickness changes
_PALENESS = 0.35  # largest share of the ink that is missing, at one standard deviation
_CONTRAST = 0.7  # largest logarithm of the factor between ink and paper
_FAINTEST = 0.08  # paler ink disappears
_MIN_PEAK = 0.2  # fainter digits are not scaled to full ink
# The first number of each line is the share of the damaged digits with this damage.
_BROKEN, _GAP = 0.4, -1.3  # no ink where a smooth field is below _GAP: in 6% of the image
_BLOTTED, _BLOT, _BLOT_INK = 0.3, 1.6, 0.9  # blots where it is above _BLOT: in 3% of the image
_GRAY, _PAPER = 0.5, 0.4  # darkest paper, as a fraction of full ink
_NOISY, _NOISE = 0.5, 0.3  # largest standard deviation of the noise


def augment_ink(
    images: tf.Tensor, seed: tf.Tensor, parameters: AugmentationParameters
) -> tf.Tensor:
    """Change the thickness of strokes, and make some digits look photographed or damaged.

    The first digits of a batch look photographed: this is a random choice, because the digits are
    shuffled. Whether a digit is damaged does not depend on whether it looks photographed.

    Args:
        images: ``(n, 28, 28, 1)`` uint8 in 0–255; the background is 0.
        seed: two integers; the same seed augments the same images in the same way.
        parameters: contain ``thickness``, ``photographed`` and ``damaged``.

    Returns:
        Images of the same shape, dtype and range.
    """
    total = tf.shape(images)[0]
    photographed, damaged = (
        tf.cast(tf.round(share * tf.cast(total, tf.float32)), tf.int32)
        for share in (parameters.photographed, parameters.damaged)
    )
    seeds = tf.unstack(tf.random.split(seed, 6))
    return _augment(
        images,
        parameters.thickness,
        tf.random.stateless_uniform([2, total, 1, 1], seeds[0]),
        tf.random.stateless_uniform([3, photographed, 1, 1], seeds[1]),
        _smooth_field(photographed, 7, "bilinear", seeds[2]),
        tf.random.stateless_uniform([4, damaged, 1, 1], seeds[3]),
        _smooth_field(damaged, 9, "bicubic", seeds[4]),
        tf.random.stateless_uniform([damaged, IMAGE_SIDE, IMAGE_SIDE], seeds[5]),
    )


def _smooth_field(count: tf.Tensor, points: int, method: str, seed: tf.Tensor) -> tf.Tensor:
    """Draw normal random numbers on a grid, and interpolate them to ``(count, 28, 28)``."""
    # Resizing is a linear map of the points; the rows of its matrix are the resized unit vectors.
    units = tf.reshape(tf.eye(points**2), [-1, points, points, 1])
    resized = tf.reshape(tf.image.resize(units, (IMAGE_SIDE,) * 2, method), [points**2, -1])
    field = tf.random.stateless_normal([count, points**2], seed) @ resized
    return tf.reshape(field, [count, IMAGE_SIDE, IMAGE_SIDE])


@tf.function(jit_compile=True, autograph=False)
def _augment(
    images: tf.Tensor,
    thickness: float,
    stroke_draws: tf.Tensor,
    photo_draws: tf.Tensor,
    paleness: tf.Tensor,
    damage_draws: tf.Tensor,
    marks: tf.Tensor,
    noise: tf.Tensor,
) -> tf.Tensor:
    ink = _thicken(tf.cast(images[..., 0], tf.float32) / 255, stroke_draws, thickness)
    total, photographed, damaged = (tf.shape(x)[0] for x in (ink, paleness, marks))
    photos = _photograph(ink[:photographed], photo_draws, paleness)
    ink = tf.concat([photos, ink[photographed:]], axis=0)
    first = photographed - photographed * damaged // tf.maximum(total, 1)
    before, middle, after = tf.split(ink, [first, damaged, total - first - damaged])
    ink = tf.concat([before, _damage(middle, damage_draws, marks, noise), after], axis=0)
    return tf.cast(tf.round(255 * ink), images.dtype)[..., None]


def _thicken(ink: tf.Tensor, draws: tf.Tensor, thickness: float) -> tf.Tensor:
    change, is_changed = tf.unstack(draws)
    change = tf.where(is_changed < _THICKENED, thickness * (2 * change - 1), 0.0)
    around = [_shift(ink, *by) for by in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))]
    target = tf.where(change > 0, tf.reduce_max(around, axis=0), tf.reduce_min(around, axis=0))
    return ink + tf.abs(change) * (target - ink)


def _photograph(ink: tf.Tensor, draws: tf.Tensor, paleness: tf.Tensor) -> tf.Tensor:
    """Blur the ink, make patches pale, and change the contrast."""
    blur, unevenness, contrast = tf.unstack(draws)
    ink += blur * (_blur(ink) - ink)
    ink *= tf.maximum(1 - _PALENESS * unevenness * tf.abs(paleness), 0)
    ink /= ink + tf.exp(_CONTRAST * (2 * contrast - 1)) * (1 - ink)
    ink /= tf.maximum(tf.reduce_max(ink, axis=(1, 2), keepdims=True), _MIN_PEAK)
    return tf.where(ink < _FAINTEST, 0.0, ink)


def _damage(ink: tf.Tensor, draws: tf.Tensor, marks: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Break strokes, add blots, and make the paper gray and noisy."""
    broken, blotted, gray, noisy = tf.unstack(draws)
    ink = tf.where((marks < _GAP) & (broken < _BROKEN), 0.0, ink)
    ink = tf.where((marks > _BLOT) & (blotted < _BLOTTED), tf.maximum(ink, _BLOT_INK), ink)
    # A draw below the share is uniform in [0, share), so it also determines the amount.
    ink += tf.where(gray < _GRAY, gray * (_PAPER / _GRAY), 0.0)
    deviation = tf.where(noisy < _NOISY, noisy * (_NOISE / _NOISY), 0.0)
    ink += deviation * 12**0.5 * (noise - 0.5)  # drawing normal noise would take twice as long
    return tf.clip_by_value(ink, 0, 1)


def _shift(ink: tf.Tensor, down: int, right: int) -> tf.Tensor:
    """Move images by a pixel, and fill with 0."""
    padded = tf.pad(ink, [[0, 0], [1, 1], [1, 1]])
    return padded[:, 1 - down : 1 - down + IMAGE_SIDE, 1 - right : 1 - right + IMAGE_SIDE]


def _blur(ink: tf.Tensor) -> tf.Tensor:
    """Blur images with a binomial filter of 3 × 3 pixels."""
    columns = 0.5 * ink + 0.25 * (_shift(ink, 1, 0) + _shift(ink, -1, 0))
    return 0.5 * columns + 0.25 * (_shift(columns, 0, 1) + _shift(columns, 0, -1))
