"""What a network's answer owes to the pixels. Importing this module imports TensorFlow."""

from mnist_kedro import quiet_tensorflow  # noqa: F401  (before all else that imports it)

# isort: split
import keras
import tensorflow as tf
from keras import layers


def connected_copy(model: keras.Model) -> keras.Model:
    """The same network, of which parts can be taken: those of a loaded one are not connected."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def split_at_pixels(model: keras.Model) -> tuple[layers.Layer, keras.Model]:
    """The layer that standardises pixels, and the network from there to the logits.

    Bytes have no gradient, standardised pixels have.
    """
    copy = connected_copy(model)
    standardise = next(layer for layer in copy.layers if isinstance(layer, layers.Normalization))
    return standardise, keras.Model(standardise.output, copy.get_layer("probabilities").input)


@tf.function(reduce_retracing=True)
def log_probability_gradients(
    network: keras.Model, pixels: tf.Tensor, classes: tf.Tensor
) -> tf.Tensor:
    """The gradients of each picture's log-probability of its class, by its standardised pixels.

    Args:
        network: as :func:`split_at_pixels` gives it.
        pixels: ``(n, 28, 28, 1)``, standardised.
        classes: ``(n,)`` integers in 0–9.
    """
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        logits = network(pixels)
        chosen = tf.gather(tf.nn.log_softmax(logits), classes, axis=1, batch_dims=1)
    return tape.gradient(chosen, pixels)
