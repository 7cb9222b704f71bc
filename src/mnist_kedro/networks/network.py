"""The base class of all networks."""

from abc import abstractmethod
from typing import Any, ClassVar

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.parameter_types import Group


class Network(Group):
    """The parameters of a network, and the method that builds the network.

    A subclass declares its parameters as fields, and overrides :meth:`_build`. Only this method
    imports Keras, so that parameters are checked without importing TensorFlow (four seconds).
    """

    title: ClassVar[str]  # name of the network in figures and reports, at the start of a sentence
    architecture: str  # a Literal in each subclass; the configuration selects the subclass by it

    def build(self, statistics: PixelStatistics) -> Any:
        """Build the network with random weights.

        Args:
            statistics: statistics of the training pixels, for the first layer.

        Returns:
            A Keras model: ``(n, 28, 28, 1)`` uint8 in 0–255 → ``(n, 10)`` float32 probabilities.
        """
        from mnist_kedro import quiet_tensorflow  # noqa: F401  (before Keras)

        return self._build(statistics)

    @abstractmethod
    def _build(self, statistics: PixelStatistics) -> Any:
        """Build the network from Keras layers."""
