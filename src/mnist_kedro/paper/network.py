"""A small U-Net that finds ink (Ronneberger et al. 2015, arXiv:1505.04597)."""

import keras
from keras import layers

_MAPS = (8, 16, 24, 32)  # at full size, and at a half, a quarter and an eighth of it
_DILATIONS = (2, 4, 8)  # of the smallest maps, so that each of their pixels sees the whole page


def build_ink_finder() -> keras.Model:
    """Build a network of 66,000 weights.

    Returns:
        A model, ``(n, height, width, 1)`` normalized levels → ``(n, height, width, 1)``
        probabilities of ink; height and width are multiples of 8.
    """
    levels = keras.Input((None, None, 1), name="levels")
    maps = [_convolve(levels, _MAPS[0])]
    for count in _MAPS[1:-1]:
        maps.append(_convolve(_convolve(layers.MaxPooling2D()(maps[-1]), count), count))
    found = _convolve(layers.MaxPooling2D()(maps[-1]), _MAPS[-1])
    for dilation in _DILATIONS:
        found = _convolve(found, _MAPS[-1], dilation)
    for skipped in reversed(maps):
        larger = layers.UpSampling2D(interpolation="bilinear")(found)
        found = _convolve(layers.Concatenate()([larger, skipped]), skipped.shape[-1])
    ink = layers.Conv2D(1, 1, activation="sigmoid")(found)
    return keras.Model(levels, ink, name="ink_finder")


def _convolve(value: keras.KerasTensor, maps: int, dilation: int = 1) -> keras.KerasTensor:
    value = layers.Conv2D(maps, 3, padding="same", dilation_rate=dilation, use_bias=False)(value)
    return layers.ReLU()(layers.BatchNormalization()(value))
