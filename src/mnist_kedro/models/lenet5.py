"""LeNet-5, the network that MNIST was made for."""

import keras
from keras import layers

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.models.parts import first_layers, last_layers


def build_lenet5(statistics: PixelStatistics) -> keras.Sequential:
    """LeNet-5 (LeCun et al. 1998, section II.B, doi:10.1109/5.726791).

    As it is built today: each map of the second convolution sees all maps before it, averages have
    no weights of their own, and a softmax stands for the radial basis functions.

    Args:
        statistics: of the training pixels.
    """
    return keras.Sequential(
        [
            *first_layers(statistics),
            layers.Conv2D(6, 5, padding="same", activation="tanh"),  # 28 × 28, as of 32 × 32
            layers.AveragePooling2D(2),  # 14 × 14
            layers.Conv2D(16, 5, activation="tanh"),  # 10 × 10
            layers.AveragePooling2D(2),  # 5 × 5
            layers.Conv2D(120, 5, activation="tanh"),  # 1 × 1
            layers.Flatten(),
            layers.Dense(84, activation="tanh"),
            *last_layers(),
        ],
        name="lenet5",
    )
