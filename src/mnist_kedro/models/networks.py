"""Build the network that the parameters describe."""

import keras

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.models.capsnet import build_capsnet
from mnist_kedro.models.cnn import build_cnn
from mnist_kedro.models.dense import build_dense
from mnist_kedro.models.lenet5 import build_lenet5
from mnist_kedro.models.resnet import build_resnet
from mnist_kedro.parameters import (
    CapsnetParameters,
    CnnParameters,
    DenseParameters,
    Lenet5Parameters,
    NetworkParameters,
    ResnetParameters,
)


def build_network(parameters: NetworkParameters, statistics: PixelStatistics) -> keras.Model:
    """An untrained network that takes raw pixels and gives probabilities.

    Args:
        parameters: the architecture and its sizes.
        statistics: mean and standard deviation of the training pixels, for its first layer.

    Returns:
        ``(n, 28, 28, 1)`` uint8 in 0–255 → ``(n, 10)`` float32 probabilities.
    """
    match parameters.root:
        case CnnParameters(filters=filters, units=units):
            return build_cnn(filters, units, statistics)
        case DenseParameters(units=units):
            return build_dense(units, statistics)
        case Lenet5Parameters():
            return build_lenet5(statistics)
        case ResnetParameters(filters=filters):
            return build_resnet(filters, statistics)
        case CapsnetParameters(filters=filters):
            return build_capsnet(filters, statistics)
