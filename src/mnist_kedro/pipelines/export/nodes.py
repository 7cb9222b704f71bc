"""Nodes of the ``export`` pipeline."""

import base64
import hashlib
import logging
import tempfile
from collections.abc import Mapping
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any, NoReturn, TypedDict

import numpy as np

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import CLASSES, LabelledImages, provenance
from mnist_kedro.errors import InputError
from mnist_kedro.metrics.classification import wilson_interval
from mnist_kedro.metrics.prediction import probabilities_of, spread
from mnist_kedro.metrics.selective import confidence_threshold
from mnist_kedro.parameters import ReportingParameters

logger = logging.getLogger(__name__)

_TOLERANCE = 1e-4  # of a probability, where nothing is rounded
_LOST = 0.001  # of the test digits, at most, by eight bits
_CALIBRATION_DIGITS = 500
_BATCH = 1000
_PACKAGES = ("keras", "tensorflow", "onnx", "onnxruntime", "ai-edge-litert")


class Reference(TypedDict):
    """What the Keras model says; what is exported has to say the same."""

    probabilities: np.ndarray  # (n, 10) of the test digits
    confidence_threshold: float  # in 0–1; what the model is less sure of it should not be asked


def predict_reference(
    model: Any, validation: LabelledImages, test: LabelledImages, reporting: ReportingParameters
) -> Reference:
    """What the Keras model says of the test digits, and how sure it has to be.

    Args:
        model: a Keras model, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities.
        validation: the split on which the threshold of confidence is found.
        test: the test split.
        reporting: the accuracy that is asked of what the model is sure of.
    """
    validated = probabilities_of(model, validation["images"])
    right = validated.argmax(axis=1) == np.asarray(validation["labels"])
    return {
        "probabilities": probabilities_of(model, test["images"]),
        "confidence_threshold": confidence_threshold(
            right, validated.max(axis=1), reporting.target_accuracy
        ),
    }


