"""The fully connected network, the baseline that the CNN has to beat."""

import keras
from keras import layers

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.models.parts import first_layers, last_layers


def build_dense(units: tuple[int, ...], statistics: PixelStatistics) -> keras.Sequential:
    """Hidden layers of ReLU units on the flattened image: it knows nothing of neighbouring pixels.

    Args:
        units: units of the hidden layers, from the first.
        statistics: of the training pixels.
    """
    hidden = [layers.Dense(size, activation="relu") for size in units]
    return keras.Sequential(
        [*first_layers(statistics), layers.Flatten(name="flatten_pixels"), *hidden, *last_layers()],
        name="dense",
    )
