"""Networks for LiteRT, formerly TensorFlow Lite. Importing this module imports TensorFlow."""

import warnings
from collections.abc import Iterator
from pathlib import Path

from mnist_kedro import quiet_tensorflow

# isort: split
import numpy as np
import tensorflow as tf

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import ManyPixels, Pixels

_BATCH = 1000


def to_litert(saved_model: Path, calibration: Pixels | None = None) -> bytes:
    """A network as a ``.tflite`` file, raw pixels in, probabilities out.

    Args:
        saved_model: the folder of the same network, made by
            :func:`~mnist_kedro.models.saved_model.write_saved_model`.
        calibration: ``(n, 28, 28, 1)`` uint8, some hundred training digits. With them the weights
            and what is between the layers become eight-bit integers (full-integer post-training
            quantisation, Jacob et al. 2018, arXiv:1712.05877).
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    if calibration is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: _one_by_one(calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with quiet_tensorflow.hold_back_stderr(), warnings.catch_warnings():
        # It would have the range of the pixels, which here are bytes already.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs were expected")
        return converter.convert()


def _one_by_one(images: Pixels) -> Iterator[list[Pixels]]:
    for row in range(len(images)):
        yield [images[row : row + 1]]


def run_litert(file: bytes, images: ManyPixels) -> np.ndarray:
    """What a ``.tflite`` file says of ``(n, 28, 28, 1)`` bytes: ``(n, 10)``."""
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415  (the extra `export`)

    with quiet_tensorflow.hold_back_stderr():  # "Created TensorFlow Lite XNNPACK delegate"
        interpreter = Interpreter(model_content=file)
        (entry,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
        found = []
        for _, part in blocks(images, _BATCH):
            interpreter.resize_tensor_input(entry["index"], part.shape)
            interpreter.allocate_tensors()
            interpreter.set_tensor(entry["index"], part)
            interpreter.invoke()
            found.append(interpreter.get_tensor(result["index"]))
    return np.concatenate(found)
