"""Nodes of the ``export`` pipeline."""

import base64
import hashlib
import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from mnist_kedro.arrays import blocks
from mnist_kedro.contracts import CLASSES, LabeledImages, provenance
from mnist_kedro.errors import InputError
from mnist_kedro.lineage import KEY as LINEAGE
from mnist_kedro.lineage import TrainingRecord, record_of, with_lineage
from mnist_kedro.metrics.classification import wilson_interval
from mnist_kedro.metrics.picture_calibration import PictureCalibration
from mnist_kedro.metrics.prediction import probabilities_of, spread
from mnist_kedro.metrics.selective import confidence_threshold
from mnist_kedro.parameters import ReportingParameters
from mnist_kedro.pictures.detector import DETECTOR_FILE

logger = logging.getLogger(__name__)

_TOLERANCE = 1e-4  # largest difference of a probability between float formats
_MAX_ACCURACY_LOSS = 0.001  # largest accuracy loss of the eight-bit format
_CALIBRATION_DIGITS = 500
_BATCH = 1000
_PACKAGES = ("keras", "tensorflow", "onnx", "onnxruntime", "ai-edge-litert")


class Reference(TypedDict):
    """The Keras model's predictions, which every exported file must reproduce."""

    model: str  # name of the model
    training_record: TrainingRecord | None
    picture_calibration: Mapping[str, Any]
    probabilities: np.ndarray  # (n, 10), of the test digits
    correct: np.ndarray  # (m,), whether each validation digit is classified correctly
    confidence_threshold: float  # in 0–1; predictions with a lower confidence should be rejected


@with_lineage
def predict_reference(
    model: Any,
    validation: LabeledImages,
    test: LabeledImages,
    picture_calibration: PictureCalibration,
    reporting: ReportingParameters,
) -> Reference:
    """Classify the test digits with the Keras model, and choose its confidence threshold.

    Args:
        model: a Keras model, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities.
        validation: the split on which the confidence threshold is chosen.
        test: the test split.
        picture_calibration: the model's calibration on pictures.
        reporting: contains ``target_accuracy``, for the predictions above the threshold.
    """
    validated = probabilities_of(model, validation["images"])
    correct = validated.argmax(axis=1) == np.asarray(validation["labels"])
    record = record_of(model)
    return {
        "model": record["model"] if record else model.name,
        "training_record": record,
        "picture_calibration": {
            key: value for key, value in picture_calibration.items() if key != LINEAGE
        },
        "probabilities": probabilities_of(model, test["images"]),
        "correct": correct,
        "confidence_threshold": confidence_threshold(
            correct, validated.max(axis=1), reporting.target_accuracy
        ),
    }


@contextmanager
def _report_missing_packages() -> Iterator[None]:
    """Raise an InputError if a package of the extra ``export`` is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(
            f"exporting models requires {error.name}; pip install 'mnist_kedro[export]'."
        ) from error


@with_lineage
@_report_missing_packages()
def export_to_onnx(
    model: Any, test: LabeledImages, reference: Reference
) -> tuple[bytes, dict[str, Any]]:
    """Export a network to ONNX, and verify the file on all test digits.

    Args:
        model: a Keras model, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities.
        test: the test split.
        reference: predictions of the model on the test split.

    Returns:
        The file and its description: input, output, digest, accuracy, examples and versions. The
        file maps ``pixels`` ``(n, 28, 28, 1)`` uint8 to ``probabilities`` ``(n, 10)`` and
        ``digit_score`` ``(n, 1)``, both float32.

    Raises:
        InputError: if the packages for the format are not installed.
        ValueError: if a probability differs from the reference by more than 0.0001.
    """
    import onnxruntime  # noqa: PLC0415  (an optional dependency)

    from mnist_kedro.models.onnx_export import (  # noqa: PLC0415
        DIGIT_SCORE,
        PIXELS,
        PROBABILITIES,
        add_digit_detector,
        to_onnx,
    )

    converted = to_onnx(model)
    add_digit_detector(converted, DETECTOR_FILE.read_bytes())
    file = converted.SerializeToString()
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    probabilities = np.concatenate(
        [
            session.run([PROBABILITIES], {PIXELS: batch})[0]
            for _, batch in blocks(test["images"], _BATCH)
        ]
    )
    description = _describe("ONNX", file, probabilities, test, reference)
    description["digit_detector"] = {
        "name": DIGIT_SCORE,
        "shape": ["n", 1],
        "type": "float32",
        "range": [0, 1],
        "meaning": "below picture_calibration.digit_threshold, the picture shows no digit",
    }
    return file, _check_equal(description)


@with_lineage
def export_to_saved_model(
    model: Any, test: LabeledImages, reference: Reference
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Export a network to a SavedModel for TensorFlow Serving; verify it on all test digits.

    The arguments are those of :func:`export_to_onnx`.

    Returns:
        The files, by their paths in the folder, and their description.

    Raises:
        ValueError: if a probability differs from the reference by more than 0.0001.
    """
    from mnist_kedro.models.saved_model import (  # noqa: PLC0415  (TensorFlow)
        run_saved_model,
        write_saved_model,
    )

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "saved_model")
        write_saved_model(model, folder)
        probabilities = run_saved_model(folder, test["images"])
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
    return files, _check_equal(_describe("SavedModel", files, probabilities, test, reference))


