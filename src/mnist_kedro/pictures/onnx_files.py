"""Open the networks that the package contains."""

import threading
from functools import cache
from pathlib import Path
from typing import Any

_opening = threading.Lock()


def open_onnx(file: Path) -> Any:
    """Open an ONNX file once, as an ``onnxruntime.InferenceSession``."""
    with _opening:
        return _open(file)


@cache
def _open(file: Path) -> Any:
    import onnxruntime  # noqa: PLC0415  (takes 0.1 s)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # Pictures come in parallel.
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
