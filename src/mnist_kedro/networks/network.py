"""What all networks have in common."""

from abc import abstractmethod
from typing import Any, ClassVar

from mnist_kedro.contracts import PixelStatistics
from mnist_kedro.parameter_types import Group


class Network(Group):
    """The parameters of a network, which can build it.

    A subclass describes its parameters as fields, and overrides :meth:`_build`. Only that method
    imports Keras, so that parameters are checked without importing TensorFlow (four seconds).
    """

    title: ClassVar[str]  # how figures and reports call the network, at the start of a sentence
    architecture: str  # in each subclass a Literal, by which the configuration chooses the subclass

    def build(self, statistics: PixelStatistics) -> Any:
        """Build the network with random weights.

        Args:
            statistics: of the training pixels, for the first layer.

        Returns:
            A Keras model: ``(n, 28, 28, 1)`` uint8 in 0–255 → ``(n, 10)`` float32 probabilities.
        """
        from mnist_kedro import quiet_tensorflow  # noqa: F401  (before Keras)

        return self._build(statistics)

    @abstractmethod
    def _build(self, statistics: PixelStatistics) -> Any:
        """Build the network from Keras layers."""