def export_to_onnx(
    model: Any, test: LabelledImages, reference: Reference
) -> tuple[bytes, dict[str, Any]]:
    """A network as an ONNX file, and what whoever runs it needs to know.

    The file is run on all test digits before it is handed on; so it is in the other formats.

    Args:
        model: a Keras model, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities.
        test: the test split.
        reference: what the model says of it.

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
        _tell_what_to_install(error)
    file = to_onnx(model).SerializeToString()
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    found = np.concatenate(
        [session.run(None, {PIXELS: batch})[0] for _, batch in blocks(test["images"], _BATCH)]
    )
    _check_same(found, reference, f"the ONNX file of {model.name}")
    return file, _describe("ONNX", file, model, found, test, reference)


def export_to_saved_model(
    model: Any, test: LabelledImages, reference: Reference
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """A network as a SavedModel, for TensorFlow Serving, and its description.

    Args:
        model: as above.
        test: as above.
        reference: as above.

    Returns:
        Its files by their paths. And what whoever runs it needs to know.

    Raises:
        ValueError: as above.
    """
    from mnist_kedro.models.saved_model import (  # noqa: PLC0415  (TensorFlow)
        run_saved_model,
        write_saved_model,
    )

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "saved_model")
        write_saved_model(model, folder)
        found = run_saved_model(folder, test["images"])
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
    _check_same(found, reference, f"the SavedModel of {model.name}")
    return files, _describe("SavedModel", files, model, found, test, reference)


def export_to_litert(
    model: Any, test: LabelledImages, reference: Reference
) -> tuple[bytes, dict[str, Any]]:
    """A network for LiteRT, on telephones and small computers, and its description.

    Args:
        model: as above.
        test: as above.
        reference: as above.

    Returns:
        A ``.tflite`` file with the inputs and outputs of the ONNX file. And what whoever runs it
        needs to know.

    Raises:
        InputError: when the packages for it are not installed.
        ValueError: when the file does not say what the model says, within 0.0001.
    """
    file, found = _convert_to_litert(model, None, test)
    _check_same(found, reference, f"the LiteRT file of {model.name}")
    return file, _describe("LiteRT", file, model, found, test, reference)


def export_to_litert_int8(
    model: Any, train: LabelledImages, test: LabelledImages, reference: Reference
) -> tuple[bytes, dict[str, Any]]:
    """The same, computed in eight-bit integers: about a quarter of the size.

    Args:
        model: as above.
        train: the split whose digits the ranges of the integers are found on.
        test: as above.
        reference: as above.

    Raises:
        InputError: when the packages for it are not installed.
        ValueError: when it reads more than 0.1 points of the test digits less, and over two digits.
    """
    rows = spread(len(train["labels"]), _CALIBRATION_DIGITS)
    file, found = _convert_to_litert(model, train["images"][rows], test)
    labels = np.asarray(test["labels"])
    lost = _right(reference["probabilities"], labels) - _right(found, labels)
    if lost > max(2, _LOST * len(labels)):
        raise ValueError(
            f"the eight-bit LiteRT file of {model.name} reads {lost} of {len(labels)} digits less"
        )
    return file, {
        **_describe("LiteRT, eight-bit integers", file, model, found, test, reference),
        "accuracy_lost": lost / len(labels),
    }


def _convert_to_litert(
    model: Any, calibration: np.ndarray | None, test: LabelledImages
) -> tuple[bytes, np.ndarray]:
    try:
        from mnist_kedro.models.litert import run_litert, to_litert  # noqa: PLC0415  (TensorFlow)
        from mnist_kedro.models.saved_model import write_saved_model  # noqa: PLC0415

        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary, "saved_model")
            write_saved_model(model, folder)
            file = to_litert(folder, calibration)
        return file, run_litert(file, test["images"])
    except ModuleNotFoundError as error:
        _tell_what_to_install(error)


def _tell_what_to_install(error: ModuleNotFoundError) -> NoReturn:
    raise InputError(
        f"{error.name} is needed to export models; pip install 'mnist_kedro[export]'."
    ) from error


def _check_same(found: np.ndarray, reference: Reference, name: str) -> None:
    difference = _difference(found, reference)
    if not difference <= _TOLERANCE:
        raise ValueError(f"{name} differs from it by {difference:.2g}")


def _difference(found: np.ndarray, reference: Reference) -> float:
    return float(np.abs(found - reference["probabilities"]).max())


def _right(probabilities: np.ndarray, labels: np.ndarray) -> int:
    return int(np.sum(probabilities.argmax(axis=1) == labels))


def _describe(
    kind: str,
    made: bytes | Mapping[str, bytes],
    model: Any,
    found: np.ndarray,
    test: LabelledImages,
    reference: Reference,
) -> dict[str, Any]:
    """What whoever runs a file needs to know, and ten digits to try it with."""
    labels = np.asarray(test["labels"])
    right = _right(found, labels)
    logger.info("%s as %s: %.2f%% of the test digits.", model.name, kind, 100 * right / len(labels))
    return {
        "model": model.name,
        "format": kind,
        "sha256": _digest(made)
        if isinstance(made, bytes)
        else {path: _digest(data) for path, data in made.items()},
        "input": {
            "name": "pixels",
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
        "confidence_threshold": reference["confidence_threshold"],
        "largest_difference_from_keras": _difference(found, reference),
        "examples": _examples(found, test),
        "data": {**provenance(test)},
        "versions": {name: version(name) for name in _PACKAGES if _is_installed(name)},
    }


def _is_installed(package: str) -> bool:
    """A SavedModel is made without the extra `export`."""
    return any(distributions(name=package))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _examples(found: np.ndarray, test: LabelledImages) -> list[Mapping[str, Any]]:
    """The first test digit of each class, and what the file says of it."""
    labels = np.asarray(test["labels"])
    rows = [int(np.argmax(labels == digit)) for digit in range(CLASSES) if digit in labels]
    return [
        {
            "label": int(labels[row]),
            "pixels": base64.b64encode(test["images"][row].tobytes()).decode(),
            "probabilities": [round(float(p), 7) for p in found[row]],
        }
        for row in rows
    ]
