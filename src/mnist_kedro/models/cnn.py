"""The convolutional network."""

import keras
from keras import layers

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.models.parts import convolution, first_layers, last_layers


def build_cnn(
    filters: tuple[int, ...], units: int, statistics: PixelStatistics
) -> keras.Sequential:
    """Unpadded convolutions, 2 × 2 max-pooling after the first and the last, and a dense layer.

    In the line of LeNet-5 (LeCun et al. 1998, doi:10.1109/5.726791), with batch normalisation
    (Ioffe and Szegedy 2015, arXiv:1502.03167) before each ReLU. It looks at the middle 24 × 24
    pixels: MNIST's digits fill 20 × 20 and are centred by their mass, so that 88 % of them leave
    the margin blank; an epoch takes two thirds of the time, and the accuracy does not suffer.

    Args:
        filters: of the convolutions, two to five, from the first (5 × 5; the others are 3 × 3).
        units: of the dense layer before the last. It is what another convolution over all of the
            pixels that are left would be; that one took a quarter of a training step.
        statistics: of the training pixels.
    """
    first, *others, last = filters
    return keras.Sequential(
        [
            *first_layers(statistics),
            layers.Cropping2D(2),  # 24 × 24
            *convolution(first, 5, pooling=True),  # 20 × 20, pooled 10 × 10
            *(layer for width in others for layer in convolution(width, 3)),
            *convolution(last, 3, pooling=True),  # of three: 6 × 6, pooled 3 × 3
            layers.Flatten(name="flatten_features"),
            layers.Dense(units, use_bias=False),
            layers.BatchNormalization(momentum=0.95),
            layers.ReLU(),
            *last_layers(),
        ],
        name="cnn",
    )
