"""What a trained network has learned and looks at. Importing this module imports TensorFlow."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_kedro import quiet_tensorflow  # noqa: F401  (before all else that imports it)

# isort: split
import keras
import tensorflow as tf
from keras import layers

from mnist_kedro.contracts import Pixels

_STEPS = 128  # of the integral; Sundararajan et al. take 20 to 300
_BATCH = 500
_SMALLEST = np.finfo(np.float32).tiny  # a probability of 0 has no logarithm


class FirstLayer(NamedTuple):
    """The first layer of a network with weights, and what it makes of a digit."""

    filters: NDArray[np.float32]  # (f, side, side)
    responses: NDArray[
        np.float32
    ]  # (f, height, width), 1 × 1 of a dense layer, as it hands them on


def first_layer(model: keras.Model, image: Pixels) -> FirstLayer:
    """The filters of the first convolution or dense layer, and what that layer hands on.

    Args:
        model: as the catalog has it.
        image: ``(28, 28, 1)`` uint8.
    """
    copy = _copy(model)
    first = next(layer for layer in copy.layers if isinstance(layer, layers.Conv2D | layers.Dense))
    kernel = keras.ops.convert_to_numpy(first.kernel)
    filters = kernel.shape[-1]
    side = round((kernel.size / filters) ** 0.5)
    responses = keras.ops.convert_to_numpy(keras.Model(copy.inputs[0], first.output)(image[None]))
    height, width = responses.shape[1:-1] or (1, 1)
    return FirstLayer(
        kernel.reshape(side, side, filters).transpose(2, 0, 1),
        responses.reshape(height, width, filters).transpose(2, 0, 1),
    )


def integrated_gradients(
    model: keras.Model, images: Pixels, classes: NDArray[np.integer]
) -> NDArray[np.float32]:
    """How much each pixel says for a class: positive for it, negative against it.

    The gradient of the class's log-probability, integrated on the straight way from a blank
    picture to the digit (Sundararajan, Taly and Yan 2017, arXiv:1703.01365). A digit's attributions
    sum up to how much more likely the class is than on blank paper, in nats.

    Args:
        model: as the catalog has it.
        images: ``(n, 28, 28, 1)`` uint8 in 0–255.
        classes: ``(n,)`` integers in 0–9, the class of each digit that is asked about.

    Returns:
        ``(n, 28, 28)`` float32.
    """
    if not len(images):  # TensorFlow takes no gradient of nothing
        return np.zeros(images.shape[:3], np.float32)
    copy = _copy(model)
    standardise = next(layer for layer in copy.layers if isinstance(layer, layers.Normalization))
    # Bytes have no gradient, what that layer makes of them has.
    network = keras.Model(standardise.output, copy.outputs[0])
    blank, digits = standardise(np.zeros_like(images[:1])), standardise(images)
    chosen = tf.constant(classes, tf.int32)
    gradient = tf.function(lambda at: _gradient(network, at, chosen))
    total = tf.zeros_like(digits)
    for step in range(_STEPS):  # the midpoint rule
        way = (step + 0.5) / _STEPS
        total += gradient(blank + way * (digits - blank))
    return ((digits - blank) * total / _STEPS).numpy()[..., 0]


def _gradient(network: keras.Model, digits: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape() as tape:
        tape.watch(digits)
        chosen = tf.gather(network(digits), classes, axis=1, batch_dims=1)
        chosen = tf.math.log(tf.maximum(chosen, _SMALLEST))
    return tape.gradient(chosen, digits)


def embed(model: keras.Model, images: Pixels) -> NDArray[np.float32]:
    """What the last layer with weights reads.

    Args:
        model: as the catalog has it.
        images: ``(n, 28, 28, 1)`` uint8.

    Returns:
        ``(n, features)`` float32.
    """
    copy = _copy(model)
    last = [layer for layer in copy.layers if layer.weights][-1]
    features = keras.Model(copy.inputs[0], last.input)
    flat = features.predict(images, batch_size=_BATCH, verbose=0)
    return flat.reshape(len(images), -1)


def _copy(model: keras.Model) -> keras.Model:
    """The same network, of which parts can be taken: those of a loaded one are not connected."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy
