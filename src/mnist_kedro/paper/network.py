"""The networks that read paper: one finds ink, one tells digits from everything else."""

import keras
from keras import layers

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.models.layers import convolution, first_layers

_MAPS = (8, 16, 24, 32)  # at full size, and at a half, a quarter and an eighth of it
_DROPOUT = 0.2  # of the digit detector
_DILATIONS = (2, 4, 8)  # of the smallest maps, so that each of their pixels sees the whole page


def build_ink_finder() -> keras.Model:
    """Build a U-Net of 66,000 weights (Ronneberger et al. 2015, arXiv:1505.04597).

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


def build_digit_detector() -> keras.Model:
    """Build a convolutional network of 61,000 weights.

    Returns:
        A model, ``(n, 28, 28, 1)`` uint8 → ``(n, 1)`` scores in 0–1, 1 a digit.
    """
    return keras.Sequential(
        [
            *first_layers(PixelStatistics(mean=0, standard_deviation=255)),
            layers.Cropping2D(2),
            *convolution(16, 5, pooling=True),
            *convolution(32, 3),
            *convolution(64, 3, pooling=True),
            layers.Flatten(),
            layers.Dropout(_DROPOUT),
            layers.Dense(64, use_bias=False),
            layers.BatchNormalization(momentum=0.95),
            layers.ReLU(),
            layers.Dropout(_DROPOUT),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="digit_detector",
    )