@with_lineage
def export_to_litert(
    model: Any, test: LabeledImages, reference: Reference
) -> tuple[bytes, dict[str, Any]]:
    """Export a network to LiteRT for phones and small computers; verify it on all test digits.

    The arguments and errors are those of :func:`export_to_onnx`.

    Returns:
        A ``.tflite`` file, which maps ``pixels`` to ``probabilities``, and its description.
    """
    file, probabilities = _convert_to_litert(model, None, test)
    return file, _check_equal(_describe("LiteRT", file, probabilities, test, reference))


@with_lineage
def export_to_litert_int8(
    model: Any, train: LabeledImages, test: LabeledImages, reference: Reference
) -> tuple[bytes, dict[str, Any]]:
    """Export a network to LiteRT with eight-bit integers, about a quarter of the float32 size.

    Args:
        model: a Keras model, ``(n, 28, 28, 1)`` uint8 → ``(n, 10)`` probabilities.
        train: the split from which digits are taken to calibrate the ranges of the integers.
        test: the test split.
        reference: predictions of the model on the test split.

    Returns:
        A ``.tflite`` file, which maps ``pixels`` to ``probabilities``, and its description.

    Raises:
        InputError: if the packages for the format are not installed.
        ValueError: if the file classifies at least six fewer test digits correctly than the model,
            and more than 0.1% fewer.
    """
    rows = spread(len(train["labels"]), _CALIBRATION_DIGITS)
    file, probabilities = _convert_to_litert(model, train["images"][rows], test)
    labels = np.asarray(test["labels"])
    lost = _count_correct(reference["probabilities"], labels) - _count_correct(
        probabilities, labels
    )
    if lost > max(5, _MAX_ACCURACY_LOSS * len(labels)):
        raise ValueError(
            f"the eight-bit LiteRT file of {reference['model']} classifies {lost} fewer of "
            f"{len(labels)} test digits correctly than the Keras model"
        )
    description = _describe("LiteRT, eight-bit integers", file, probabilities, test, reference)
    return file, {**description, "accuracy_lost": lost / len(labels)}


@_report_missing_packages()
def _convert_to_litert(
    model: Any, calibration: np.ndarray | None, test: LabeledImages
) -> tuple[bytes, np.ndarray]:
    from mnist_kedro.models.litert import run_litert, to_litert  # noqa: PLC0415  (TensorFlow)

    file = to_litert(model, calibration)
    return file, run_litert(file, test["images"])


def _count_correct(probabilities: np.ndarray, labels: np.ndarray) -> int:
    return int(np.sum(probabilities.argmax(axis=1) == labels))


def _describe(
    name: str,
    content: bytes | Mapping[str, bytes],
    probabilities: np.ndarray,
    test: LabeledImages,
    reference: Reference,
) -> dict[str, Any]:
    """Describe an exported file for its users, with a test digit of each class as an example."""
    labels = np.asarray(test["labels"])
    correct = _count_correct(probabilities, labels)
    accuracy = correct / len(labels)
    logger.info("%s as %s: test accuracy %.2f%%.", reference["model"], name, 100 * accuracy)
    return {
        "model": reference["model"],
        "training_record": reference["training_record"],
        "format": name,
        "sha256": _digest(content)
        if isinstance(content, bytes)
        else {path: _digest(data) for path, data in content.items()},
        "input": {
            "name": "pixels",
            "shape": ["n", 28, 28, 1],
            "type": "uint8",
            "range": [0, 255],
            "preparation": "light ink on black paper; the digit fits into 20 × 20 pixels, its "
            "center of mass is the center of 28 × 28; do not scale or standardize the pixels",
        },
        "output": {
            "name": "probabilities",
            "shape": ["n", CLASSES],
            "type": "float32",
            "labels": list(range(CLASSES)),
        },
        "accuracy": accuracy,
        "accuracy_ci95": wilson_interval(correct, len(labels)),
        "test_digits": len(labels),
        "confidence_threshold": reference["confidence_threshold"],
        "picture_calibration": reference["picture_calibration"],
        "largest_difference_from_keras": float(
            np.abs(probabilities - reference["probabilities"]).max()
        ),
        "examples": _examples(probabilities, test),
        "data": {**provenance(test)},
        "versions": {  # of installed packages; a SavedModel does not require the extra `export`
            name: package.version for name in _PACKAGES for package in distributions(name=name)
        },
    }


def _check_equal(description: dict[str, Any]) -> dict[str, Any]:
    """Check that a file gives the probabilities of the Keras model; return its description."""
    difference = description["largest_difference_from_keras"]
    if not difference <= _TOLERANCE:  # also rejects NaN
        raise ValueError(
            f"a probability of {description['model']} as {description['format']} differs from "
            f"the Keras model's by {difference:.2g}"
        )
    return description


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _examples(probabilities: np.ndarray, test: LabeledImages) -> list[Mapping[str, Any]]:
    """Return the first test digit of each class, with its probabilities."""
    labels = np.asarray(test["labels"])
    rows = [int(np.argmax(labels == digit)) for digit in range(CLASSES) if digit in labels]
    return [
        {
            "label": int(labels[row]),
            "pixels": base64.b64encode(test["images"][row].tobytes()).decode(),
            "probabilities": [round(float(p), 7) for p in probabilities[row]],
        }
        for row in rows
    ]
