"""Nodes of the ``export`` pipeline."""

import hashlib
from typing import Any

import numpy as np

from mnist_kedro.contracts import CLASSES, LabelledImages, provenance
from mnist_kedro.errors import InputError
from mnist_kedro.evaluation.classification import wilson_interval
from mnist_kedro.evaluation.prediction import probabilities_of

_TOLERANCE = 1e-4  # of a probability
_BATCH = 1000


def export_to_onnx(model: Any, test: LabelledImages) -> tuple[bytes, dict[str, Any]]:
    """A network as an ONNX file, and what whoever runs it needs to know.

    The file is run on all test digits before it is handed on.

    Args:
        model: a Keras model, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities.
        test: the test split.

    Returns:
        The file: ``pixels`` ``(n, 28, 28, 1)`` uint8 → ``probabilities`` ``(n, 10)`` float32. And
        its description.

    Raises:
        InputError: when the packages for it are not installed.
        ValueError: when the file does not say what the model says, within 0.0001.
    """
    try:
        import onnxruntime  # noqa: PLC0415  (for those alone who export)

        from mnist_kedro.models.onnx_export import PIXELS, to_onnx  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise InputError(
            f"{error.name} is needed to export to ONNX; pip install 'mnist_kedro[export]'."
        ) from error
    file = to_onnx(model).SerializeToString()
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    images, labels = np.asarray(test["images"]), np.asarray(test["labels"])
    found = np.concatenate(
        [
            session.run(None, {PIXELS: images[start : start + _BATCH]})[0]
            for start in range(0, len(images), _BATCH)
        ]
    )
    difference = float(np.abs(found - probabilities_of(model, images)).max())
    if not difference <= _TOLERANCE:
        raise ValueError(f"the ONNX file of {model.name} differs from it by {difference:.2g}")
    right = int(np.sum(found.argmax(axis=1) == labels))
    return file, {
        "model": model.name,
        "sha256": hashlib.sha256(file).hexdigest(),
        "input": {
            "name": PIXELS,
            "shape": ["n", 28, 28, 1],
            "type": "uint8",
            "range": [0, 255],
            "preparation": "light ink on black paper; the digit in 20 × 20 pixels, its centre of "
            "mass in the middle of 28 × 28; nothing is to be scaled or standardised",
        },
        "output": {
            "name": "probabilities",
            "shape": ["n", CLASSES],
            "type": "float32",
            "labels": list(range(CLASSES)),
        },
        "accuracy": right / len(labels),
        "accuracy_ci95": wilson_interval(right, len(labels)),
        "test_digits": len(labels),
        "largest_difference_from_keras": difference,
        "data": {**provenance(test)},
        "versions": {"onnxruntime": onnxruntime.__version__},
    }
