"""Build the network that the parameters describe."""

import keras

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.models.cnn import build_cnn
from mnist_kedro.models.dense import build_dense
from mnist_kedro.parameters import CnnParameters, DenseParameters, NetworkParameters


def build_network(parameters: NetworkParameters, statistics: PixelStatistics) -> keras.Sequential:
    """An untrained network that takes raw pixels and gives probabilities.

    Args:
        parameters: the architecture and its sizes.
        statistics: mean and standard deviation of the training pixels, for its first layer.

    Returns:
        ``(n, 28, 28, 1)`` uint8 in 0–255 → ``(n, 10)`` float32 probabilities.
    """
    match parameters.root:
        case CnnParameters(filters=filters):
            return build_cnn(filters, statistics)
        case DenseParameters(units=units):
            return build_dense(units, statistics)
