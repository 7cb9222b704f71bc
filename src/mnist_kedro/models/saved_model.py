"""Export networks as TensorFlow SavedModels, and run them."""

import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import ManyPixels
from mnist_kedro.lineage import RECORD_FILE, record_of
from mnist_kedro.models.gradients import connected_copy

PIXELS, PROBABILITIES = "pixels", "probabilities"  # names of the input and the output


def with_named_output(model: keras.Model) -> keras.Model:
    """Copy a network and name its output, because Keras exports outputs by their dictionary keys.

    Returns:
        ``pixels`` ``(n, 28, 28, 1)`` uint8 → ``{"probabilities": (n, 10)}``, without the optimizer,
        which would double the size of the file.
    """
    copy = connected_copy(model)
    return keras.Model(copy.inputs[0], {PROBABILITIES: copy.outputs[0]}, name=model.name)


def write_saved_model(model: keras.Model, folder: Path) -> None:
    """Export a network and its training record to a new folder, as a SavedModel."""
    with_named_output(model).export(folder, format="tf_saved_model", verbose=False)
    if record := record_of(model):
        extra = folder / "assets.extra"  # TensorFlow's folder for files that it does not read
        extra.mkdir()
        (extra / RECORD_FILE).write_text(json.dumps(record))


def run_saved_model(folder: Path, images: ManyPixels) -> np.ndarray:
    """Predict with an exported network: ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities."""
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    return np.concatenate(
        [serve(**{PIXELS: tf.constant(block)})[PROBABILITIES] for _, block in blocks(images)]
    )
