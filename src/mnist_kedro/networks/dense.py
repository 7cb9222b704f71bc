"""A fully connected network, the baseline for the other networks."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.networks.network import Network


class Dense(Network):
    """Hidden layers of ReLU units on the flattened image."""

    title: ClassVar[str] = "The dense network"
    architecture: Literal["dense"]
    units: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]  # per hidden layer

    def _build(self, statistics: PixelStatistics) -> Any:
        import keras
        from keras import layers

        from mnist_kedro.models.layers import first_layers, last_layers

        return keras.Sequential(
            [
                *first_layers(statistics),
                layers.Flatten(name="flatten_pixels"),
                *(layers.Dense(size, activation="relu") for size in self.units),
                *last_layers(),
            ],
            name="dense",
        )
