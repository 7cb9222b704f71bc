"""Explain a trained network: filters, feature maps, attributions and embeddings."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from mnist_kedro.contracts import Pixels
from mnist_kedro.models.gradients import (
    connected_copy,
    log_probability_gradients,
    split_at_pixels,
)

_STEPS = 128  # number of steps of the integral; Sundararajan et al. recommend 20 to 300
_BATCH = 500


def feature_maps(model: keras.Model, image: Pixels) -> dict[str, NDArray[np.float32]]:
    """Compute the outputs of all convolutional and dense layers for a digit.

    Args:
        model: a network from the catalog.
        image: ``(28, 28, 1)`` uint8.

    Returns:
        The outputs by layer name: ``(maps, height, width)`` for a convolution, ``(units, 1, 1)``
        for a dense layer.
    """
    copy = connected_copy(model)
    shown = [layer for layer in copy.layers if isinstance(layer, layers.Conv2D | layers.Dense)]
    submodel = keras.Model(copy.inputs[0], {layer.name: layer.output for layer in shown})
    outputs = {
        name: keras.ops.convert_to_numpy(maps) for name, maps in submodel(image[None]).items()
    }
    return {layer.name: _maps_first(outputs[layer.name][0]) for layer in shown}


def _maps_first(output: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = output.shape[:-1] or (1, 1)
    return np.moveaxis(output.reshape(height, width, -1), -1, 0)


def first_layer(
    model: keras.Model, image: Pixels
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the filters of the first convolutional or dense layer, and its output for a digit.

    The arguments are those of :func:`feature_maps`.

    Returns:
        Filters ``(f, side, side)``, and outputs ``(f, height, width)`` for a convolution or
        ``(f, 1, 1)`` for a dense layer.
    """
    name, responses = next(iter(feature_maps(model, image).items()))
    kernel = keras.ops.convert_to_numpy(model.get_layer(name).kernel)
    filters = kernel.shape[-1]
    side = round((kernel.size / filters) ** 0.5)
    return kernel.reshape(side, side, filters).transpose(2, 0, 1), responses


def integrated_gradients(
    model: keras.Model, images: Pixels, classes: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Attribute the log-probability of a class to pixels; negative values speak against the class.

    An attribution is the gradient of the class's log-probability, integrated along the straight
    path from a blank image to the digit (Sundararajan, Taly and Yan 2017, arXiv:1703.01365). The
    attributions of a digit sum to the log-probability of the class for the digit minus that for
    the blank image, in nats.

    Args:
        model: a network from the catalog.
        images: ``(n, 28, 28, 1)`` uint8 in 0–255.
        classes: ``(n,)`` integers in 0–9, the class to explain for each digit.

    Returns:
        ``(n, 28, 28)`` float32.
    """
    if not len(images):  # TensorFlow computes no gradients for an empty batch
        return np.zeros(images.shape[:3], np.float32)
    standardize, network = split_at_pixels(model)
    blank, digits = standardize(np.zeros_like(images[:1])), standardize(images)
    chosen = tf.constant(classes, tf.int32)
    total = tf.zeros_like(digits)
    for step in range(_STEPS):  # the midpoint rule
        position = (step + 0.5) / _STEPS
        total += log_probability_gradients(network, blank + position * (digits - blank), chosen)
    return ((digits - blank) * total / _STEPS).numpy()[..., 0]


def embed(model: keras.Model, images: Pixels) -> NDArray[np.float32]:
    """Compute the features of digits: the inputs of the last layer with weights.

    Args:
        model: a network from the catalog.
        images: ``(n, 28, 28, 1)`` uint8.

    Returns:
        ``(n, features)`` float32.
    """
    copy = connected_copy(model)
    last = [layer for layer in copy.layers if layer.weights][-1]
    features = keras.Model(copy.inputs[0], last.input)
    flat = features.predict(images, batch_size=_BATCH, verbose=0)
    return flat.reshape(len(images), -1)
