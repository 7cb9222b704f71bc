"""The layer of the capsule network that Keras does not have."""

from typing import Any

import keras
from keras import layers, ops

EPSILON = 1e-7  # keeps the gradient of a length finite at 0


@keras.saving.register_keras_serializable(package="mnist_kedro")
class SelfAttentionRouting(layers.Layer):
    """Route primary capsules to class capsules, and return the lengths of the class capsules.

    Each primary capsule votes for each class; a vote has more weight the better it agrees with the
    other votes for that class than for other classes (section 3.2 of arXiv:2101.12491). The class
    capsules are not squashed: the paper's squash maps a length s to 1 - exp(-s), whose odds are
    exp(s) - 1, so the softmax of s gives the same probabilities.

    Args:
        classes: number of class capsules.
        size: values in a class capsule.

    Takes ``(n, capsules, values in one)`` and returns ``(n, classes)``, at least 0.
    """

    def __init__(self, classes: int, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes, self.size = classes, size

    def build(self, input_shape):
        """Create a matrix and a prior for each pair of a class and a primary capsule."""
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
        """Return the shape of one length a class."""
        return input_shape[0], self.classes

    def get_config(self):
        """Return the arguments, for the model's file."""
        return {**super().get_config(), "classes": self.classes, "size": self.size}


def _squash(capsules):
    """Map lengths into 0–1, and keep directions (equation 5 of the paper)."""
    lengths = _lengths(capsules, keepdims=True)
    return capsules / lengths * (1 - ops.exp(-lengths))


def _lengths(capsules, keepdims=False):
    return ops.sqrt(ops.sum(ops.square(capsules), axis=-1, keepdims=keepdims) + EPSILON)
