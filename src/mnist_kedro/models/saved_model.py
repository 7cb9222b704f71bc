"""Export networks as TensorFlow SavedModels, and run them."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import IMAGE_SIDE, ManyPixels
from mnist_kedro.models.gradients import connected_copy

PIXELS, PROBABILITIES = "pixels", "probabilities"  # names of the input and the output


def write_saved_model(model: keras.Model, folder: Path) -> None:
    """Export a network: ``pixels`` ``(n, 28, 28, 1)`` uint8 → ``probabilities`` ``(n, 10)``.

    Args:
        model: a network from the catalog.
        folder: a new folder for ``saved_model.pb`` and its other files.
    """
    model = connected_copy(model)  # without the optimizer, which is as large as the weights
    archive = keras.export.ExportArchive()
    archive.track(model)
    shape = (None, IMAGE_SIDE, IMAGE_SIDE, 1)
    archive.add_endpoint(
        "serve",
        lambda pixels: {PROBABILITIES: model(pixels)},
        input_signature=[tf.TensorSpec(shape, tf.uint8, name=PIXELS)],
    )
    archive.write_out(str(folder), verbose=False)


def run_saved_model(folder: Path, images: ManyPixels) -> np.ndarray:
    """Predict with an exported network: ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities."""
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    return np.concatenate(
        [serve(**{PIXELS: tf.constant(block)})[PROBABILITIES] for _, block in blocks(images)]
    )
