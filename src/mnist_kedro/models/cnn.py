"""The convolutional network."""

import keras
from keras import layers

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.models.ends import first_layers, last_layers


def build_cnn(filters: tuple[int, int, int, int], statistics: PixelStatistics) -> keras.Sequential:
    """Four unpadded convolutions, two of them followed by 2 × 2 max-pooling.

    In the line of LeNet-5 (LeCun et al. 1998, doi:10.1109/5.726791), with batch normalisation
    (Ioffe and Szegedy 2015, arXiv:1502.03167) before each ReLU. Pooling comes first where there is
    one: it commutes with ReLU, and normalising a quarter of the values takes a quarter off an epoch
    (two cores of an Intel Xeon: 1.31 times as long the other way round) at the same accuracy.

    Args:
        filters: filters of the convolutions, from the first (5 × 5; the others are 3 × 3).
        statistics: of the training pixels.
    """
    first, second, third, fourth = filters
    return keras.Sequential(
        [
            *first_layers(statistics),
            layers.Conv2D(first, 5, use_bias=False),  # 24 × 24
            layers.MaxPooling2D(),  # 12 × 12
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(second, 3, use_bias=False),  # 10 × 10
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(third, 3, use_bias=False),  # 8 × 8
            layers.MaxPooling2D(),  # 4 × 4
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(fourth, 3, use_bias=False),  # 2 × 2
            layers.BatchNormalization(),
            layers.ReLU(),
            *last_layers(),
        ],
        name="cnn",
    )
