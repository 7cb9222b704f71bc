"""Convert networks to LiteRT (formerly TensorFlow Lite), and run them."""

import json
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import ManyPixels, Pixels
from mnist_kedro.lineage import RECORD_FILE, record_of
from mnist_kedro.models.saved_model import with_named_output
from mnist_kedro.quiet_tensorflow import hold_back_stderr

_BATCH = 1000


def to_litert(model: keras.Model, calibration: Pixels | None = None) -> bytes:
    """Convert a network to a ``.tflite`` file, and add its training record.

    Args:
        model: a network from the catalog.
        calibration: ``(n, 28, 28, 1)`` uint8, some hundred training digits. If given, weights and
            activations are quantized to eight-bit integers (full-integer post-training
            quantization, Jacob et al. 2018, arXiv:1712.05877).

    Returns:
        The file; it maps ``(n, 28, 28, 1)`` uint8 pixels to ``(n, 10)`` float32 probabilities.
    """
    options: dict[str, Any] = {}
    if calibration is not None:
        options = {
            "optimizations": [tf.lite.Optimize.DEFAULT],
            "representative_dataset": lambda: _single_images(calibration),
            "target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
        }
    with TemporaryDirectory() as folder, hold_back_stderr(), warnings.catch_warnings():
        # The converter warns that it does not know the range of the inputs; uint8 needs none.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs were expected")
        path = Path(folder, "model.tflite")
        with_named_output(model).export(path, format="litert", verbose=False, **options)
        if record := record_of(model):
            # LiteRT reads associated files from a zip archive that is appended to the model.
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr(RECORD_FILE, json.dumps(record))
        return path.read_bytes()


def _single_images(images: Pixels) -> Iterator[list[Pixels]]:
    for row in range(len(images)):
        yield [images[row : row + 1]]


def run_litert(file: bytes, images: ManyPixels) -> np.ndarray:
    """Predict with a ``.tflite`` file: ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415  (the extra `export`)

    with hold_back_stderr():  # TensorFlow prints "Created TensorFlow Lite XNNPACK delegate"
        interpreter = Interpreter(model_content=file)
        (entry,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
        probabilities = []
        for _, batch in blocks(images, _BATCH):
            interpreter.resize_tensor_input(entry["index"], batch.shape)
            interpreter.allocate_tensors()
            interpreter.set_tensor(entry["index"], batch)
            interpreter.invoke()
            probabilities.append(interpreter.get_tensor(result["index"]))
    return np.concatenate(probabilities)
