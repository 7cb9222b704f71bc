"""The capsule layer, which Keras does not have."""

from typing import Any

import keras
from keras import layers, ops

EPSILON = 1e-7  # keeps the gradient of a vector's length finite at length 0


@keras.saving.register_keras_serializable(package="mnist_kedro")
class SelfAttentionRouting(layers.Layer):
    """Route primary capsules to class capsules, and return the lengths of the class capsules.

    Each primary capsule votes for each class. The weight of a vote is large if it agrees better
    with the other votes for its class than the capsule's votes for other classes do (section 3.2 of
    arXiv:2101.12491). The class capsules are not squashed: the paper's squash maps a length s to
    1 - exp(-s), whose odds, exp(s) - 1, are nearly the exp(s) of the softmax that follows.

    Args:
        classes: number of class capsules.
        size: number of values in a class capsule.

    Takes ``(n, capsules, values per capsule)`` and returns lengths ``(n, classes)`` ≥ 0.
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
        """Weight the votes by their agreement, and return the lengths of their sums."""
        votes = ops.einsum("nid,cide->ncie", _squash(inputs), self.votes)
        agreement = ops.sum(votes * ops.sum(votes, axis=2, keepdims=True), axis=3)
        weights = ops.softmax(agreement / self.size**0.5, axis=1) + self.priors
        return _lengths(ops.einsum("nci,ncie->nce", weights, votes))

    def compute_output_shape(self, input_shape):
        """Return the shape ``(n, classes)``."""
        return input_shape[0], self.classes

    def get_config(self):
        """Return the constructor's arguments, which Keras saves with the model."""
        return {**super().get_config(), "classes": self.classes, "size": self.size}


def _squash(capsules):
    """Map the lengths of capsules into 0–1, and keep their directions (equation 5)."""
    lengths = _lengths(capsules, keepdims=True)
    return capsules / lengths * (1 - ops.exp(-lengths))


def _lengths(capsules, keepdims=False):
    return ops.sqrt(ops.sum(ops.square(capsules), axis=-1, keepdims=keepdims) + EPSILON)
