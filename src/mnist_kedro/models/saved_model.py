"""Networks as TensorFlow SavedModels. Importing this module imports TensorFlow."""

from pathlib import Path

from mnist_kedro import quiet_tensorflow  # noqa: F401  (before all else that imports it)

# isort: split
import keras
import numpy as np
import tensorflow as tf

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import IMAGE_SIDE, ManyPixels
from mnist_kedro.models.gradients import connected_copy

PIXELS, PROBABILITIES = "pixels", "probabilities"


def write_saved_model(model: keras.Model, folder: Path) -> None:
    """The same network: ``pixels`` ``(n, 28, 28, 1)`` uint8 → ``probabilities`` ``(n, 10)``.

    Args:
        model: as the catalog has it.
        folder: new; it gets ``saved_model.pb`` and what belongs to it.
    """
    model = connected_copy(model)  # without the optimizer, which is as large
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
    """What a SavedModel of this project's says of ``(n, 28, 28, 1)`` bytes: ``(n, 10)``."""
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    found = [serve(**{PIXELS: tf.constant(block)})[PROBABILITIES] for _, block in blocks(images)]
    return np.concatenate(found)
