"""A residual network."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.networks.network import Network


class Resnet(Network):
    """Convolutions and residual units, with max-pooling before each residual unit but the first.

    The shortcuts are identities, as in He et al. 2016 (arXiv:1603.05027). A residual unit
    normalizes its input, and adds a convolution of it, with ReLU. The unit and the order of the
    layers are those of https://github.com/ttdoucet/mnist. Like the CNN, the network crops the
    images to 24 × 24 pixels, and its first convolution is not padded: this halves the number of
    multiplications at the same widths.
    """

    title: ClassVar[str] = "The ResNet"
    architecture: Literal["resnet"]
    # Number of filters of each convolution: 5 × 5 in the first, 3 × 3 in the others.
    filters: Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=4)]

    def _build(self, statistics: PixelStatistics) -> Any:
        import keras
        from keras import layers

        from mnist_kedro.models.layers import first_layers, last_layers, residual_unit

        first, *others = self.filters
        pixels, standardize = first_layers(statistics)
        x = layers.Cropping2D(2)(standardize(pixels))
        x = layers.Conv2D(first, 5, activation="relu")(x)  # 20 × 20
        x = residual_unit(x)
        for width in others:
            x = layers.MaxPooling2D(padding="same")(x)
            x = residual_unit(x)
            x = layers.BatchNormalization(momentum=0.95)(x)
            x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(padding="same")(x)
        x = residual_unit(x)
        x = layers.BatchNormalization(momentum=0.95)(x)
        x = layers.GlobalAveragePooling2D()(x)
        for layer in last_layers():
            x = layer(x)
        return keras.Model(pixels, x, name="resnet")
