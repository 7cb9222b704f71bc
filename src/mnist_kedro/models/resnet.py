"""The residual network."""

import keras
from keras import layers

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.models.ends import first_layers, last_layers


def build_resnet(filters: tuple[int, ...], statistics: PixelStatistics) -> keras.Model:
    """A basic residual block a stage, each stage half as wide and high as the one before.

    The blocks are those of He et al. 2015 (arXiv:1512.03385, figure 2 and option B for the
    shortcuts), behind the first convolution and pooling of this project's CNN.

    Args:
        filters: of the stages, from the first (12 × 12).
        statistics: of the training pixels.
    """
    pixels, standardise = first_layers(statistics)
    x = standardise(pixels)
    x = layers.Conv2D(filters[0], 5, use_bias=False)(x)  # 24 × 24
    x = layers.MaxPooling2D()(x)  # 12 × 12
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for i, width in enumerate(filters):
        x = _residual_block(x, width, strides=1 if i == 0 else 2)
    x = layers.GlobalAveragePooling2D()(x)
    for layer in last_layers():
        x = layer(x)
    return keras.Model(pixels, x, name="resnet")


def _residual_block(x: keras.KerasTensor, filters: int, strides: int) -> keras.KerasTensor:
    """Two 3 × 3 convolutions beside a shortcut, which is a projection where the shape changes."""
    y = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False)(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    y = layers.BatchNormalization()(y)
    if strides != 1 or x.shape[-1] != filters:
        x = layers.Conv2D(filters, 1, strides, use_bias=False)(x)
        x = layers.BatchNormalization()(x)
    return layers.ReLU()(layers.Add()([x, y]))
