"""The residual network."""

import keras
from keras import layers

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.models.parts import first_layers, last_layers


def build_resnet(filters: tuple[int, ...], statistics: PixelStatistics) -> keras.Model:
    """Convolutions that widen, each between two residual units, the second at half the side.

    The shortcuts are identities, as in He et al. 2016 (arXiv:1603.05027); a unit is one convolution
    of the normalised input, added to it after its ReLU. The unit and the order of the layers are
    those of https://github.com/ttdoucet/mnist. As the CNN, it looks at the middle 24 × 24 pixels,
    and its first convolution pads none: half the multiplications of the original at equal widths.

    Args:
        filters: of the convolutions, from the first (5 × 5; the others are 3 × 3).
        statistics: of the training pixels.
    """
    first, *others = filters
    pixels, standardise = first_layers(statistics)
    x = layers.Cropping2D(2)(standardise(pixels))
    x = layers.Conv2D(first, 5, activation="relu")(x)  # 20 × 20
    x = _residual_unit(x)
    for width in others:
        x = layers.MaxPooling2D(padding="same")(x)
        x = _residual_unit(x)
        x = layers.BatchNormalization(momentum=0.95)(x)
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(padding="same")(x)
    x = _residual_unit(x)
    x = layers.BatchNormalization(momentum=0.95)(x)
    x = layers.GlobalAveragePooling2D()(x)
    for layer in last_layers():
        x = layer(x)
    return keras.Model(pixels, x, name="resnet")


def _residual_unit(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.BatchNormalization(momentum=0.95)(x)
    y = layers.Conv2D(x.shape[-1], 3, padding="same", activation="relu")(x)
    return layers.Add()([x, y])
