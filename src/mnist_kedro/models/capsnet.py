"""The capsule network."""

from typing import Any

import keras
from keras import layers, ops

from mnist_kedro.contracts import CLASSES, PixelStatistics
from mnist_kedro.models.parts import convolution, first_layers

_PRIMARY_SIZE, _CLASS_SIZE = 8, 16  # numbers in a capsule, as in the paper
EPSILON = 1e-7  # keeps the gradient of a length finite at 0


def build_capsnet(
    filters: tuple[int, int, int, int], statistics: PixelStatistics
) -> keras.Sequential:
    """Four convolutions, then capsules that agree among themselves on the digit.

    Efficient-CapsNet (Mazzia, Salvetti and Chiaberge 2021, arXiv:2101.12491), without its decoder
    and with cross entropy instead of the margin loss, so that it is trained as the others are.

    Args:
        filters: of the convolutions, from the first (5 × 5; the others are 3 × 3); the last is a
            multiple of 8, the size of a primary capsule.
        statistics: of the training pixels.
    """
    first, second, third, fourth = filters
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


@keras.saving.register_keras_serializable(package="mnist_kedro")
class SelfAttentionRouting(layers.Layer):
    """Primary capsules in, the lengths of the class capsules out.

    Each primary capsule votes for each class; a vote counts the more, the better it agrees with the
    others for that class than for other classes (section 3.2 of arXiv:2101.12491). The class
    capsules stay unsquashed: the paper's squash maps a length s to 1 - exp(-s), whose odds are
    exp(s) - 1, so the softmax of s says the same in probabilities.

    Args:
        classes: class capsules.
        size: numbers in a class capsule.

    Takes ``(n, capsules, numbers in one)`` and gives ``(n, classes)``, at least 0.
    """

    def __init__(self, classes: int, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes, self.size = classes, size

    def build(self, input_shape):
        """A matrix and a prior for each pair of a class and a primary capsule."""
        _, capsules, size = input_shape
        self.votes = self.add_weight(
            name="votes",
            shape=(self.classes, capsules, size, self.size),
            initializer=keras.initializers.VarianceScaling(2.0, "fan_in", "normal"),
        )
        self.priors = self.add_weight(
            name="priors", shape=(self.classes, capsules), initializer="zeros"
        )

    def call(self, inputs):
        """Route the votes."""
        votes = ops.einsum("nid,cide->ncie", _squash(inputs), self.votes)
        agreement = ops.sum(votes * ops.sum(votes, axis=2, keepdims=True), axis=3)
        weights = ops.softmax(agreement / self.size**0.5, axis=1) + self.priors
        return _lengths(ops.einsum("nci,ncie->nce", weights, votes))

    def compute_output_shape(self, input_shape):
        """One length a class."""
        return input_shape[0], self.classes

    def get_config(self):
        """For the model's file."""
        return {**super().get_config(), "classes": self.classes, "size": self.size}


def _squash(capsules):
    """Lengths into 0–1, directions kept (equation 5 of the paper)."""
    lengths = _lengths(capsules, keepdims=True)
    return capsules / lengths * (1 - ops.exp(-lengths))


def _lengths(capsules, keepdims=False):
    return ops.sqrt(ops.sum(ops.square(capsules), axis=-1, keepdims=keepdims) + EPSILON)
