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
from mnist_kedro.models.gradients import (
    connected_copy,
    log_probability_gradients,
    split_at_pixels,
)

_STEPS = 128  # of the integral; Sundararajan et al. take 20 to 300
_BATCH = 500


class FirstLayer(NamedTuple):
    """The first layer of a network with weights, and what it makes of a digit."""

    filters: NDArray[np.float32]  # (f, side, side)
    responses: NDArray[
        np.float32
    ]  # (f, height, width), 1 × 1 of a dense layer, as it hands them on


def feature_maps(model: keras.Model, image: Pixels) -> dict[str, NDArray[np.float32]]:
    """What each convolution and each dense layer makes of a digit, as it hands it on.

    Args:
        model: as the catalog has it.
        image: ``(28, 28, 1)`` uint8.

    Returns:
        By the name of the layer, ``(maps, height, width)``; ``(units, 1, 1)`` of a dense one.
    """
    copy = connected_copy(model)
    shown = [layer for layer in copy.layers if isinstance(layer, layers.Conv2D | layers.Dense)]
    outputs = keras.Model(copy.inputs[0], {layer.name: layer.output for layer in shown})
    made = {name: keras.ops.convert_to_numpy(maps) for name, maps in outputs(image[None]).items()}
    return {layer.name: _maps_first(made[layer.name][0]) for layer in shown}


def _maps_first(output: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = output.shape[:-1] or (1, 1)
    return np.moveaxis(output.reshape(height, width, -1), -1, 0)


def first_layer(model: keras.Model, image: Pixels) -> FirstLayer:
    """The filters of the first convolution or dense layer, and what that layer hands on.

    Args:
        model: as the catalog has it.
        image: ``(28, 28, 1)`` uint8.
    """
    name, responses = next(iter(feature_maps(model, image).items()))
    kernel = keras.ops.convert_to_numpy(model.get_layer(name).kernel)
    filters = kernel.shape[-1]
    side = round((kernel.size / filters) ** 0.5)
    return FirstLayer(kernel.reshape(side, side, filters).transpose(2, 0, 1), responses)


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
    standardise, network = split_at_pixels(model)
    blank, digits = standardise(np.zeros_like(images[:1])), standardise(images)
    chosen = tf.constant(classes, tf.int32)
    total = tf.zeros_like(digits)
    for step in range(_STEPS):  # the midpoint rule
        way = (step + 0.5) / _STEPS
        total += log_probability_gradients(network, blank + way * (digits - blank), chosen)
    return ((digits - blank) * total / _STEPS).numpy()[..., 0]


def embed(model: keras.Model, images: Pixels) -> NDArray[np.float32]:
    """What the last layer with weights reads.

    Args:
        model: as the catalog has it.
        images: ``(n, 28, 28, 1)`` uint8.

    Returns:
        ``(n, features)`` float32.
    """
    copy = connected_copy(model)
    last = [layer for layer in copy.layers if layer.weights][-1]
    features = keras.Model(copy.inputs[0], last.input)
    flat = features.predict(images, batch_size=_BATCH, verbose=0)
    return flat.reshape(len(images), -1)
