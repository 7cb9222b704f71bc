"""LeNet-5, the network of the paper that introduced MNIST."""

from typing import Any, ClassVar, Literal

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.networks.network import Network


class Lenet5(Network):
    """LeNet-5 (LeCun et al. 1998, section II.B, doi:10.1109/5.726791), in its usual modern form.

    In contrast to the paper, each map of the second convolution uses all maps of the first, average
    pooling has no weights, and a softmax replaces the radial basis functions.
    """

    title: ClassVar[str] = "LeNet-5"
    architecture: Literal["lenet5"]

    def _build(self, statistics: PixelStatistics) -> Any:
        import keras
        from keras import layers

        from mnist_kedro.models.layers import first_layers, last_layers

        return keras.Sequential(
            [
                *first_layers(statistics),
                layers.Conv2D(6, 5, padding="same", activation="tanh"),  # 28 × 28 (padded)
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
