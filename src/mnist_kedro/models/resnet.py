"""The residual network."""

import keras
from keras import layers

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.models.parts import convolution, first_layers, last_layers


def build_resnet(filters: tuple[int, ...], statistics: PixelStatistics) -> keras.Model:
    """A convolution and a residual unit a stage, each stage half as wide as the one before.

    The shortcuts are identities, as in He et al. 2016 (arXiv:1603.05027); a unit is one convolution
    of the normalised input, added to it after its ReLU. As the CNN, it looks at the middle 24 × 24
    pixels.

    Args:
        filters: of the stages, from the first (20 × 20).
        statistics: of the training pixels.
    """
    pixels, standardise = first_layers(statistics)
    x = layers.Cropping2D(2)(standardise(pixels))
    for i, width in enumerate(filters):
        if i > 0:
            x = layers.MaxPooling2D()(x)
        for layer in convolution(width, 3, padding="same") if i > 0 else convolution(width, 5):
            x = layer(x)
        x = _residual_unit(x, width)
    x = layers.GlobalAveragePooling2D()(x)
    for layer in last_layers():
        x = layer(x)
    return keras.Model(pixels, x, name="resnet")


def _residual_unit(x: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    x = layers.BatchNormalization(momentum=0.95)(x)
    y = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return layers.Add()([x, y])
