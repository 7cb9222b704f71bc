"""A capsule network; ``models/capsules.py`` has its capsule layer."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from mnist_kedro.contracts import CLASSES, PixelStatistics
from mnist_kedro.networks.network import Network

_PRIMARY_SIZE, _CLASS_SIZE = 8, 16  # numbers of values in a capsule, as in the paper


class Capsnet(Network):
    """Four convolutions, then capsules whose agreement determines the digit.

    This is Efficient-CapsNet (Mazzia, Salvetti and Chiaberge 2021, arXiv:2101.12491) without the
    decoder, and with cross-entropy instead of the margin loss, as for the other networks.
    """

    title: ClassVar[str] = "The CapsNet"
    architecture: Literal["capsnet"]
    # Number of filters of each convolution: 5 × 5 in the first, 3 × 3 in the others. The outputs of
    # the last convolution become the primary capsules.
    filters: tuple[
        PositiveInt,
        PositiveInt,
        PositiveInt,
        Annotated[PositiveInt, Field(multiple_of=_PRIMARY_SIZE)],
    ]

    def _build(self, statistics: PixelStatistics) -> Any:
        import keras
        from keras import layers

        from mnist_kedro.models.capsules import SelfAttentionRouting
        from mnist_kedro.models.layers import convolution, first_layers

        first, second, third, fourth = self.filters
        return keras.Sequential(
            [
                *first_layers(statistics),
                *convolution(first, 5),  # 24 × 24
                *convolution(second, 3),  # 22 × 22
                *convolution(third, 3),  # 20 × 20
                *convolution(fourth, 3, strides=2),  # 9 × 9
                layers.DepthwiseConv2D(9),  # 1 × 1
                layers.Reshape((fourth // _PRIMARY_SIZE, _PRIMARY_SIZE)),
                SelfAttentionRouting(CLASSES, _CLASS_SIZE, name="capsules"),
                layers.Softmax(dtype="float32", name="probabilities"),
            ],
            name="capsnet",
        )
