"""A residual network."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.networks.network import Network


class Resnet(Network):
    """Convolutions that widen, each between two residual units, the second at half the side.

    The shortcuts are identities, as in He et al. 2016 (arXiv:1603.05027); a unit is one convolution
    of the normalized input, added to it after its ReLU. The unit and the order of the layers are
    those of https://github.com/ttdoucet/mnist. Like the CNN, it crops the images to 24 × 24 pixels,
    and its first convolution is not padded: half the multiplications of the original at the same
    widths.
    """

    title: ClassVar[str] = "The ResNet"
    architecture: Literal["resnet"]
    # Of the convolutions: the first has 5 × 5 filters, the others 3 × 3.
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
