"""Calibrate the probabilities of a network."""

import logging

import keras
import numpy as np
from keras import layers

from mnist_kedro.contracts import LabeledImages
from mnist_kedro.metrics.calibration import fit_temperature
from mnist_kedro.metrics.prediction import probabilities_of

logger = logging.getLogger(__name__)


def calibrate(model: keras.Model, validation: LabeledImages) -> tuple[keras.Model, float]:
    """Fit a temperature to the validation digits, and add it to the network as a layer.

    With the layer, everything derived from the model is calibrated: its predictions, exports and
    thresholds.

    Args:
        model: a trained network, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities.
        validation: digits that the network was not trained on.

    Returns:
        The calibrated network and the temperature; the unchanged network and 1.0 if no temperature
        improves its probabilities (see :func:`~mnist_kedro.metrics.calibration.fit_temperature`).
    """
    probabilities = probabilities_of(model, validation["images"])
    temperature = fit_temperature(np.asarray(validation["labels"]), probabilities)
    if temperature == 1.0:
        return model, temperature
    logger.debug("%s: calibrated with temperature %.2f.", model.name, temperature)
    return with_temperature(model, temperature), temperature


def with_temperature(model: keras.Model, temperature: float) -> keras.Model:
    """Add a layer to a network that divides its logits by a temperature > 0."""
    softmax = model.get_layer("probabilities")
    scaled = layers.Rescaling(1 / temperature, dtype="float32", name="temperature")(softmax.input)
    probabilities = layers.Softmax.from_config(softmax.get_config())(scaled)
    return keras.Model(model.inputs[0], probabilities, name=model.name)
