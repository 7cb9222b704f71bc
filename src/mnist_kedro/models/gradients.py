"""Compute the gradients of a network's predictions with respect to the pixels."""

import keras
import tensorflow as tf
from keras import layers


def connected_copy(model: keras.Model) -> keras.Model:
    """Copy a network, so that submodels can be created; loaded layers are not connected."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def split_at_pixels(model: keras.Model) -> tuple[layers.Layer, keras.Model]:
    """Split a network into the layer that standardizes pixels, and the layers up to the logits.

    TensorFlow computes gradients with respect to standardized pixels, but not to uint8 pixels.
    """
    copy = connected_copy(model)
    standardize = next(layer for layer in copy.layers if isinstance(layer, layers.Normalization))
    return standardize, keras.Model(standardize.output, copy.get_layer("probabilities").input)


@tf.function(reduce_retracing=True)
def log_probability_gradients(
    network: keras.Model, pixels: tf.Tensor, classes: tf.Tensor
) -> tf.Tensor:
    """Compute the gradients of log-probabilities with respect to standardized pixels.

    Args:
        network: maps standardized pixels to logits; returned by :func:`split_at_pixels`.
        pixels: ``(n, 28, 28, 1)``, standardized.
        classes: ``(n,)`` integers in 0–9, the class of each log-probability.
    """
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        logits = network(pixels)
        chosen = tf.gather(tf.nn.log_softmax(logits), classes, axis=1, batch_dims=1)
    return tape.gradient(chosen, pixels)
