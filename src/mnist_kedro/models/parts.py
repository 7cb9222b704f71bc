"""The first and last layers, which all networks share."""

import keras
from keras import layers

from mnist_kedro.contracts import CLASSES, IMAGE_SIDE, PixelStatistics


def first_layers(statistics: PixelStatistics) -> list:
    """Raw pixels in, standardised pixels out: what is trained is what is served."""
    return [
        keras.Input((IMAGE_SIDE, IMAGE_SIDE, 1), dtype="uint8", name="pixels"),
        layers.Normalization(
            axis=None,
            mean=statistics["mean"],
            variance=statistics["standard_deviation"] ** 2,
            name="standardise",
        ),
    ]


def last_layers() -> list[layers.Layer]:
    """Features in, the probabilities of the digits 0 to 9 out, in float32 whatever comes before."""
    return [
        layers.Flatten(),
        layers.Dense(CLASSES, name="logits"),
        layers.Softmax(dtype="float32", name="probabilities"),
    ]
