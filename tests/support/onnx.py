"""Run an ONNX file as somebody does who has nothing else."""

from typing import Any

import numpy as np


def run_onnx(file: bytes, images: Any) -> np.ndarray:
    """Return the probabilities ``(n, 10)`` of images ``(n, 28, 28, 1)`` uint8."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(["probabilities"], {"pixels": images})[0]
